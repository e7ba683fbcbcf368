"""What the worker does with jobs that rest; what it does with the others, `tests/cli/test_serve.py` tells."""

import time
from io import BytesIO

import pytest

from flows.worker import Worker
from schemas.errors import RetriableError
from schemas.job import JobState
from schemas.principal import Principal, Scope
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job, request_cancel
from tasks.upload import Brought, accept_file


@pytest.fixture
def worker(settings):
    with Store.opened(settings) as store:
        yield Worker(settings, store)


def test_a_job_that_rests_is_cancelled_at_once(settings, worker, make_definition):
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, "acme", make_definition())
    key = Principal("k1", "acme", frozenset({Scope.IMPORTS_CREATE}))
    brought = Brought(key, BytesIO(b"Id,Name,Amount\na,A,1\n"), "things.csv", "things")
    job_id = accept_file(settings, brought).job_id

    def fail(_job_id, _epoch):
        raise RetriableError("not now")

    worker._work(job_id, job_id, fail)
    assert not worker.has_work()
    with Store.opened(settings) as store:
        with store.write() as session:
            request_cancel(session, job_id)
        worker._claim()
        ends_at = time.monotonic() + 30
        while worker.busy() and time.monotonic() < ends_at:
            time.sleep(0.05)
        with store.read() as session:
            assert get_job(session, job_id).state is JobState.CANCELLED
