from datetime import UTC, datetime, timedelta

import pytest

from schemas.chunk import Page
from schemas.clock import utc_now
from schemas.job import RUNNING, TERMINAL, JobState
from schemas.row_error import RowError
from store import retention
from store.jobs import get_job, list_events, set_values
from store.pages import list_errors, list_pages, put_errors, put_page
from store.uploads import get_upload, put_upload

NOW = utc_now()
LATER = datetime(2101, 1, 1, tzinfo=UTC)
SHA = "0" * 64


def end(session, job_id, state=JobState.FINISHED, **values):
    set_values(session, job_id, epoch=0, state=state, rows=2, created=1, failed=1, **values)


@pytest.mark.parametrize("state", sorted(RUNNING))
def test_a_job_that_is_not_terminal_keeps_its_rows_and_its_bytes_for_ever(store, new_job, state):
    job_id = new_job()
    with store.write() as session:
        set_values(session, job_id, epoch=0, state=state)
        assert retention.expired_jobs(session, LATER) == []
        assert retention.jobs_with_expired_errors(session, LATER) == []
        assert retention.are_bytes_needed(session, SHA, LATER)
        assert retention.overdue_jobs(session, LATER) == 1
        assert retention.overdue_jobs(session, NOW) == 0


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_the_counts_of_a_terminal_job_outlive_its_rows(store, new_job, state):
    job_id = new_job()
    with store.write() as session:
        put_page(session, job_id, Page(0, "CF", (2, 3), ("a", None)))
        put_errors(session, job_id, "import", [RowError("c", "m", 1)])
        end(session, job_id, state)
        assert retention.expired_jobs(session, NOW) == retention.jobs_with_expired_errors(session, NOW) == []
        assert retention.expired_jobs(session, LATER) == [job_id]
        assert retention.jobs_with_expired_errors(session, LATER) == [job_id]
        retention.forget_errors(session, job_id, LATER)
        assert list(list_errors(session, job_id)) == []
        assert len(list(list_pages(session, job_id))) == 1
        retention.forget_rows(session, job_id, LATER)
    with store.read() as session:
        assert list(list_pages(session, job_id)) == []
        job = get_job(session, job_id)
        assert (job.rows, job.created, job.failed) == (2, 1, 1)
        assert job.purged_at == job.errors_purged_at == LATER
        assert [event.name for event in list_events(session, job_id)][1:] == ["errors purged", "rows purged"]
        assert retention.expired_jobs(session, LATER) == []
        assert retention.jobs_with_expired_errors(session, LATER) == []


def test_bytes_are_needed_until_their_last_upload_expires_and_the_last_job_is_reported(store, new_job):
    job_id = new_job()
    with store.write() as session:
        end(session, job_id)
        assert retention.are_bytes_needed(session, SHA, NOW + timedelta(days=2))  # for the report
        assert not retention.are_bytes_needed(session, SHA, LATER)
        set_values(session, job_id, epoch=0, reported_at=NOW)
        assert not retention.are_bytes_needed(session, SHA, NOW + timedelta(days=2))
        put_upload(session, "another", sha256=SHA, size_bytes=1, file_name="b.csv", days=3)
        assert retention.expired_bytes(session, NOW + timedelta(days=2)) == [SHA]
        assert retention.are_bytes_needed(session, SHA, NOW + timedelta(days=2))
        assert not retention.are_bytes_needed(session, SHA, NOW + timedelta(days=4))


def test_removed_bytes_are_unknown_until_they_are_brought_again(store, new_job):
    job_id = new_job()
    with store.write() as session:
        assert retention.are_bytes_known(session, SHA)
        retention.forget_bytes(session, SHA, LATER)
        assert not retention.are_bytes_known(session, SHA)
        assert retention.expired_bytes(session, LATER) == []
    with store.write() as session:
        assert get_upload(session, get_job(session, job_id).upload_id).purged_at == LATER
        again = put_upload(session, "local", sha256=SHA, size_bytes=1, file_name="a.csv", days=1)
        assert again.purged_at is None
        assert retention.are_bytes_known(session, SHA)
