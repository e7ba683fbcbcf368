"""What Prefect's UI shows of a job beside its task runs; nothing at all where no task is running."""

import sys
from collections.abc import Callable
from pathlib import Path

from schemas.settings import Settings


def import_progress(job_id: str) -> Callable[[int, int], None]:
    """Something to call with (rows done, rows in all), which shows them as a progress artifact."""
    if not _in_task_run():
        return lambda _done, _total: None
    from tasks.prefect_artifacts import progress

    return progress(job_id)


def keep_link(job_id: str, link: str) -> None:
    """Show where the vendor shows its side of the job, as a link artifact."""
    if _in_task_run():
        from tasks.prefect_artifacts import vendor_link

        vendor_link(job_id, link)


def keep_summary(settings: Settings, job_id: str, failed_rows: Path | None) -> None:
    """Show what became of the job as a markdown artifact."""
    if _in_task_run():
        from tasks.prefect_artifacts import summary

        summary(settings, job_id, failed_rows)


def _in_task_run() -> bool:
    """Whether Prefect runs us: not where nobody even imported it."""
    if "prefect" not in sys.modules:
        return False
    from prefect.context import TaskRunContext

    return TaskRunContext.get() is not None
