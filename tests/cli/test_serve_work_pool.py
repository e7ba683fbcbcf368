"""`lading serve` with a work pool: jobs that come over HTTP start there, under a worker of Prefect's own."""

import contextlib
import os
import signal
import subprocess

import pytest

from tests.cli.running_service import AGAIN_SECONDS, ROWS, RunningService, ended, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

POOL = "lading"


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """A service whose jobs start in a work pool that nobody has made yet."""
    service = RunningService(tmp_path_factory.mktemp("pooled"), LADING_WORK_POOL=POOL)
    service.start()
    yield service
    service.close()


@pytest.fixture(scope="module")
def first_job(pooled):
    """The id of a job that came before there was a pool, and before it had a worker."""
    job_id = pooled.post("first", 100)
    until(lambda: f"`prefect work-pool create {POOL} --type process`" in log_of(pooled, "worker"))
    return job_id


@pytest.fixture(scope="module")
def pool_worker(pooled, first_job):
    """A worker of Prefect's, started as `docs/service.md` says, in the folder whose `.lading` is meant."""
    assert pooled.job(first_job).lease_epoch == 0
    assert pooled.run_prefect("work-pool", "create", POOL, "--type", "process").wait(100) == 0
    pooled.environment["PREFECT_WORKER_QUERY_SECONDS"] = "2"
    with (pooled.folder / "pool.log").open("w") as log:
        worker = pooled.run_prefect(
            "worker", "start", "--pool", POOL, stdout=log, stderr=log, start_new_session=True
        )
        yield worker
        worker.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(20)
        # Prefect's worker may wait for a run that it takes for its own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def log_of(service, part):
    return (service.settings.home / "logs" / f"{part}.log").read_text()


def deployments_of(service, job_id):
    """For each run of the job, by which deployment and in which pool it was started."""
    runs = service.runs_of(job_id)
    found = service.prefect(
        "deployments/filter", {"deployments": {"id": {"any_": [run["deployment_id"] for run in runs]}}}
    )
    names = {deployment["id"]: deployment["name"] for deployment in found}
    return [(names[run["deployment_id"]], run["work_pool_name"]) for run in runs]


@pytest.mark.usefixtures("pool_worker")
def test_a_job_that_came_over_http_is_run_in_the_pool_once_that_has_a_worker(pooled, first_job):
    job = pooled.wait(first_job, ended)
    assert (job.state.value, job.created, job.creation_path) == ("finished", 100, "API")
    until(lambda: pooled.states_of_runs(first_job) == ["COMPLETED"])
    assert deployments_of(pooled, first_job) == [("queued", POOL)]
    assert pooled.runs_of(first_job)[0]["name"] == "first.csv"


@pytest.mark.usefixtures("pool_worker")
def test_a_job_whose_run_is_killed_is_started_again_in_the_pool(pooled):
    job_id = pooled.post("killed", ROWS)
    with pooled.held_in_the_middle(job_id):
        os.kill(pooled.job(job_id).lease_owner["pid"], signal.SIGKILL)
    rows_loaded = pooled.job(job_id).rows_loaded
    pooled.wait(job_id, lambda job: ended(job) or job.rows_loaded > rows_loaded, AGAIN_SECONDS)
    job = pooled.wait(job_id, ended)
    assert (job.state.value, job.created, pooled.rows_of("killed")) == ("finished", ROWS, ROWS)
    until(lambda: pooled.states_of_runs(job_id) == ["CRASHED", "COMPLETED"])
    assert deployments_of(pooled, job_id) == [("queued", POOL)] * 2


def test_a_run_that_is_cancelled_before_it_began_ends_its_job(pooled, pool_worker):
    pool_worker.send_signal(signal.SIGSTOP)
    try:
        job_id = pooled.post("waiting", 100)
        until(lambda: pooled.states_of_runs(job_id) == ["SCHEDULED"])
        (run,) = pooled.runs_of(job_id)
        cancelling = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
        pooled.prefect(f"flow_runs/{run['id']}/set_state", cancelling)
        job = pooled.wait(job_id, ended)
        assert (job.state.value, job.rows) == ("cancelled", 0)
    finally:
        pool_worker.send_signal(signal.SIGCONT)
