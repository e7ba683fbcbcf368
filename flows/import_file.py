"""The flow `import-file`: one file, from upload to report, as Prefect shows and schedules it."""

from typing import Annotated, Any

from prefect import State, flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from flows.dropped import import_dropped
from flows.engine import through_engine
from flows.job_runs import adopt_run, ask_for_end, conclusion
from flows.lifecycle import accept, bring_to_end
from flows.several_files import SKIPPED, import_each
from schemas.definition import Mode
from schemas.import_request import ImportRequest
from schemas.principal import TENANT_PATTERN
from schemas.settings import Settings
from tasks.sources import is_pattern


def _run_name() -> str:
    """The file's, or that of the definition whose own source is meant."""
    parameters = flow_run.parameters
    source = (parameters.get("source") or "").partition("?")[0].rstrip("/")
    return source.rpartition("/")[2] or str(parameters["definition"])


@flow(name="import-file", flow_run_name=_run_name, on_cancellation=[ask_for_end], persist_result=False)
def import_file(  # noqa: PLR0913, PLR0917 - each is a field of the form that Prefect shows
    source: Annotated[str, Field(pattern=r"\S")] | None,
    definition: Annotated[str, Field(min_length=1)],
    mode: Mode | None = None,
    validate_only: bool = False,
    definition_version: Annotated[int, Field(ge=1)] | None = None,
    tenant: Annotated[str, Field(pattern=TENANT_PATTERN)] | None = None,
    only_changed: bool = False,
    drop_id: str | None = None,
) -> str | State[Any]:
    """Import a file: upload, validate, import, poll, report. Several files are a run each.

    The same file that was interrupted before is taken up where it stopped.

    Args:
        source: A path on the machine where the flow runs, or a URL: https, http, ftp, sftp, s3. A path may be a
            pattern (*.csv) for several files. None takes the source that the definition names.
        definition: Name of a stored definition; `lading definitions` lists them.
        mode: Instead of the definition's own mode.
        validate_only: Check every row, write nothing.
        definition_version: Of the definition; the newest where none is named.
        tenant: Whose definition it is, and whose rules hold; the operator's own where none is named.
        only_changed: Leave a file alone whose content is what was imported last with this definition.
        drop_id: Of a file that was dropped in a watched folder, which `source` then only names. Not for people.

    Returns:
        The id of the job, which knows what became of every row.

    Raises:
        JobUnsuccessfulError: the job ended invalid or failed.
    """
    settings = Settings()
    if drop_id is not None:
        return import_dropped(settings, drop_id, mode, validate_only)
    request = ImportRequest(source, definition, mode, validate_only, definition_version, tenant, only_changed)
    if is_pattern(settings, request):
        return import_each(settings, request, import_file)
    taken = accept(through_engine, settings, request)
    if taken.skipped is not None:
        get_run_logger().info("skipped: %s", taken.skipped)
        return Completed(name=SKIPPED, message=taken.skipped)
    adopt_run(settings, taken.job_id)
    bring_to_end(through_engine, settings, taken.job_id)
    return conclusion(settings, taken.job_id)
