"""Jobs whose bytes are kept for some time only, which is over before they end."""

from datetime import timedelta

import pytest

from flows import run
from schemas.clock import utc_now
from schemas.import_request import ImportRequest
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.tables import Job
from tasks.upload import accept_upload

LINES = ["Id,Name,Amount", *(f"k{i},a,{i}" for i in range(3_000))]


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / ".lading", commit_rows=1_000)


@pytest.fixture
def received(lading, make_definition, write_csv):
    """The id of a job that nobody has begun, over bytes that are kept for an hour."""
    lading.apply(make_definition())
    job_id = accept_upload(lading.settings, ImportRequest(str(write_csv(*LINES)), "things"))
    with Store.opened(lading.settings) as store, store.write() as session:
        session.get_one(Job, job_id).bytes_expire_at = utc_now() + timedelta(minutes=60)
    return job_id


def test_a_job_that_ends_in_time_finishes(lading, received):
    run.resume(lading.settings, received)
    assert lading.counts(received) == {"created": 3_000}


def test_a_job_that_was_not_begun_in_time_fails_with_a_code_of_its_own(lading, received, monkeypatch):
    later = utc_now() + timedelta(minutes=61)
    monkeypatch.setattr("store.jobs.utc_now", lambda: later)
    run.resume(lading.settings, received)
    job = lading.job(received)
    assert (job.state, job.error_code, job.counts.rows) == (JobState.FAILED, "upload.expired", 0)


def test_what_was_written_in_time_stays_and_the_rest_is_unprocessed(lading, received, monkeypatch):
    began = utc_now()

    def clock():
        """An hour passes once the first chunk is noted as loaded."""
        return began + timedelta(minutes=61 if lading.job(received).rows_loaded else 0)

    monkeypatch.setattr("store.jobs.utc_now", clock)
    run.resume(lading.settings, received)
    job = lading.job(received)
    assert (job.state, job.error_code) == (JobState.FAILED, "upload.expired")
    assert lading.counts(received) == {"created": 2_000, "unprocessed": 1_000}
    assert lading.table().height == 2_000
