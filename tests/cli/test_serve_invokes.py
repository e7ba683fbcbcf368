"""Many clients that invoke at once lose nothing, also while a file is imported into the same table."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from schemas.job import JobKind, JobState
from store.job_lists import JobFilter, page_of_jobs
from tests.cli.running_service import ROWS, RunningService, ended

CALLS, RECORDS = 50, 20
IMPORT_ID = hashlib.sha256(b"local/things").hexdigest()[:24]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = RunningService(tmp_path_factory.mktemp("invokes"))
    service.start()
    yield service
    service.close()


def invoke_at_once(service, name):
    """The answers to so many calls at once, each with records of its own and one that all bring."""

    def call(number):
        records = [{"Id": f"{name}-{number}.{n}", "Name": "i", "Amount": n} for n in range(RECORDS)]
        shared = [{"Id": f"{name}-shared", "Name": str(number)}, {"Id": f"{name}-x", "Amount": "many"}]
        url = f"{service.status['api']}/integrator/v1/imports/{IMPORT_ID}/invoke"
        return httpx.post(url, json=records + shared, headers=service.headers, timeout=60)

    with ThreadPoolExecutor(CALLS) as threads:
        return list(threads.map(call, range(CALLS)))


@pytest.mark.slow
def test_fifty_invokes_at_once_lose_nothing_also_while_a_file_is_imported_into_the_table(service):
    imported = service.post("file", 2 * ROWS)
    service.wait(imported, lambda job: job.rows_loaded >= 1_000)

    answers = invoke_at_once(service, "call")

    assert {answer.status_code for answer in answers} == {200}
    told = [[result["statusCode"] for result in answer.json()] for answer in answers]
    assert told == [[200] * (RECORDS + 1) + [422]] * CALLS
    assert service.rows_of("call") == CALLS * RECORDS + 1

    file_job = service.wait(imported, ended)
    assert (file_job.state, file_job.created) == (JobState.FINISHED, 2 * ROWS)
    assert service.rows_of("file") == 2 * ROWS
    with service.store.read() as session:
        jobs = page_of_jobs(session, "local", JobFilter(creation_path="INVOKE"), limit=CALLS + 1)
    assert min(job.finished_at for job in jobs) < file_job.finished_at
    assert [(job.kind, job.state, job.rows, job.failed) for job in jobs] == [
        (JobKind.INVOKE, JobState.FINISHED, RECORDS + 2, 1)
    ] * CALLS
    assert sum(job.created for job in jobs) == CALLS * RECORDS + 1
    assert sum(job.updated for job in jobs) == CALLS - 1
