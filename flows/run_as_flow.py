"""How this process runs an import as a Prefect flow of its own."""

from dataclasses import asdict

import httpx
from prefect.exceptions import PrefectException

from flows.import_file import import_file
from schemas.errors import JobUnsuccessfulError, RetriableError
from schemas.import_request import ImportRequest


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
