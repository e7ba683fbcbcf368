"""The one place of the command line that brings Prefect in: after its home is set, and only to run a flow."""

from functools import partial
from typing import TYPE_CHECKING

from cli.serve.serving import Serving, now_serving
from cli.stopping import GOES_ON, job_at_stake
from cli.watch import Watcher
from flows import run
from flows.handing_over import await_end, hand_over_file
from schemas.authority import refers_to_environment
from schemas.definition import Definition
from schemas.errors import FatalError
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store
from store.databases import resolved

if TYPE_CHECKING:
    from flows.deployment_keeper import Kept

ANSWER_SECONDS = 2.0
"""A service that is busy for longer is done without: the import matters more than its picture."""


def run_import(
    settings: Settings, request: ImportRequest, definition: Definition, *, as_flow: bool, watcher: Watcher
) -> str:
    """Import one file, as a Prefect flow or without Prefect; gives the job's id.

    Where a service of this home is up its worker does it, unless a secret of the definition stands in the
    environment of this process.
    """
    serving = None if as_flow or settings.prefect_api_url is not None else _service(settings)
    if serving is not None and not _has_secret_here(settings, definition):
        return _import_by_worker(settings, request, watcher)
    if serving is not None:
        settings = settings.model_copy(update={"prefect_api_url": serving.prefect_api})
    if as_flow or settings.prefect_api_url is not None:
        return _import_as_flow(settings, request, watcher)
    with job_at_stake():
        return run.import_directly(settings, request)


def sync_schedules(settings: Settings) -> "Kept":
    """Make the schedules and forms of the Prefect server in use fit the definitions.

    Raises:
        FatalError: there is no server in use.
    """
    if settings.prefect_api_url is None and (serving := _service(settings)) is not None:
        settings = settings.model_copy(update={"prefect_api_url": serving.prefect_api})
    if settings.prefect_api_url is None:
        raise FatalError("no Prefect server is in use: start `lading serve`, or set LADING_PREFECT_API_URL")
    from flows.prefect_server import prefect_server

    with prefect_server(settings, lambda _: None), Store.opened(settings) as store:
        from flows.deployment_keeper import keep_in_step

        return keep_in_step(store)


def _has_secret_here(settings: Settings, definition: Definition) -> bool:
    with job_at_stake(), Store.opened(settings) as store, store.read() as session:
        return refers_to_environment(resolved(session, settings.tenant, definition))


def _import_by_worker(settings: Settings, request: ImportRequest, watcher: Watcher) -> str:
    with job_at_stake():
        job_id = hand_over_file(settings, request)
    watcher.follow(job_id)
    with job_at_stake(GOES_ON):
        await_end(settings, job_id)
    return job_id


def _import_as_flow(settings: Settings, request: ImportRequest, watcher: Watcher) -> str:
    from flows.prefect_server import prefect_server

    # The server starts while Prefect is imported: both take seconds.
    with prefect_server(settings, partial(watcher.tell, "prefect")):
        from flows.run_as_flow import import_as_flow

        with job_at_stake():
            return import_as_flow(request)


def _service(settings: Settings) -> Serving | None:
    """The service that is up over the home, if its Prefect server answers."""
    serving = now_serving(settings)
    if serving is None:
        return None
    from flows.prefect_server import answers

    return serving if answers(serving.prefect_api, ANSWER_SECONDS) else None


def resume(settings: Settings, job_id: str) -> None:
    """Bring an interrupted job to its end."""
    with job_at_stake():
        run.resume(settings, job_id)


def abandon(settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`."""
    with job_at_stake():
        run.abandon(settings, job_id)
