"""The flow `import-file`: one file, from upload to report, as Prefect shows and schedules it."""

from pathlib import Path

from prefect import flow, get_client
from prefect.runtime import flow_run

from flows.engine import through_engine
from flows.lifecycle import accept, bring_to_end
from schemas.definition import Mode
from schemas.errors import JobUnsuccessfulError
from schemas.import_request import ImportRequest
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job


def _run_name() -> str:
    return Path(flow_run.parameters["source"]).name


@flow(name="import-file", flow_run_name=_run_name)
def import_file(
    source: str,
    definition: str,
    mode: Mode | None = None,
    validate_only: bool = False,
    definition_version: int | None = None,
) -> str:
    """Import one file: upload, validate, import, poll, report.

    The same file that was interrupted before is taken up where it stopped.

    Args:
        source: Path of the file on the machine where the flow runs.
        definition: Name of a stored definition; `lading definitions` lists them.
        mode: Instead of the definition's own mode.
        validate_only: Check every row, write nothing.
        definition_version: Of the definition; the newest where none is named.

    Returns:
        The id of the job, which knows what became of every row.

    Raises:
        JobUnsuccessfulError: the job ended invalid, failed or cancelled.
    """
    settings = Settings()
    request = ImportRequest(source, definition, mode, validate_only, definition_version)
    job_id = accept(through_engine, settings, request)
    _tag_run(definition, job_id)
    bring_to_end(through_engine, settings, job_id)
    return concluded(settings, job_id)


def concluded(settings: Settings, job_id: str) -> str:
    """The job's id, if it finished.

    Raises:
        JobUnsuccessfulError: it did not.
    """
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
    if job.state is not JobState.FINISHED:
        reason = job.error_message or "see the job"
        raise JobUnsuccessfulError(job_id, f"job {job_id} is {job.state.value}: {reason}")
    return job_id


def _tag_run(definition: str, job_id: str) -> None:
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(flow_run.id)
        tags = sorted({*run.tags, f"definition:{definition}", f"job:{job_id}"})
        client.update_flow_run(run.id, tags=tags)
