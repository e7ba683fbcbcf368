"""Stage 5: leave what people and systems need: the failed rows as a file, and a summary."""

from pathlib import Path

from schemas.clock import utc_now
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from tasks.artifacts import keep_summary
from tasks.failed_rows import failed_rows
from tasks.stage import stage
from tasks.staging import Stage

FAILED_ROWS_NAME = "failed-rows.csv"


def report_job(settings: Settings, job_id: str) -> Path | None:
    """Write the files that the job leaves; gives the path of the failed rows, None where none failed."""
    with Store.opened(settings) as store:
        with store.read() as session:
            job = get_job(session, job_id)
            path = settings.report_path(job_id) / FAILED_ROWS_NAME
            written = failed_rows(settings, session, job_id, path) if job.errors and job.detected else 0
        # The records are in the destination now, or nowhere; nobody needs them here.
        Stage(settings.stage_path(job_id)).remove()
        with store.write() as session:
            get_job(session, job_id).reported_at = utc_now()
        return path if written else None


@stage("report")
def report(settings: Settings, job_id: str) -> None:
    """The task of this stage."""
    keep_summary(settings, job_id, report_job(settings, job_id))
