"""How this process runs an import as a Prefect flow of its own."""

from dataclasses import asdict
from typing import Any

from prefect import State, get_client

from flows.engine import prefect_may_fail
from flows.import_file import import_file
from flows.job_runs import job_of
from schemas.errors import JobUnsuccessfulError
from schemas.import_request import ImportRequest


def import_as_flow(request: ImportRequest) -> str:
    """Import the file as a run of the flow `import-file`; gives the job's id, however the job ended.

    The flow takes its home and Prefect's address from the environment.

    Raises:
        RetriableError: Prefect itself failed; the job stays where it is.
    """
    with prefect_may_fail("ran the import"):
        try:
            state: State[Any] = import_file(**asdict(request), return_state=True)
            if state.is_cancelled() and (cancelled := _job_of_run(state)) is not None:
                return cancelled
            job_id: str = state.result()
        except JobUnsuccessfulError as error:
            return error.job_id
        return job_id


def _job_of_run(state: State[Any]) -> str | None:
    run_id = state.state_details.flow_run_id
    if run_id is None:
        return None
    with get_client(sync_client=True) as client:
        return job_of(client.read_flow_run(run_id))
