"""What the flow `import-file` does with a file that was dropped into a watched folder."""

from typing import Any

from prefect import State
from prefect.states import Completed

from flows.engine import through_engine
from flows.job_runs import adopt_run, conclusion
from flows.lifecycle import bring_to_end
from schemas.definition import Mode
from schemas.settings import Settings
from tasks.dropped_upload import upload_dropped


def import_dropped(
    settings: Settings, drop_id: str, mode: Mode | None, validate_only: bool
) -> str | State[Any]:
    """Import the file of this drop, unless another run began to: Prefect may be told of a file twice.

    Raises:
        JobUnsuccessfulError: the job ended invalid or failed.
    """
    accepted = through_engine(upload_dropped, settings, drop_id, mode, validate_only)
    if not accepted.is_new:
        # Where that run lost its process, a worker goes on with the job.
        return Completed(message=f"job {accepted.job_id} imports this file; another run began it")
    adopt_run(settings, accepted.job_id)
    bring_to_end(through_engine, settings, accepted.job_id)
    return conclusion(settings, accepted.job_id)
