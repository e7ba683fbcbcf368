"""What becomes of a job that the command line handed over; `tests/cli/test_serve.py` tells of the service."""

import threading
import uuid

import pytest

from flows import lifecycle
from flows.handing_over import await_end, hand_over_file
from schemas.authority import refers_to_environment
from schemas.import_request import ImportRequest
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.workers import claimable_jobs, remove_worker, renew_worker


@pytest.fixture
def request_(settings, tmp_path, make_definition):
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, "local", make_definition())
    path = tmp_path / "things.csv"
    path.write_text("Id,Name,Amount\na,A,1\nb,B,x\n")
    return ImportRequest(str(path), "things")


def test_without_a_worker_it_is_brought_to_its_end_here(settings, request_):
    job_id = hand_over_file(settings, request_)
    await_end(settings, job_id)
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
    assert (job.state.value, job.created, job.failed, job.flow_run_id) == ("finished", 1, 1, None)


def test_a_worker_finds_it_at_once_and_is_waited_for(settings, request_):
    worker_id, ended = uuid.uuid4().hex, threading.Event()
    with Store.opened(settings) as store:
        with store.write() as session:
            renew_worker(session, worker_id)
        job_id = hand_over_file(settings, request_)
        with store.read() as session:
            ids = [job.id for job in claimable_jobs(session, 30.0, 10)]

        def work():
            lifecycle.bring_to_end(lifecycle.directly, settings, job_id)
            ended.set()

        threading.Thread(target=work).start()
        await_end(settings, job_id)
        assert ended.wait(30)
        with store.write() as session:
            remove_worker(session, worker_id)
            job = get_job(session, job_id)
    assert (ids, job.created) == ([job_id], 1)


@pytest.mark.parametrize(
    ("destination", "refers"),
    [
        ({"table": "things"}, False),
        ({"database": "postgresql://lading@db/warehouse", "table": "things"}, False),
        ({"database": "postgresql://lading@db/warehouse", "password": "env:PG", "table": "things"}, True),
    ],
)
def test_a_secret_in_our_environment_is_told_from_a_definition_without(make_definition, destination, refers):
    assert refers_to_environment(make_definition(destination=destination)) is refers
