"""The flow `import-job`: brings a job that is in the store already to its end, as Prefect shows it."""

from contextlib import suppress
from typing import Any

from prefect import State, flow
from prefect.states import Crashed

from flows.engine import through_engine
from flows.job_runs import adopt_run, ask_for_end, conclusion
from flows.lifecycle import bring_to_end, work_on
from schemas.errors import NotFoundError, ProcessEndsError
from schemas.settings import Settings
from store.database import Store
from tasks.kept_bytes import kept_upload


@flow(name="import-job", on_cancellation=[ask_for_end], persist_result=False)
def import_job(job_id: str, epoch: int | None = None) -> str | State[Any]:
    """Bring a job to its end: its bytes are there, they are validated, imported, polled and reported.

    Args:
        job_id: Id of the job.
        epoch: Of the lease under which the caller holds the job; without one, the flow takes the lease.

    Returns:
        The id of the job, which knows what became of every row.

    Raises:
        JobUnsuccessfulError: the job ended invalid or failed.
    """
    settings = Settings()
    adopt_run(settings, job_id)
    # What becomes of a job whose bytes are gone is decided where they are needed.
    with suppress(NotFoundError):
        through_engine(kept_upload, settings, job_id)
    try:
        if epoch is None:
            bring_to_end(through_engine, settings, job_id)
        else:
            with Store.opened(settings) as store:
                work_on(through_engine, settings, store, job_id, epoch)
    except ProcessEndsError as error:
        return Crashed(message=str(error))
    return conclusion(settings, job_id)
