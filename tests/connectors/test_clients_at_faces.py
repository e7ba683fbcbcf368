"""Every client of a vendor, against the face of our own that answers as the vendor does, over a real socket."""

from contextlib import contextmanager
from uuid import uuid4

import pytest

from connectors.client import RecordsRefusedError
from schemas.errors import VendorRefusedError
from schemas.job import Counts
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from tasks.import_views import derived_id
from tests.connectors.driving import Driver, write_part
from tests.connectors.face_client import face_client, worked
from tests.connectors.scripted.ways import WAYS
from tests.connectors.test_clients import CLIENTS, HEADER, told

GOOD = [(f"k{number}", f'Grüße {number}, "quoted"', str(number)) for number in range(5)]
BAD = ("k9", "Nine", "-1")


@pytest.fixture
def at_face(shared_service, tenant, make_definition, tmp_path):
    """The face, worked, with a client of ours that has a key of the tenant; gives a way to deliver rows."""
    addresses = {name: way.container if way.address is None else way.address for name, way in WAYS.items()}
    definition = make_definition(faces=addresses)

    @contextmanager
    def of(name):
        with face_client(shared_service, name, tenant) as client, worked(client):
            with Store.opened(shared_service.settings) as store, store.write() as session:
                put_definition(session, tenant, definition)
            key = client.key
            secrets = {"token": key.token, "api_key": key.token, "subscription_key": key.subscription_key}
            options = {"tenant": tenant} if "tenant" in CLIENTS[name].options else {}
            container = container_of(name, tenant, definition)
            driver = Driver(CLIENTS[name], str(client.http.base_url), container, secrets, options)
            driver.most_tries, driver.pause_seconds = 600, 0.05
            with driver.client() as made:
                kind = made.file_kind

            def deliver(rows):
                driver.handle = {}
                return driver.deliver(write_part(tmp_path, kind, HEADER, rows))

            yield client, driver, deliver

    return of


def container_of(name, tenant, definition):
    """Where the records of the definition go, as a client of this vendor says it."""
    own = {"import_id": derived_id(tenant, definition.name)}
    return own if name == "integrator" else WAYS[name].container


def last_job(client):
    with Store.opened(client.service.settings) as store, store.read() as session:
        return page_of_jobs(session, client.key.tenant, JobFilter(), limit=1)[0]


@pytest.mark.parametrize("name", CLIENTS)
def test_the_face_takes_every_record_and_tells_the_client_as_much_as_the_vendor_does(at_face, name):
    with at_face(name) as (client, _, deliver):
        end = deliver(GOOD)
        again = deliver(GOOD)
    client.finish_jobs()
    assert (end.how, again.how) == ("done", "done")
    assert told(end.look) == told(again.look) == (len(GOOD) if WAYS[name].tells else None)
    assert [tuple(map(str, record.values()))[:3] for record in client.table("things")] == GOOD
    assert last_job(client).counts == Counts(unchanged=len(GOOD))


@pytest.mark.parametrize("name", CLIENTS)
def test_a_record_that_the_face_refuses_is_told_at_its_row_where_the_vendor_tells_rows(at_face, name):
    with at_face(name) as (client, _, deliver):
        end = deliver([*GOOD, BAD])
    client.finish_jobs()
    error = end.error
    refused = error.refused if isinstance(error, RecordsRefusedError) else end.look.refused
    assert {(one.row, one.field.lower()) for one in refused} == (
        {(7, "amount")} if WAYS[name].tells_rows else set()
    )
    assert (len(client.table("things") or ()), end.how) == ((5, "done") if error is None else (0, "refused"))
    assert last_job(client).counts.failed == 1


@pytest.mark.parametrize("name", CLIENTS)
def test_the_face_knows_its_keys_and_refuses_others(at_face, name):
    with at_face(name) as (client, driver, _):
        driver.container = {}
        with driver.client() as made:
            assert "knows the" in made.test()
        driver.secrets = {secret: f"lading_{uuid4().hex}" for secret in driver.secrets}
        with driver.client() as made, pytest.raises(VendorRefusedError, match=r"40[13]"):
            made.test()
    assert client.table("things") is None
