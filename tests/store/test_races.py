"""Two workers at once, for real: each test lets threads with connections of their own do the same thing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from schemas.chunk import Page
from schemas.clock import utc_now
from schemas.errors import (
    ConflictError,
    LadingError,
    LeaseLostError,
    NotAllowedError,
    RetriableError,
    StoreBusyError,
)
from schemas.job import JobState
from store.claims import claim_table
from store.database import Store
from store.definitions import get_definition, put_definition
from store.jobs import check_epoch, get_job, set_values, transition
from store.leases import take_lease
from store.pages import list_pages, put_page
from store.uploads import put_upload

WORKERS = 6


@pytest.fixture
def at_once(settings):
    """Runs a function of (session, number) in a `write` of each of several threads; gives what each got."""

    def run(work):
        ready = threading.Barrier(WORKERS)

        def one(number):
            with Store.opened(settings) as own:
                ready.wait()
                try:
                    with own.write() as session:
                        return work(session, number)
                except LadingError as error:
                    return type(error)

        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(one, range(WORKERS)))

    return run


def test_one_of_many_workers_gets_the_lease(new_job, at_once):
    job_id = new_job()
    got = at_once(lambda session, _: take_lease(session, job_id, 30))
    assert sorted(map(str, got)) == sorted(map(str, [1] + [ConflictError] * (WORKERS - 1)))


def test_one_of_many_jobs_imports_into_a_table(store, new_job, at_once):
    jobs = [new_job() for _ in range(WORKERS)]
    with store.write() as session:
        for job_id in jobs:
            transition(session, job_id, JobState.VALIDATING, epoch=0)
            transition(session, job_id, JobState.READY, epoch=0, rows=0)
    got = at_once(lambda session, n: transition(session, jobs[n], JobState.IMPORTING, epoch=0).state)
    assert got.count(JobState.IMPORTING) == 1
    assert got.count(RetriableError) == WORKERS - 1


def test_definitions_changed_at_once_are_numbered_one_after_the_other(store, make_definition, at_once):
    def change(session, number):
        return put_definition(
            session, "local", make_definition(destination={"table": f"things{number}"})
        ).version

    assert sorted(at_once(change)) == list(range(1, WORKERS + 1))
    with store.read() as session:
        assert get_definition(session, "local", "things").version == WORKERS


def test_the_same_bytes_brought_at_once_are_one_upload_kept_for_the_longest_time(store, at_once):
    def bring(session, number):
        days = 10 + number
        upload = put_upload(session, "local", sha256="a" * 64, size_bytes=1, file_name="a.csv", days=days)
        return upload.id

    before = utc_now()
    assert len(set(at_once(bring))) == 1
    with store.read() as session:
        kept = session.connection().exec_driver_sql("SELECT count(*) FROM upload").scalar()
        assert kept == 1
    with store.write() as session:
        upload = put_upload(session, "local", sha256="a" * 64, size_bytes=1, file_name="a.csv", days=1)
        assert upload.expires_at >= before + timedelta(days=10 + WORKERS - 1)


def test_the_same_page_copied_at_once_is_there_once(store, new_job, at_once):
    job_id = new_job()
    at_once(lambda session, _: put_page(session, job_id, Page(0, "C", (2,), ("a",))))
    with store.read() as session:
        assert list(list_pages(session, job_id)) == [Page(0, "C", (2,), ("a",))]


def test_a_lease_is_not_taken_over_between_the_check_and_the_commit(store, settings, new_job):
    job_id = new_job()
    with store.write() as session:
        epoch = take_lease(session, job_id, 30)
        set_values(session, job_id, epoch=epoch, lease_expires_at=utc_now() - timedelta(days=1))
    impatient = settings.model_copy(update={"busy_timeout_seconds": 0.05})
    with Store.opened(impatient) as other:
        with store.write() as session:
            check_epoch(session, job_id, epoch)
            with pytest.raises(StoreBusyError), other.write() as theirs:
                take_lease(theirs, job_id, 30)
            put_page(session, job_id, Page(0, "C", (2,), ("a",)))
        with other.write() as theirs:
            assert take_lease(theirs, job_id, 30) == epoch + 1
            assert [page.chunk for page in list_pages(theirs, job_id)] == [0]


@pytest.mark.parametrize(
    "step",
    [
        check_epoch,
        lambda session, job_id, epoch: set_values(session, job_id, epoch=epoch, rows_read=1),
        lambda session, job_id, epoch: transition(session, job_id, JobState.VALIDATING, epoch=epoch),
    ],
    ids=["check", "values", "transition"],
)
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_who_lost_the_lease_while_writing_commits_nothing(store, settings, new_job, step):
    """Only PostgreSQL lets another take the job while the block of a stale worker is open."""
    job_id = new_job()
    with store.write() as session:
        stale = take_lease(session, job_id, 30)
        set_values(session, job_id, epoch=stale, lease_expires_at=utc_now() - timedelta(days=1))
    taken = threading.Event()

    def take():
        with Store.opened(settings) as other, other.write() as theirs:
            take_lease(theirs, job_id, 30)
        taken.set()

    worker = threading.Thread(target=take)

    def write():
        with store.write() as session:
            put_page(session, job_id, Page(0, "C", (2,), ("a",)))
            worker.start()
            assert taken.wait(30)
            step(session, job_id, stale)

    with pytest.raises(LeaseLostError):
        write()
    worker.join()
    with store.read() as session:
        assert list(list_pages(session, job_id)) == []
        assert (get_job(session, job_id).state, get_job(session, job_id).rows_read) == (JobState.RECEIVED, 0)


def test_a_table_claimed_by_many_tenants_at_once_belongs_to_one(store, at_once):
    table = "postgresql://db.example:5432/warehouse/public.things"
    got = at_once(lambda session, n: claim_table(session, f"tenant{n}", table))
    assert got.count(None) == 1
    assert got.count(NotAllowedError) == WORKERS - 1
    with store.write() as session:
        assert claim_table(session, f"tenant{got.index(None)}", table) is None
