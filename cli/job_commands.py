"""`lading jobs` and `lading job`: what became of past imports."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.job_view import exit_status, give_failed_rows, job_json, show_job
from cli.options import Home, Json, settings_for
from cli.output import plain, print_json, say
from schemas.settings import Settings
from store.database import Store
from store.jobs import find_job, list_jobs
from store.leases import is_free
from store.tables import Job
from store.uploads import get_upload


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("jobs")(jobs_command)
    app.command("job")(job_command)


def jobs_command(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """List the newest jobs, newest first."""
    settings = settings_for(home)
    with Store.opened(settings) as store, store.read() as session:
        jobs = list_jobs(session, settings.tenant, limit)
        files = {job.id: get_upload(session, job.upload_id).file_name for job in jobs}
    if as_json:
        return print_json({"jobs": [_row(job, files[job.id]) for job in jobs]})
    for job in jobs:
        row = _row(job, files[job.id])
        counts = ", ".join(f"{row[name]:,} {name}" for name in ("created", "updated", "unchanged", "failed"))
        plain(f"{job.id[:8]}  {row['state']:<11} {row['received_at'][:19]}  {row['file']}  {counts}")
    return None


def job_command(
    job: Annotated[str, typer.Argument(help="Id of the job, or its beginning.")],
    errors: Annotated[bool, typer.Option("--errors", help="Show every error, not only the first.")] = False,
    failed_rows: Annotated[Path | None, typer.Option(help="Write the failed rows to this csv.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show what became of one job. Exit status as for import."""
    settings = settings_for(home)
    found = _find(settings, job)
    if failed_rows is not None:
        written = give_failed_rows(settings, found.id, failed_rows)
        if not as_json:
            say("failed", f"{written:,} rows written to {failed_rows}")
    if as_json:
        print_json(job_json(settings, found.id, **({"shown_errors": None} if errors else {})))
        raise typer.Exit(exit_status(found))
    raise typer.Exit(show_job(settings, found.id, **({"shown_errors": None} if errors else {})))


def _find(settings: Settings, prefix: str) -> Job:
    with Store.opened(settings) as store, store.read() as session:
        return find_job(session, settings.tenant, prefix)


def _row(job: Job, file_name: str) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "state": job.state.value,
        "interrupted": not job.state.terminal and is_free(job),
        "file": file_name,
        "rows": job.rows,
        "created": job.created,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "failed": job.failed,
        "received_at": job.received_at.isoformat(),
    }
