"""How this process brings jobs to their end straight through the stages, without Prefect."""

from flows import lifecycle
from schemas.import_request import ImportRequest
from schemas.settings import Settings


def import_directly(settings: Settings, request: ImportRequest) -> str:
    """Import the file without Prefect's engine; gives the job's id, however the job ended."""
    taken = lifecycle.accept(lifecycle.directly, settings, request)
    if taken.skipped is None:
        lifecycle.bring_to_end(lifecycle.directly, settings, taken.job_id)
    return taken.job_id


def resume(settings: Settings, job_id: str) -> None:
    """Bring an interrupted job to its end, without Prefect's engine."""
    lifecycle.bring_to_end(lifecycle.directly, settings, job_id)


def abandon(settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`."""
    lifecycle.abandon(lifecycle.directly, settings, job_id)
