"""Stage 5: leave what people and systems need: the failed rows as a file, and a summary."""

import shutil
from pathlib import Path

from schemas.clock import utc_now
from schemas.errors import FatalError
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from tasks.artifacts import keep_summary
from tasks.failed_rows import failed_rows, failed_rows_path
from tasks.mail import tell_by_mail
from tasks.notices import tell_of_end
from tasks.stage import stage


def report_job(settings: Settings, job_id: str) -> Path | None:
    """Write the files that the job leaves; gives the path of the failed rows, None where none failed.

    Failed rows that can't be given back, as when the upload is gone, are no reason to repeat the report: the
    job's warnings say so.
    """
    with Store.opened(settings) as store:
        warnings: list[str] = []
        with store.read() as session:
            job = get_job(session, job_id)
        path, written = failed_rows_path(settings, job), 0
        try:
            if path is not None and job.errors:
                written = failed_rows(settings, store, job_id, path)
        except FatalError as error:
            warnings = [f"the failed rows can't be given back: {error}"]
        if (unsent := tell_by_mail(settings, store, job_id)) is not None:
            warnings.append(unsent)
        warnings += tell_of_end(settings, store, job_id)
        # The records are in the destination now, or nowhere; nobody needs them here.
        shutil.rmtree(settings.stages_path(job_id), ignore_errors=True)
        with store.write() as session:
            job = get_job(session, job_id)
            job.reported_at, job.warnings = utc_now(), [*job.warnings, *warnings]
        return path if written else None


@stage("report")
def report(settings: Settings, job_id: str) -> None:
    """The task of this stage."""
    keep_summary(settings, job_id, report_job(settings, job_id))
