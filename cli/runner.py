"""The one place of the command line that brings Prefect in: after its home is set, and only to run stages."""

from collections.abc import Callable

from cli.stopping import job_at_stake
from flows.prefect_home import isolate
from flows.prefect_server import prefect_server
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from tasks.sweep import Purged


def run_import(settings: Settings, request: ImportRequest, *, as_flow: bool, say: Callable[[str], None]) -> str:
    """Import one file, as a Prefect flow or without Prefect's engine; gives the job's id."""
    if as_flow or settings.prefect_api_url is not None:
        # The server starts while Prefect is imported: both take seconds.
        with prefect_server(settings, say):
            from flows import run

            with job_at_stake():
                return run.import_as_flow(request)
    isolate(settings)
    from flows import run

    with job_at_stake():
        return run.import_directly(settings, request)


def resume(settings: Settings, job_id: str) -> None:
    """Bring an interrupted job to its end."""
    isolate(settings)
    from flows import run

    with job_at_stake():
        run.resume(settings, job_id)


def abandon(settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`."""
    isolate(settings)
    from flows import run

    with job_at_stake():
        run.abandon(settings, job_id)


def purge(settings: Settings, *, dry_run: bool) -> Purged:
    """Remove what has had its time."""
    isolate(settings)
    from tasks.purge import purge_home

    return purge_home(settings, dry_run=dry_run)
