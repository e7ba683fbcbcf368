"""The flow `import-file`: one file, from upload to report, as Prefect shows and schedules it."""

from pathlib import Path
from typing import Any

from prefect import State, flow
from prefect.runtime import flow_run

from flows.dropped import import_dropped
from flows.engine import through_engine
from flows.job_runs import adopt_run, ask_for_end, conclusion
from flows.lifecycle import accept, bring_to_end
from schemas.definition import Mode
from schemas.import_request import ImportRequest
from schemas.settings import Settings


def _run_name() -> str:
    return Path(flow_run.parameters["source"]).name


@flow(name="import-file", flow_run_name=_run_name, on_cancellation=[ask_for_end], persist_result=False)
def import_file(
    source: str,
    definition: str,
    mode: Mode | None = None,
    validate_only: bool = False,
    definition_version: int | None = None,
    drop_id: str | None = None,
) -> str | State[Any]:
    """Import one file: upload, validate, import, poll, report.

    The same file that was interrupted before is taken up where it stopped.

    Args:
        source: Path of the file on the machine where the flow runs.
        definition: Name of a stored definition; `lading definitions` lists them.
        mode: Instead of the definition's own mode.
        validate_only: Check every row, write nothing.
        definition_version: Of the definition; the newest where none is named.
        drop_id: Of a file that was dropped in a watched folder, which `source` then only names. Not for people.

    Returns:
        The id of the job, which knows what became of every row.

    Raises:
        JobUnsuccessfulError: the job ended invalid or failed.
    """
    settings = Settings()
    if drop_id is not None:
        return import_dropped(settings, drop_id, mode, validate_only)
    request = ImportRequest(source, definition, mode, validate_only, definition_version)
    job_id = accept(through_engine, settings, request)
    adopt_run(settings, job_id)
    bring_to_end(through_engine, settings, job_id)
    return conclusion(settings, job_id)
