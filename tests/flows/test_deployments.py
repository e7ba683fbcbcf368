import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID

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
from pydantic import ValidationError

from flows.deployments import declared_deployments
from schemas.errors import FatalError
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.job_lists import JobFilter, page_of_jobs

pytestmark = pytest.mark.timeout(600)  # `prefect deploy` takes half a minute where others work as well

ROOT = Path(__file__).resolve().parents[2]
PREFECT = [sys.executable, "-m", "prefect"]
EVERYTHING = """
name: lading
pull: []
deployments:
- name: everything
  description: All that Prefect knows to declare.
  entrypoint: flows.import_file.import_file
  tags: [a, b]
  version: "7"
  parameters: {definition: things, validate_only: true}
  enforce_parameter_schema: false
  concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}
  schedules:
  - {cron: 17 3 * * *, timezone: Europe/Berlin, slug: nightly, parameters: {source: night.csv}}
  - {interval: 3600, anchor_date: "2026-01-01T00:00:00Z", active: false}
  - {rrule: FREQ=WEEKLY, timezone: UTC}
  triggers:
  - type: event
    name: dropped
    expect: [lading.file.dropped]
    match: {prefect.resource.id: "lading.file.*"}
    parameters: {source: "{{ event.payload.source }}"}
  work_pool: {name: everything}
- name: plain
  entrypoint: flows.purge.purge
  work_pool: {name: everything}
"""

OF_THE_CHECKOUT = {
    "import-file/ad-hoc": (8, "ENQUEUE", 2),
    "import-file/scheduled": (4, "ENQUEUE", 2),
    "import-file/dropped": (4, "ENQUEUE", 2),
    "purge/daily": (1, "CANCEL_NEW", 2),
}
"""Name → how many of its runs go on at once, what becomes of one more, and how many tags it has."""


def command(*words, folder):
    environment = {name: value for name, value in os.environ.items() if name != "LADING_HOME"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_by_hand(*words, folder):
    """The id of the run that `prefect deployment run` tells of."""
    told = command(*PREFECT, "deployment", "run", *words, folder=folder)
    return UUID(re.search(r"UUID: (\S+)", told)[1])


def task_runs_and_artifacts(run_id):
    """What Prefect's API lists of the run: task runs in their order, keys of artifacts."""
    with get_client(sync_client=True) as client:
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])))
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return [task.name for task in sorted(tasks, key=lambda t: t.start_time)], {a.key for a in artifacts}


@pytest.fixture(scope="module")
def deployed(prefect_api):
    """The deployments of the checkout, as `prefect deploy` registers them."""
    assert os.environ["PREFECT_API_URL"] == prefect_api
    command(*PREFECT, "work-pool", "create", "lading", "--type", "process", folder=ROOT)
    command(*PREFECT, "--no-prompt", "deploy", "--all", folder=ROOT)


@pytest.mark.slow
@pytest.mark.usefixtures("deployed")
def test_worker_imports_into_and_purges_the_home_of_the_folder_it_was_started_in(tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    shutil.copy(ROOT / "examples" / "earthquakes.csv", tmp_path)
    home = tmp_path / ".lading"
    definition = str(ROOT / "examples" / "earthquakes.yaml")
    command(sys.executable, "-m", "cli.start", "apply", definition, "--home", str(home), folder=tmp_path)
    of_file = ["-p", "source=../earthquakes.csv", "-p", "definition=earthquakes"]
    imported = run_by_hand("import-file/ad-hoc", *of_file, folder=tmp_path)
    purged = run_by_hand("purge/daily", folder=tmp_path)
    worker = [*PREFECT, "worker", "start", "--pool", "lading", "--run-once"]
    command(*worker, folder=below)
    with Store.opened(Settings(home=home)) as store, store.read() as session:
        (job,) = page_of_jobs(session, "local", JobFilter(), limit=10)
    assert (job.state, job.created, job.failed) == (JobState.FINISHED, 23_409, 3)
    names, artifacts = task_runs_and_artifacts(imported)
    assert names == ["upload", "validate", "import 1/1", "poll", "report"]
    assert artifacts == {f"progress-{job.id}", f"summary-{job.id}"}
    assert task_runs_and_artifacts(purged) == (["purge"], set())


def registered(*names):
    """What Prefect's API tells of these deployments, and of what triggers made."""
    same = {
        "name",
        "description",
        "tags",
        "version",
        "parameters",
        "enforce_parameter_schema",
        "entrypoint",
        "parameter_openapi_schema",
        "concurrency_options",
    }
    with get_client(sync_client=True) as client:
        found = client.read_deployments(
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=list(names)))
        )
        deployments = [
            deployment.model_dump(mode="json", include=same)
            # Where none is declared, each makes one up: of the commit, or of the code.
            | ({} if deployment.name == "everything" else {"version": None})
            | {
                "limit": deployment.global_concurrency_limit and deployment.global_concurrency_limit.limit,
                "schedules": sorted(
                    str(schedule.model_dump(mode="json", include={"schedule", "active", "parameters", "slug"}))
                    for schedule in deployment.schedules
                ),
            }
            for deployment in found
        ]
        automations = client.request("POST", "/automations/filter", json={}).json()
    ids = {str(deployment.id) for deployment in found}
    of_triggers = [
        (made["name"], made["trigger"], made["actions"])
        for made in automations
        if made["actions"][0]["deployment_id"] in ids
    ]
    return sorted(deployments, key=lambda made: made["name"]), without_ids(of_triggers)


def without_ids(value):
    if isinstance(value, dict):
        return {key: without_ids(below) for key, below in value.items() if key != "id"}
    return [without_ids(below) for below in value] if isinstance(value, list | tuple) else value


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_api")
def test_the_runner_registers_what_prefect_deploy_does(tmp_path):
    path = tmp_path / "prefect.yaml"
    path.write_text(EVERYTHING)
    command(*PREFECT, "work-pool", "create", "everything", "--type", "process", folder=tmp_path)
    command(*PREFECT, "--no-prompt", "deploy", "--all", folder=tmp_path)
    by_prefect = registered("everything", "plain")
    for deployment in asyncio.run(declared_deployments(path)):
        deployment.apply()
    assert registered("everything", "plain") == by_prefect
    deployments, automations = by_prefect
    assert [(made["name"], len(made["schedules"])) for made in deployments] == [("everything", 3), ("plain", 0)]
    assert [name for name, _, _ in automations] == ["dropped"]


def test_what_a_runner_does_not_know_is_refused(tmp_path):
    path = tmp_path / "prefect.yaml"
    path.write_text(EVERYTHING.replace("description:", "sla:"))
    with pytest.raises(ValidationError, match="sla"):
        asyncio.run(declared_deployments(path))


def test_without_the_file_the_service_says_where_it_runs_from(tmp_path):
    with pytest.raises(FatalError, match="`lading serve` runs from a checkout"):
        asyncio.run(declared_deployments(tmp_path / "prefect.yaml"))


def test_the_deployments_of_the_checkout_are_declared_for_a_runner():
    made = {f"{made.flow_name}/{made.name}": made for made in asyncio.run(declared_deployments())}
    assert made.keys() == OF_THE_CHECKOUT.keys()
    assert made["import-file/ad-hoc"].entrypoint == "flows.import_file.import_file"
    (schedule,) = made["purge/daily"].schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("17 3 * * *", "UTC")


@pytest.mark.slow
@pytest.mark.usefixtures("deployed")
def test_a_checkout_registers_every_way_to_start_by_prefect_deploy_and_by_the_runner_alike():
    names = [name.partition("/")[2] for name in OF_THE_CHECKOUT]
    by_prefect = registered(*names)
    limits = {
        made["name"]: (made["limit"], made["concurrency_options"]["collision_strategy"], len(made["tags"]))
        for made in by_prefect[0]
    }
    assert limits == {name.partition("/")[2]: declared for name, declared in OF_THE_CHECKOUT.items()}
    assert all(made["description"] and made["enforce_parameter_schema"] for made in by_prefect[0])
    for deployment in asyncio.run(declared_deployments()):
        deployment.apply()
    assert registered(*names) == by_prefect


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
