import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prefect import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.schedules import CronSchedule

from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.job_lists import JobFilter, page_of_jobs

ROOT = Path(__file__).resolve().parents[2]
PREFECT = [sys.executable, "-m", "prefect"]


def command(*words, folder):
    environment = {name: value for name, value in os.environ.items() if name != "LADING_HOME"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def task_runs_and_artifacts(deployment):
    """What Prefect's API lists of the only run of a deployment: task runs in their order, keys of artifacts."""
    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))
        )
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        )
    return [task.name for task in sorted(tasks, key=lambda t: t.start_time)], {a.key for a in artifacts}


@pytest.mark.slow
def test_worker_imports_into_and_purges_the_home_of_the_folder_it_was_started_in(prefect_api, tmp_path):
    assert os.environ["PREFECT_API_URL"] == prefect_api
    below = tmp_path / "below"
    below.mkdir()
    shutil.copy(ROOT / "examples" / "earthquakes.csv", tmp_path)
    home = tmp_path / ".lading"
    definition = str(ROOT / "examples" / "earthquakes.yaml")
    command(sys.executable, "-m", "cli.start", "apply", definition, "--home", str(home), folder=tmp_path)
    command(*PREFECT, "work-pool", "create", "lading", "--type", "process", folder=ROOT)
    command(*PREFECT, "--no-prompt", "deploy", "--all", folder=ROOT)
    run = [*PREFECT, "deployment", "run", "import-file/ad-hoc"]
    command(*run, "-p", "source=../earthquakes.csv", "-p", "definition=earthquakes", folder=tmp_path)
    command(*PREFECT, "deployment", "run", "purge/daily", folder=tmp_path)
    worker = [*PREFECT, "worker", "start", "--pool", "lading", "--run-once"]
    command(*worker, folder=below)
    with Store.opened(Settings(home=home)) as store, store.read() as session:
        (job,) = page_of_jobs(session, "local", JobFilter(), limit=10)
    assert (job.state, job.created, job.failed) == (JobState.FINISHED, 23_409, 3)
    names, artifacts = task_runs_and_artifacts("ad-hoc")
    assert names == ["upload", "validate", "import 1/1", "poll", "report"]
    assert artifacts == {f"progress-{job.id}", f"summary-{job.id}"}
    assert task_runs_and_artifacts("daily") == (["purge"], set())


@pytest.mark.slow
def test_a_schedule_makes_runs(prefect_api):
    with get_client(sync_client=True) as client:
        flow = client.create_flow_from_name("scheduled")
        nightly = DeploymentScheduleCreate(schedule=CronSchedule(cron="17 3 * * *", timezone="UTC"))
        deployment = client.create_deployment(flow, "nightly", schedules=[nightly])
        # What Prefect's scheduler does by itself every few seconds.
        httpx.post(f"{prefect_api}/deployments/{deployment}/schedule", json={}).raise_for_status()
        name = DeploymentFilterName(any_=["nightly"])
        runs = client.read_flow_runs(deployment_filter=DeploymentFilter(name=name))
    assert {f"{run.expected_start_time:%H:%M}" for run in runs} == {"03:17"}
