"""Prefect's runs of jobs: whose a run is, how it ends, and what becomes of one whose process is gone.

Prefect's state is a view; the job store is the truth.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect import Flow, State, get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.states import Cancelled, Completed, Crashed, Failed

from flows.engine import prefect_may_fail
from schemas.clock import utc_now
from schemas.errors import ConflictError, JobUnsuccessfulError, NotFoundError
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import definition_of
from store.jobs import get_job, request_cancel, set_flow_run
from store.tables import Job
from store.uploads import get_upload

FLOWS = ["import-file", "import-job"]
RUNS_AT_ONCE = 200
SETTLED_AFTER = timedelta(seconds=10)
"""So long after its job was reported a run has had time to end by itself."""
_JOB_TAG = "job:"


@dataclass(frozen=True)
class RunLabels:
    """What tells people whose a run is.

    Attributes:
        name: of the file.
    """

    name: str
    tags: list[str]


def labels_of(store: Store, job_id: str) -> RunLabels:
    """How a run of this job is called and tagged.

    Raises:
        NotFoundError: there is no such job.
    """
    with store.read() as session:
        job = get_job(session, job_id)
        definition = definition_of(session, job.definition_id).name
        name = get_upload(session, job.upload_id).file_name
    return RunLabels(name, [f"definition:{definition}", f"{_JOB_TAG}{job_id}"])


def job_of(run: FlowRun) -> str | None:
    """The id of the run's job; None where it has none yet."""
    tagged = (tag.removeprefix(_JOB_TAG) for tag in run.tags if tag.startswith(_JOB_TAG))
    job_id: str | None = next(tagged, None) or (run.parameters or {}).get("job_id")
    return job_id


def adopt_run(settings: Settings, job_id: str) -> None:
    """Make the flow run that is running the job's: tagged, and noted in the store.

    An earlier run of the job that Prefect takes for running still has lost its process: it is marked Crashed.

    Raises:
        NotFoundError: there is no such job.
        RetriableError: Prefect itself failed.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("only a running flow can adopt its run")
    run = context.flow_run
    with Store.opened(settings) as store:
        tags = labels_of(store, job_id).tags
        with store.write() as session:
            before = set_flow_run(session, job_id, str(run.id))
    with prefect_may_fail("tagged the run"), get_client(sync_client=True) as client:
        if not set(tags) <= set(run.tags):
            client.update_flow_run(run.id, tags=sorted({*run.tags, *tags}))
        if before is not None:
            _give_up(client, UUID(before))


def conclusion(settings: Settings, job_id: str) -> str | State[Any]:
    """What the flow returns of a job that has come to its end: its id, or that it was cancelled.

    Raises:
        JobUnsuccessfulError: it neither finished nor was cancelled.
    """
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
    if job.state is JobState.FINISHED:
        return job_id
    said = f"job {job_id} is {job.state.value}: {job.error_message or 'see the job'}"
    if job.state is JobState.CANCELLED:
        return Cancelled(message=said)
    raise JobUnsuccessfulError(job_id, said)


def ask_for_end(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """The hook of both flows: what was cancelled at Prefect ends in the store as well.

    A runner calls it for every run whose process it ends, also when it is the runner that ends: then the
    job is to go on, and Prefect has not been told to cancel it.
    """
    del flow, state  # as old as the moment in which the run began
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(flow_run.id)
        if run.state is not None and run.state.type in {StateType.CANCELLING, StateType.CANCELLED}:
            with Store.opened(Settings()) as store:
                _request_ends(client, store, run)


def pass_on_cancelling(client: SyncPrefectClient, store: Store) -> None:
    """Ask for the end of the jobs whose runs Prefect was told to cancel."""
    for run in _runs_in(client, StateType.CANCELLING):
        _request_ends(client, store, run)


def _request_ends(client: SyncPrefectClient, store: Store, run: FlowRun) -> None:
    """Ask for the end of the run's job; of a run of several files, each a run below it, of their jobs."""
    request_end(store, job_of(run))
    if job_of(run) is None:
        below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]))
        for file_run in client.read_flow_runs(flow_run_filter=below, limit=RUNS_AT_ONCE):
            request_end(store, job_of(file_run))


def request_end(store: Store, job_id: str | None) -> None:
    """Ask for the end of a run's job; harmless where there is none, or none that is under way."""
    if job_id is not None:
        with suppress(NotFoundError, ConflictError), store.write() as session:
            request_cancel(session, job_id)


def conclude_left(client: SyncPrefectClient, store: Store, ours: Collection[str]) -> None:
    """Give a final state to runs that lost their process before they could tell Prefect of their end.

    Args:
        ours: ids of the jobs that this process works on.
    """
    for run in _runs_in(client, StateType.RUNNING, StateType.CANCELLING):
        job_id = job_of(run)
        if job_id is None or job_id in ours:
            continue
        with suppress(NotFoundError), store.read() as session:
            state = _left_state(get_job(session, job_id), run)
            if state is not None:
                client.set_flow_run_state(run.id, state, force=True)


def _left_state(job: Job, run: FlowRun) -> State[Any] | None:
    """How a run ended that Prefect takes for running; None where it may be running."""
    if job.flow_run_id != str(run.id):
        return Crashed(message=f"its process is gone; another run brings job {job.id} to its end")
    if job.reported_at is None or job.reported_at > utc_now() - SETTLED_AFTER:
        return None
    said = f"job {job.id} is {job.state.value}"
    if job.state is JobState.FINISHED:
        return Completed(message=said)
    return Cancelled(message=said) if job.state is JobState.CANCELLED else Failed(message=said)


def _runs_in(client: SyncPrefectClient, *states: StateType) -> list[FlowRun]:
    return client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=FLOWS)),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))),
        limit=RUNS_AT_ONCE,
    )


def _give_up(client: SyncPrefectClient, run_id: UUID) -> None:
    run = client.read_flow_run(run_id)
    if run.state is not None and not run.state.is_final():
        said = "its process is gone; another run brings its job to its end"
        client.set_flow_run_state(run_id, Crashed(message=said), force=True)
