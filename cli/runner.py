"""The one place of the command line that brings Prefect in: after its home is set, and only to run a flow."""

from collections.abc import Callable

from cli.stopping import job_at_stake
from flows import run
from schemas.import_request import ImportRequest
from schemas.settings import Settings


def run_import(settings: Settings, request: ImportRequest, *, as_flow: bool, say: Callable[[str], None]) -> str:
    """Import one file, as a Prefect flow or without Prefect; gives the job's id."""
    if as_flow or settings.prefect_api_url is not None:
        from flows.prefect_server import prefect_server

        # The server starts while Prefect is imported: both take seconds.
        with prefect_server(settings, say):
            from flows.run_as_flow import import_as_flow

            with job_at_stake():
                return import_as_flow(request)
    with job_at_stake():
        return run.import_directly(settings, request)


def resume(settings: Settings, job_id: str) -> None:
    """Bring an interrupted job to its end."""
    with job_at_stake():
        run.resume(settings, job_id)


def abandon(settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`."""
    with job_at_stake():
        run.abandon(settings, job_id)
