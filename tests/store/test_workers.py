from datetime import timedelta

import pytest

from schemas.clock import utc_now
from schemas.job import JobKind, JobState
from store.access_tables import Worker
from store.jobs import get_job, request_cancel
from store.leases import take_lease, this_process
from store.workers import claimable_jobs, live_workers, remove_worker, renew_worker

LEASE_SECONDS = 30.0


@pytest.fixture
def queued(store, new_job):
    """Makes a job that came to be queued, `late` seconds after the hour; gives its id."""

    def make(table="things", late=0, **values):
        job_id = new_job(table)
        with store.write() as session:
            job = get_job(session, job_id)
            job.is_queued, job.received_at = True, utc_now() - timedelta(hours=1) + timedelta(seconds=late)
            for name, value in values.items():
                setattr(job, name, value)
        return job_id

    return make


def claimable(store, limit=10):
    with store.read() as session:
        return [job.id for job in claimable_jobs(session, LEASE_SECONDS, limit)]


def ended(state=JobState.FINISHED):
    return {"state": state, "rows": 0}


def test_of_the_imports_into_one_table_only_the_first_is_to_be_claimed(store, queued):
    second, first, other = queued(late=2), queued(late=1), queued("other", late=3)
    assert claimable(store) == [first, other]
    with store.write() as session:
        job = get_job(session, first)
        job.state, job.rows = JobState.FINISHED, 0
    assert claimable(store) == [first, second, other]  # the first is not reported yet
    with store.write() as session:
        get_job(session, first).reported_at = utc_now()
    assert claimable(store) == [second, other]


def test_jobs_received_in_the_same_moment_have_an_order_too(store, queued):
    moment = utc_now() - timedelta(hours=2)
    both = sorted([queued(received_at=moment), queued(received_at=moment)])
    assert claimable(store) == both[:1]


def test_a_job_that_is_only_checked_waits_for_nobody(store, queued):
    first, check = queued(late=1), queued(late=2, kind=JobKind.VALIDATE)
    assert claimable(store) == [first, check]


def test_a_job_to_be_cancelled_does_not_wait_for_its_turn(store, queued):
    first, second = queued(late=1), queued(late=2)
    with store.write() as session:
        request_cancel(session, second)
    assert claimable(store) == [first, second]


def test_a_job_that_is_not_queued_is_left_to_who_brought_it_for_as_long_as_a_lease(store, queued, new_job):
    new_job("fresh")
    left = queued(is_queued=False)
    assert claimable(store) == [left]


def test_a_job_that_somebody_works_on_is_not_claimable_and_one_whose_worker_is_gone_is(store, queued):
    held = queued(is_queued=False)
    with store.write() as session:
        take_lease(session, held, 3600)
    assert claimable(store) == []
    with store.write() as session:
        get_job(session, held).lease_owner = this_process() | {"started": "another time"}
    assert claimable(store) == [held]


def test_no_more_are_given_than_asked_for_the_oldest_first(store, queued):
    jobs = [queued(f"t{number}", late=number) for number in range(5)]
    assert claimable(store, limit=2) == jobs[:2]


def test_a_worker_is_alive_for_as_long_as_it_says_so(store):
    with store.write() as session:
        renew_worker(session, "w1")
        renew_worker(session, "w1")
    with store.read() as session:
        (worker,) = live_workers(session, 10)
        assert (worker.id, worker.process) == ("w1", this_process())
    with store.write() as session:
        session.get(Worker, "w1").seen_at = utc_now() - timedelta(seconds=11)
        session.add(Worker(id="old", process={}, seen_at=utc_now() - timedelta(hours=2)))
    with store.read() as session:
        assert live_workers(session, 10) == []
    with store.write() as session:
        renew_worker(session, "w1")
        assert session.get(Worker, "old") is None
        remove_worker(session, "w1")
        assert live_workers(session, 10) == []


def test_jobs_that_are_passed_over_do_not_hide_those_behind_them(store, queued):
    resting = [queued(f"resting{number}", late=number) for number in range(3)]
    behind = queued("other", late=9)
    assert claimable(store, 2) == resting[:2]
    with store.read() as session:
        found = claimable_jobs(session, LEASE_SECONDS, 2, lambda job: job.id in resting)
        assert [job.id for job in found] == [behind]
