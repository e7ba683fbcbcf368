"""Jobs cancelled over HTTP while a vendor takes its time: they end soon, and nothing more is sent."""

import threading
import time
from contextlib import contextmanager

import pytest

from flows.run import resume
from schemas.connection import ConnectionDocument
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from tasks.connection_keeping import keep_connection
from tests.api.conftest import running
from tests.cli.running_service import until
from tests.connectors.scripted.vendor import Fault, scripted
from tests.connectors.scripted.ways import WAYS
from tests.tasks import scripted_vendor

pytestmark = pytest.mark.slow
SOON_SECONDS = 10.0
QUIET_SECONDS = 1.5
"""A job that would ask its vendor again does so in less."""
BODY = "Id,Name,Amount\na,Ann,1\nb,Bob,x\nc,Cid,3\nd,Dora,4\ne,Eve,5\n"


@pytest.fixture
def service(tmp_path):
    with running(Settings(home=tmp_path / ".lading")) as service:
        yield service


@pytest.fixture
def client(service):
    with service.client(service.key("local").token) as client:
        yield client


@pytest.fixture
def posted(service, client, make_definition):
    """Posts `BODY` for a vendor; gives the address of the job's resource while somebody works on the job."""

    @contextmanager
    def of(connector, url, container, options=None, secrets=None):
        document = ConnectionDocument(
            name="box", connector=connector, url=url, options=options or {}, secrets=secrets or {}
        )
        with Store.opened(service.settings) as store, store.write() as session:
            keep_connection(service.settings, session, "local", document)
            put_definition(session, "local", make_definition(destination={"connection": "box", **container}))
        answer = client.post("/jobs", files={"file": ("things.csv", BODY)}, data={"definition": "things"})
        job_id = answer.raise_for_status().json()["job_id"]
        worker = threading.Thread(target=resume, args=(service.settings, job_id))
        worker.start()
        yield f"/jobs/{job_id}"
        worker.join(SOON_SECONDS)
        assert not worker.is_alive()

    return of


def cancelled(client, path):
    """The job's resource, once it has ended because it was cancelled now."""
    client.post(f"{path}/cancel").raise_for_status()
    until(lambda: client.get(path).json()["terminal"], SOON_SECONDS)
    return client.get(path).json()


def assert_ended(job, **counts):
    """The job was cancelled, and these are all its rows."""
    names = ("created", "updated", "unchanged", "ignored", "failed", "unconfirmed", "unprocessed")
    assert (job["state"], job["error_code"], job["rows"]) == ("cancelled", "job.cancelled", 5)
    assert {name: job[name] for name in names if job[name]} == counts
    assert sum(counts.values()) == 5


@pytest.mark.parametrize(
    ("trouble", "calls", "counts"),
    [
        ({"looks": 1_000_000}, "GET /imports/", {"unconfirmed": 2, "unprocessed": 2}),
        ({"busy": 1_000_000}, "POST /imports", {"unprocessed": 4}),
    ],
    ids=["a part that is never done", "a vendor that is never ready"],
)
def test_a_job_ends_amid_its_parts_and_the_rest_of_them_is_not_sent(client, posted, trouble, calls, counts):
    script = {"box": "b1", "part_rows": 2, "one_at_a_time": True}
    with scripted_vendor.standing() as vendor, scripted_vendor.known():
        vars(vendor).update(trouble)
        with posted(scripted_vendor.NAME, vendor.url, script) as path:
            until(lambda: vendor.asked[calls] >= 2)
            job = cancelled(client, path)
        asked = vendor.asked.copy()
        time.sleep(QUIET_SECONDS)
        assert vendor.asked == asked
        assert len(vendor.files) == 1
    assert_ended(job, failed=1, **counts)


@pytest.mark.parametrize(
    ("name", "call", "counts"),
    [
        ("teamtracks", "submit", {"unconfirmed": 4}),
        ("teamtracks", "look", {"unconfirmed": 4}),
        ("starmind", "upload", {"unprocessed": 4}),
        ("starmind", "submit", {"unconfirmed": 4}),
        ("elma365", "upload", {"unprocessed": 4}),
        ("learningbuilder", "submit", {"unconfirmed": 4}),
    ],
)
def test_a_job_does_not_wait_for_an_answer_that_does_not_come(client, posted, name, call, counts):
    way = WAYS[name]
    with scripted(way.script(), {call: [Fault.SLOW] * 9}, slow_seconds=60) as vendor:
        with posted(name, vendor.url, way.container, way.options, way.secrets) as path:
            until(lambda: vendor.count(call))
            job = cancelled(client, path)
        calls = vendor.calls
        time.sleep(QUIET_SECONDS)
        assert vendor.calls == calls
        assert vendor.count(call) == 1
    assert_ended(job, failed=1, **counts)
