"""The one place of the command line that brings Prefect in: after its home is set, and only to run a flow."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.serve.serving import now_serving
from cli.stopping import job_at_stake
from flows import run
from schemas.errors import FatalError
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store

if TYPE_CHECKING:
    from flows.deployment_keeper import Kept

ANSWER_SECONDS = 2.0
"""A service that is busy for longer is done without: the import matters more than its picture."""


def run_import(settings: Settings, request: ImportRequest, *, as_flow: bool, say: Callable[[str], None]) -> str:
    """Import one file, as a Prefect flow or without Prefect; gives the job's id.

    Where a service of this home is up, its Prefect server shows the run.
    """
    settings = _with_service(settings)
    if as_flow or settings.prefect_api_url is not None:
        from flows.prefect_server import prefect_server

        # The server starts while Prefect is imported: both take seconds.
        with prefect_server(settings, say):
            from flows.run_as_flow import import_as_flow

            with job_at_stake():
                return import_as_flow(request)
    with job_at_stake():
        return run.import_directly(settings, request)


def sync_schedules(settings: Settings) -> "Kept":
    """Make the schedules and forms of the Prefect server in use fit the definitions.

    Raises:
        FatalError: there is no server in use.
    """
    settings = _with_service(settings)
    if settings.prefect_api_url is None:
        raise FatalError("no Prefect server is in use: start `lading serve`, or set LADING_PREFECT_API_URL")
    from flows.prefect_server import prefect_server

    with prefect_server(settings, lambda _: None), Store.opened(settings) as store:
        from flows.deployment_keeper import keep_in_step

        return keep_in_step(store)


def _with_service(settings: Settings) -> Settings:
    """The same, with the Prefect server of the service that is up over the home, if it answers."""
    if settings.prefect_api_url is not None:
        return settings
    serving = now_serving(settings)
    if serving is None:
        return settings
    from flows.prefect_server import answers

    if not answers(serving.prefect_api, ANSWER_SECONDS):
        return settings
    return settings.model_copy(update={"prefect_api_url": serving.prefect_api})


def resume(settings: Settings, job_id: str) -> None:
    """Bring an interrupted job to its end."""
    with job_at_stake():
        run.resume(settings, job_id)


def abandon(settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`."""
    with job_at_stake():
        run.abandon(settings, job_id)
