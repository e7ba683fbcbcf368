import sqlite3
import threading
import time
from contextlib import closing

import pytest
from prefect import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateName,
)
from prefect.states import StateType

from flows.import_file import import_file
from schemas.connection import ConnectionDocument
from schemas.errors import NotFoundError
from store.connections import put_connection
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from tests.tasks import scripted_vendor

pytestmark = pytest.mark.slow


@pytest.fixture
def home(settings, earthquakes, make_definition, monkeypatch):
    """A home that the flow finds in its environment, and that knows two definitions."""
    monkeypatch.setenv("LADING_HOME", str(settings.home))
    monkeypatch.setenv("LADING_SEGMENT_ROWS", "10000")
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, "local", earthquakes)
        put_definition(session, "local", make_definition())
    return settings


def runs_of(state):
    """The flow run, its task runs in the order in which they started, and its artifacts."""
    run_id = state.state_details.flow_run_id
    with get_client(sync_client=True) as client:
        only = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
        tasks = sorted(client.read_task_runs(flow_run_filter=only), key=lambda run: run.start_time)
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
        return client.read_flow_run(run_id), tasks, artifacts


@pytest.mark.usefixtures("prefect_api")
def test_a_run_shows_its_stages_its_artifacts_and_what_it_imported(home, examples):
    state = import_file(str(examples / "earthquakes.csv"), "earthquakes", return_state=True)
    run, tasks, artifacts = runs_of(state)
    job_id = state.result()
    assert state.type is StateType.COMPLETED
    assert run.name == "earthquakes.csv"
    assert set(run.tags) == {"definition:earthquakes", f"job:{job_id}"}
    assert [task.name for task in tasks] == [
        "upload",
        "validate",
        "import 1/3",
        "import 2/3",
        "import 3/3",
        "poll",
        "report",
    ]
    assert {task.state.type for task in tasks} == {StateType.COMPLETED}
    summary = next(artifact for artifact in artifacts if artifact.key == f"summary-{job_id}")
    assert "| created | 23,409 |" in summary.data
    assert "1975-02-23T02:58:41.000Z" in summary.data
    assert {artifact.data for artifact in artifacts if artifact.key == f"progress-{job_id}"} >= {100.0}
    with Store.opened(home) as store, store.read() as session:
        assert get_job(session, job_id).created == 23_409


@pytest.mark.usefixtures("prefect_api")
def test_a_run_to_a_vendor_shows_the_same_stages_and_where_the_vendor_shows_the_import(
    home, tmp_path, make_definition
):
    (tmp_path / "things.csv").write_text("Id,Name,Amount\na,Ann,1\nb,Bob,2\n")
    with scripted_vendor.standing() as vendor, scripted_vendor.known():
        document = ConnectionDocument(name="box", connector=scripted_vendor.NAME, url=vendor.url)
        with Store.opened(home) as store, store.write() as session:
            put_connection(session, "local", document, {})
            put_definition(session, "local", make_definition(destination={"connection": "box", "box": "b1"}))
        state = import_file(str(tmp_path / "things.csv"), "things", return_state=True)
        _, tasks, artifacts = runs_of(state)
        assert vendor.imported() == ["a", "b"]
    assert [task.name for task in tasks] == [
        "upload",
        "validate",
        "import by a vendor",
        "poll the vendor",
        "poll",
        "report",
    ]
    assert {task.state.type for task in tasks} == {StateType.COMPLETED}
    shown = {artifact.key: artifact.data for artifact in artifacts}
    assert f"{vendor.url}/see/1" in shown[f"vendor-{state.result()}"]
    assert "the vendor counts 2 created" in shown[f"summary-{state.result()}"]


@pytest.mark.usefixtures("prefect_api", "home")
def test_a_job_that_ends_badly_is_a_failed_run_that_says_why(tmp_path):
    (tmp_path / "wrong.csv").write_text("Name,Amount\nA,1\n")
    state = import_file(str(tmp_path / "wrong.csv"), "things", return_state=True)
    _, tasks, _ = runs_of(state)
    assert state.type is StateType.FAILED
    assert "is invalid: 1 required column is missing: 'Id'" in state.message
    assert [task.name for task in tasks] == ["upload", "validate", "report"]


@pytest.mark.usefixtures("prefect_api", "home")
def test_an_unknown_definition_fails_the_run_before_there_is_a_job(examples):
    state = import_file(str(examples / "earthquakes.csv"), "nothing", return_state=True)
    assert state.type is StateType.FAILED
    with pytest.raises(NotFoundError, match="'nothing'; known: earthquakes, things"):
        state.result()


def hold_until_a_retry_is_awaited(path, held):
    """Keeps the database locked until Prefect says that a task waits to be tried again."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other, get_client(sync_client=True) as client:
        other.execute("BEGIN IMMEDIATE")
        held.set()
        awaiting = TaskRunFilter(state=TaskRunFilterState(name=TaskRunFilterStateName(any_=["AwaitingRetry"])))
        while not client.read_task_runs(task_run_filter=awaiting):
            time.sleep(0.05)
        other.execute("ROLLBACK")


@pytest.mark.usefixtures("prefect_api")
def test_a_stage_that_met_a_locked_table_is_tried_again_by_prefect(home, tmp_path, monkeypatch):
    (tmp_path / "things.csv").write_text("Id,Name,Amount\na,A,1\n")
    import_file(str(tmp_path / "things.csv"), "things")
    (tmp_path / "things.csv").write_text("Id,Name,Amount\na,A,2\n")
    monkeypatch.setenv("LADING_BUSY_TIMEOUT_SECONDS", "0.05")
    held = threading.Event()
    holder = threading.Thread(target=hold_until_a_retry_is_awaited, args=(home.table_path("local"), held))
    holder.start()
    assert held.wait(10)
    state = import_file(str(tmp_path / "things.csv"), "things", return_state=True)
    holder.join()
    _, tasks, _ = runs_of(state)
    assert state.type is StateType.COMPLETED
    assert [(task.name, task.run_count > 1) for task in tasks if task.name.startswith("import")] == [
        ("import 1/1", True)
    ]
    with Store.opened(home) as store, store.read() as session:
        assert get_job(session, state.result()).updated == 1
