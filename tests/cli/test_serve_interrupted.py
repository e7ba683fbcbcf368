"""Imports that are interrupted: a part of the service is killed in the middle, or the job is cancelled."""

import os
import signal
from datetime import timedelta

import pytest

from schemas.clock import utc_now
from tests.cli.running_service import AGAIN_SECONDS, ROWS, body, ended, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def goes_on_and_ends_whole(service, name, job_id):
    """The job, which is going again in time; Prefect's last word on its runs is theirs to check."""
    rows_loaded = service.job(job_id).rows_loaded
    service.wait(job_id, lambda job: ended(job) or job.rows_loaded > rows_loaded, AGAIN_SECONDS)
    job = service.wait(job_id, ended)
    assert (job.state.value, job.rows, job.created) == ("finished", ROWS, ROWS)
    assert service.rows_of(name) == ROWS


def comes_back(service, part, before):
    until(lambda: service.status["parts"][part]["state"] == "up")
    after = service.status["parts"][part]
    assert after["pid"] != before["pid"]
    assert after["restarts"] == before["restarts"] + 1


@pytest.mark.parametrize("part", ["api", "prefect", "runner", "worker"])
def test_a_part_that_is_killed_comes_back_and_the_job_ends_whole(service, part):
    job_id = service.post(part, ROWS)
    with service.held_in_the_middle(job_id):
        before = service.kill(part)
    goes_on_and_ends_whole(service, part, job_id)
    comes_back(service, part, before)
    until(lambda: set(service.states_of_runs(job_id)) <= {"COMPLETED", "CRASHED", "FAILED"})


def test_a_run_of_the_runner_outlives_it(service):
    (service.folder / "own.csv").write_text(body("own", ROWS))
    service.run_deployment("own.csv")
    job_id = service.job_of_file("own.csv")
    with service.held_in_the_middle(job_id):
        before = service.kill("runner")
    goes_on_and_ends_whole(service, "own", job_id)
    comes_back(service, "runner", before)
    until(lambda: service.states_of_runs(job_id) == ["COMPLETED"])


def test_a_job_whose_run_of_the_runner_is_killed_is_the_workers(service):
    (service.folder / "left.csv").write_text(body("left", ROWS))
    service.run_deployment("left.csv")
    job_id = service.job_of_file("left.csv")
    with service.held_in_the_middle(job_id):
        os.kill(service.job(job_id).lease_owner["pid"], signal.SIGKILL)
    goes_on_and_ends_whole(service, "left", job_id)
    until(lambda: service.states_of_runs(job_id) == ["CRASHED", "COMPLETED"])


def test_cancelling_takes_effect_within_ten_seconds(service):
    job_id = service.post("cancel", ROWS)
    with service.held_in_the_middle(job_id):
        asked_at = utc_now()
        service.cancel(job_id)
    job = service.wait(job_id, ended)
    assert (job.state.value, job.error_code) == ("cancelled", "job.cancelled")
    assert job.cancelled_at - asked_at < timedelta(seconds=10)
    assert (job.created + job.unprocessed, service.rows_of("cancel")) == (ROWS, job.created)
    until(lambda: service.states_of_runs(job_id) == ["CANCELLED"])


def test_what_is_cancelled_at_prefect_is_cancelled_here(service):
    job_id = service.post("ui", ROWS)
    with service.held_in_the_middle(job_id):
        asked_at = utc_now()
        state = {"type": "CANCELLING", "name": "Cancelling"}
        service.prefect(f"flow_runs/{service.job(job_id).flow_run_id}/set_state", {"state": state})
        service.wait(job_id, lambda job: job.cancel_requested_at is not None)
    job = service.wait(job_id, ended)
    assert (job.state.value, job.created + job.unprocessed) == ("cancelled", ROWS)
    assert job.cancelled_at - asked_at < timedelta(seconds=10)
    until(lambda: service.states_of_runs(job_id) == ["CANCELLED"])


def test_a_queued_job_is_cancelled_while_another_has_its_table(service):
    first = service.post("first", ROWS)
    with service.held_in_the_middle(first):
        second = service.post("second", 100)
        service.cancel(second)
        job = service.wait(second, ended)
        assert (job.state.value, job.rows, job.validating_at) == ("cancelled", 0, None)
        assert not ended(service.job(first))
    assert service.wait(first, ended).created == ROWS
