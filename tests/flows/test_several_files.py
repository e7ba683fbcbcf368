"""A pattern is a run, with a run below it for each file, on a real server of Prefect's."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
)
from prefect.states import Cancelling

from flows.import_file import import_file
from flows.job_runs import job_of, pass_on_cancelling
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import get_job
from store.uploads import get_upload

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def home(settings, make_definition, monkeypatch):
    monkeypatch.setenv("LADING_HOME", str(settings.home))
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, "local", make_definition())
    return settings


def runs_below(state):
    """The runs of the files, oldest first, and the names of the tasks of the run above them."""
    run_id = state.state_details.flow_run_id
    with get_client(sync_client=True) as client:
        below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run_id]))
        runs = client.read_flow_runs(flow_run_filter=below)
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])))
    return sorted(runs, key=lambda run: run.start_time), [task.name for task in tasks]


def file_names(settings):
    with Store.opened(settings) as store, store.read() as session:
        jobs = page_of_jobs(session, "local", JobFilter(), limit=10)
        return [get_upload(session, job.upload_id).file_name for job in jobs]


@pytest.mark.usefixtures("prefect_api")
def test_each_file_is_a_job_in_order_of_name_and_one_that_fails_does_not_stop_the_others(home, tmp_path):
    for name, rows in (("c.csv", "Id,Name\nc,C\n"), ("a.csv", "Id,Name\na,A\n"), ("b.csv", "Name\nB\n")):
        (tmp_path / name).write_text(rows)
    pattern = f"file://{tmp_path}/*.csv"
    state = import_file(pattern, "things", only_changed=True, return_state=True)
    runs, tasks = runs_below(state)
    assert [(run.name, run.state.type.value) for run in runs] == [
        ("a.csv", "COMPLETED"),
        ("b.csv", "FAILED"),
        ("c.csv", "COMPLETED"),
    ]
    assert "list" in tasks
    assert state.type.value == "FAILED"
    said = f"3 files: 2 imported, 1 failed; file://{tmp_path}/b.csv: Flow run encountered an exception"
    assert state.message.startswith(said)
    assert "1 required column is missing: 'Id'" in state.message
    assert set(file_names(home)) == {"a.csv", "b.csv", "c.csv"}
    again = import_file(pattern, "things", only_changed=True, return_state=True)
    assert (again.type.value, again.name, again.message) == ("COMPLETED", "Skipped", "3 files: 3 unchanged")
    (tmp_path / "b.csv").write_text("Id,Name\nb,B\n")
    better = import_file(pattern, "things", only_changed=True, return_state=True)
    assert (better.name, better.message) == ("Completed", "3 files: 1 imported, 2 unchanged")


@pytest.mark.usefixtures("prefect_api")
def test_one_file_that_is_as_it_was_is_a_run_that_says_so(home, tmp_path):
    (tmp_path / "a.csv").write_text("Id,Name\na,A\n")
    first = import_file(str(tmp_path / "a.csv"), "things", only_changed=True, return_state=True)
    state = import_file(str(tmp_path / "a.csv"), "things", only_changed=True, return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Skipped")
    assert state.message == f"the content is the same as that of job {first.result()}; nothing is to be done"
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(state.state_details.flow_run_id).state.name == "Skipped"
    assert file_names(home) == ["a.csv"]


@pytest.mark.usefixtures("prefect_api")
def test_to_cancel_the_run_of_a_pattern_is_to_cancel_the_jobs_of_its_files(home, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("Id,Name\na,A\n")
    monkeypatch.setattr("flows.import_file.bring_to_end", cancel_above)
    state = import_file(f"{tmp_path}/*.csv", "things", return_state=True)
    ((run,), _) = runs_below(state)
    with Store.opened(home) as store, store.read() as session:
        assert get_job(session, job_of(run)).cancel_requested_at is not None


def cancel_above(_call, settings, job_id):
    """In place of the work on a file: has its run's parent cancelled, as Prefect's UI does."""
    with get_client(sync_client=True) as client, Store.opened(settings) as store:
        with store.read() as session:
            run = client.read_flow_run(get_job(session, job_id).flow_run_id)
        above = client.read_task_run(run.parent_task_run_id).flow_run_id
        client.set_flow_run_state(above, Cancelling(), force=True)
        pass_on_cancelling(client, store)
