"""`lading jobs` and `lading job`: what became of past imports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.error_view import SHOWN_ERRORS
from cli.job_view import tell_job, vendor_texts
from cli.options import Home, Json, settings_for, writable
from cli.output import plain, print_json
from schemas.job import Outcome
from store.database import Store, Transaction
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import find_job
from store.leases import is_free
from store.tables import Job
from store.uploads import get_upload

_ALWAYS = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.FAILED)
"""Outcomes that are shown though no row has them."""


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
        jobs = page_of_jobs(session, settings.tenant, JobFilter(), limit=limit)
        rows = [_row(session, job) for job in jobs]
    if as_json:
        return print_json({"jobs": rows})
    for row in rows:
        _show(row)
    return None


def job_command(
    job: Annotated[str, typer.Argument(help="Id of the job, or its beginning.")],
    errors: Annotated[bool, typer.Option("--errors", help="Show every error, not only the first.")] = False,
    failed_rows: Annotated[
        Path | None, typer.Option(help="Write the failed rows to this file, as the kind that they came in.")
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show what became of one job. Exit status as for import."""
    settings = settings_for(home)
    if failed_rows is not None:
        writable(failed_rows, settings)
    with Store.opened(settings) as store, store.read() as session:
        job_id = find_job(session, settings.tenant, job).id
    shown = None if errors else SHOWN_ERRORS
    raise typer.Exit(tell_job(settings, job_id, as_json=as_json, shown_errors=shown, out=failed_rows))


def _row(session: Transaction, job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "state": job.state.value,
        "interrupted": not job.state.terminal and is_free(session, job),
        "file": get_upload(session, job.upload_id).file_name,
        "rows": job.rows,
        **{outcome.value: getattr(job, outcome.value) for outcome in Outcome},
        "vendor_counts": job.vendor_counts,
        "vendor_link": job.vendor_link,
        "received_at": job.received_at.isoformat(),
    }


def _show(row: Mapping[str, Any]) -> None:
    counts = ", ".join(f"{row[o.value]:,} {o.value}" for o in Outcome if o in _ALWAYS or row[o.value])
    plain(f"{row['job_id'][:8]}  {row['state']:<11} {row['received_at'][:19]}  {row['file']}  {counts}")
    for said in vendor_texts(row["vendor_counts"], row["vendor_link"]):
        plain(f"          vendor      {said}")
