"""How this process brings jobs to their end: straight through the stages, or as a Prefect flow."""

from dataclasses import asdict

import httpx
from prefect.exceptions import PrefectException

from flows import lifecycle
from flows.import_file import import_file
from schemas.errors import JobUnsuccessfulError, RetriableError
from schemas.import_request import ImportRequest
from schemas.settings import Settings


def import_directly(settings: Settings, request: ImportRequest) -> str:
    """Import the file without Prefect's engine; gives the job's id, however the job ended."""
    job_id = lifecycle.accept(lifecycle.directly, settings, request)
    lifecycle.bring_to_end(lifecycle.directly, settings, job_id)
    return job_id


def import_as_flow(request: ImportRequest) -> str:
    """Import the file as a run of the flow `import-file`; gives the job's id, however the job ended.

    The flow takes its home and Prefect's address from the environment.

    Raises:
        RetriableError: Prefect itself failed; the job stays where it is.
    """
    try:
        job_id: str = import_file(**asdict(request))
    except JobUnsuccessfulError as error:
        return error.job_id
    except (PrefectException, httpx.HTTPError) as error:
        raise RetriableError(f"Prefect's server does not answer any more ({type(error).__name__})") from error
    return job_id


def resume(settings: Settings, job_id: str) -> None:
    """Bring an interrupted job to its end, without Prefect's engine."""
    lifecycle.bring_to_end(lifecycle.directly, settings, job_id)


def abandon(settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`."""
    lifecycle.abandon(lifecycle.directly, settings, job_id)
