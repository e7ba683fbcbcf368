import pytest
from sqlalchemy.exc import IntegrityError

from schemas.errors import ConflictError, LeaseLostError, NotFoundError, RetriableError
from schemas.job import RUNNING, TERMINAL, TRANSITIONS, JobKind, JobState
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import (
    earlier_import,
    find_job,
    get_job,
    list_events,
    request_cancel,
    running_jobs,
    set_values,
    transition,
    unreported_jobs,
)
from store.leases import take_lease

PATHS = {
    JobState.RECEIVED: (),
    JobState.VALIDATING: (JobState.VALIDATING,),
    JobState.READY: (JobState.VALIDATING, JobState.READY),
    JobState.IMPORTING: (JobState.VALIDATING, JobState.READY, JobState.IMPORTING),
    JobState.INVALID: (JobState.VALIDATING, JobState.INVALID),
    JobState.FINISHED: (JobState.VALIDATING, JobState.READY, JobState.FINISHED),
    JobState.FAILED: (JobState.FAILED,),
    JobState.CANCELLED: (JobState.CANCELLED,),
}


def bring(session, job_id, state):
    for step in PATHS[state]:
        transition(session, job_id, step, epoch=0, rows=0)


@pytest.mark.parametrize("source", JobState)
def test_a_job_moves_only_along_the_table_of_transitions(store, new_job, source):
    jobs = {target: new_job(f"for_{target}") for target in JobState}
    with store.write() as session:
        for target, job_id in jobs.items():
            bring(session, job_id, source)
            if target in TRANSITIONS[source]:
                assert transition(session, job_id, target, epoch=0, rows=0).state is target
            elif target is source:
                assert transition(session, job_id, target, epoch=0).state is source
            else:
                with pytest.raises(ConflictError):
                    transition(session, job_id, target, epoch=0)
                assert get_job(session, job_id).state is source


def test_each_state_leaves_its_time_and_an_event(store, new_job):
    job_id = new_job()
    with store.write() as session:
        bring(session, job_id, JobState.FINISHED)
        job = get_job(session, job_id)
        assert job.received_at <= job.validating_at <= job.ready_at <= job.finished_at
        assert job.failed_at is None
        assert [event.name for event in list_events(session, job_id)] == [
            "received",
            "validating",
            "ready",
            "finished",
        ]


def test_a_terminal_job_keeps_its_counts(store, new_job):
    job_id = new_job()
    with store.write() as session:
        transition(session, job_id, JobState.FAILED, epoch=0, rows=2, unprocessed=2)
        transition(session, job_id, JobState.FAILED, epoch=0, rows=9, unprocessed=9)
        assert get_job(session, job_id).rows == 2


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_the_database_refuses_an_end_that_does_not_account_for_every_row(store, new_job, state):
    job_id = new_job()
    source = next(source for source in sorted(RUNNING) if state in TRANSITIONS[source])
    with store.write() as session:
        bring(session, job_id, source)
    for counts in ({"rows": 3, "created": 2}, {"rows": None}, {"rows": 0, "failed": 1}):
        with pytest.raises(IntegrityError, match="every_row_accounted_for"), store.write() as session:
            transition(session, job_id, state, epoch=0, **counts)


def test_who_lost_the_lease_moves_nothing(store, new_job):
    job_id = new_job()
    with store.write() as session:
        take_lease(session, job_id, 30)
    with store.write() as session:
        with pytest.raises(LeaseLostError):
            transition(session, job_id, JobState.VALIDATING, epoch=0)
        with pytest.raises(LeaseLostError):
            set_values(session, job_id, epoch=0, rows_read=1)
        assert transition(session, job_id, JobState.VALIDATING, epoch=1).state is JobState.VALIDATING


def test_one_job_at_a_time_imports_into_a_destination(store, new_job):
    first, second, elsewhere = new_job(), new_job(), new_job("others")
    with store.write() as session:
        for job_id in (first, second, elsewhere):
            bring(session, job_id, JobState.READY)
        transition(session, first, JobState.IMPORTING, epoch=0)
        transition(session, elsewhere, JobState.IMPORTING, epoch=0)
    with pytest.raises(RetriableError), store.write() as session:
        transition(session, second, JobState.IMPORTING, epoch=0)
    with store.write() as session:
        transition(session, first, JobState.FINISHED, epoch=0, rows=0)
        assert transition(session, second, JobState.IMPORTING, epoch=0).state is JobState.IMPORTING


def test_a_job_is_found_by_the_beginning_of_its_id(store, new_job):
    first, second = new_job(), new_job()
    with store.read() as session:
        assert find_job(session, "local", first[:13]).id == first
        for prefix in ("", "no-such", "%"):
            with pytest.raises(NotFoundError):
                find_job(session, "local", prefix)
        with pytest.raises(NotFoundError):
            find_job(session, "another", first)
        assert {job.id for job in page_of_jobs(session, "local", JobFilter(), limit=10)} == {first, second}


def test_what_is_unfinished_or_unreported_can_be_listed(store, new_job):
    done, waiting = new_job(), new_job("others")
    with store.write() as session:
        bring(session, done, JobState.FINISHED)
    with store.read() as session:
        assert [job.id for job in running_jobs(session, "local")] == [waiting]
        assert running_jobs(session, "local", "local/default/things") == []
        assert [job.id for job in unreported_jobs(session, "local")] == [done]


def test_an_end_is_asked_for_once_and_only_while_there_is_something_to_end(store, new_job):
    job_id = new_job()
    with store.write() as session:
        asked_at = request_cancel(session, job_id).cancel_requested_at
    with store.write() as session:
        assert request_cancel(session, job_id).cancel_requested_at == asked_at
        assert [event.name for event in list_events(session, job_id)] == ["received", "cancel requested"]
        bring(session, job_id, JobState.CANCELLED)
        with pytest.raises(ConflictError, match="is cancelled; there is nothing to cancel"):
            request_cancel(session, job_id)
        with pytest.raises(NotFoundError):
            request_cancel(session, "no-such")


def test_of_the_imports_into_one_table_each_waits_for_the_first_that_is_not_terminal(store, new_job):
    first, second, third, check, other = (new_job(), new_job(), new_job(), new_job(), new_job("others"))
    with store.write() as session:
        set_values(session, check, epoch=0, kind=JobKind.VALIDATE)

    def waits_for(job_id):
        with store.read() as session:
            found = earlier_import(session, get_job(session, job_id))
            return None if found is None else found.id

    assert list(map(waits_for, (first, second, third, check, other))) == [None, first, first, None, None]
    with store.write() as session:
        set_values(session, first, epoch=0, state=JobState.FAILED, rows=0)
    assert list(map(waits_for, (second, third))) == [None, second]
