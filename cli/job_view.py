"""A job as the command line shows it: one JSON object, or a few lines for people."""

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from cli.error_view import SHOWN_ERRORS, error_text
from cli.file_modes import open_as_usual
from cli.output import ExitStatus, error_line, plain, print_json, say
from schemas.errors import LadingError
from schemas.job import Counts, JobState, Outcome
from schemas.row_error import RowError
from schemas.settings import Settings
from store.database import Store
from store.definitions import definition_of
from store.jobs import get_job
from store.pages import list_errors
from store.tables import Job, Upload
from store.uploads import get_upload
from tasks.error_document import error_document
from tasks.failed_rows import failed_rows, failed_rows_path
from tasks.job_document import job_document


def exit_status(job: Job) -> ExitStatus:
    """0 all rows well, 3 finished but some failed, 4 not finished."""
    if job.state is not JobState.FINISHED:
        return ExitStatus.UNSUCCESSFUL
    return ExitStatus.SOME_FAILED if job.failed else ExitStatus.WELL


def job_json(settings: Settings, job_id: str, shown_errors: int | None = SHOWN_ERRORS) -> dict[str, Any]:
    """The job as `--json` shows it, with so many of its errors (None: all)."""
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        definition = definition_of(session, job.definition_id)
        document = job_document(job, definition, get_upload(session, job.upload_id))
        errors = [error_document(e) for e in islice(list_errors(session, job_id), shown_errors)]
        return {**document, "errors": errors, "failed_rows": _existing(failed_rows_path(settings, job))}


def show_job(settings: Settings, job_id: str, shown_errors: int | None = SHOWN_ERRORS) -> None:
    """Print what became of the job, what failed and why, and where to look next."""
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        _show_detected(job)
        for note in (job.detected or {}).get("notes", []):
            say("note", note)
        for warning in job.warnings:
            say("warning", warning)
        say(job.state.value, _counts_text(job))
        for said in vendor_texts(job.vendor_counts, job.vendor_link):
            say("vendor", said)
        if job.error_message:
            say("reason", f"{job.error_code}: {job.error_message}")
        if job.errors and job.rows:
            _show_errors(job, list_errors(session, job_id), shown_errors)
        _show_times(job, get_upload(session, job.upload_id))
        path = _existing(failed_rows_path(settings, job))
    if path:
        say("failed", f"the failed rows, with the reasons, to be mended and sent again: {path}")
    say("next", f"lading job {job.id[:8]}{' --errors' if job.errors > SHOWN_ERRORS else ''}")


def vendor_texts(counts: Mapping[str, int] | None, link: str | None) -> list[str]:
    """What the vendor counted, and where it shows the import; as far as it told."""
    said = [f"{number:,} {word.replace('_', ' ')}" for word, number in (counts or {}).items()]
    return [text for text in (f"counts {', '.join(said)}" if said else None, link) if text is not None]


def tell_job(
    settings: Settings,
    job_id: str,
    *,
    as_json: bool,
    shown_errors: int | None = SHOWN_ERRORS,
    out: Path | None = None,
) -> ExitStatus:
    """Say what became of the job, then copy its failed rows to `out`, which takes nothing from the answer."""
    with Store.opened(settings) as store, store.read() as session:
        status = exit_status(get_job(session, job_id))
    if as_json:
        print_json(job_json(settings, job_id, shown_errors))
    else:
        show_job(settings, job_id, shown_errors)
    if out is not None:
        _copy_failed_rows(settings, job_id, out, quiet=as_json)
    return status


def _copy_failed_rows(settings: Settings, job_id: str, out: Path, *, quiet: bool) -> None:
    try:
        written, suffix = _give_failed_rows(settings, job_id, out)
    except (LadingError, OSError) as error:
        # The one JSON object stands on standard output already.
        error_line(f"the failed rows were not written to {out}: {error}", as_json=False)
        return
    if not quiet:
        rows = "nothing was written to" if written is None else f"{written:,} rows written to"
        say("failed", f"{rows} {out}")
        if written is not None and out.suffix.lower() != suffix:
            say("note", f"{out} holds what a {suffix} file holds, as the file that was imported did")


def _give_failed_rows(settings: Settings, job_id: str, out: Path) -> tuple[int | None, str]:
    """Write the job's failed rows to `out`; gives how many there are and the suffix of such a file.

    The number is None where the file had no rows to fail.

    Raises:
        NotFoundError: the bytes of the upload are gone.
    """
    with Store.opened(settings) as store:
        with store.read() as session:
            job = get_job(session, job_id)
        if job.detected is None:
            return None, ""
        # Resolved, because the file replaces what is there, which should not be a link such as /dev/stdout.
        written = failed_rows(settings, store, job_id, out.resolve())
    usual = failed_rows_path(settings, job)
    open_as_usual(out)
    return written, usual.suffix if usual is not None else ""


def _existing(path: Path | None) -> str | None:
    return str(path) if path is not None and path.exists() else None


def _show_detected(job: Job) -> None:
    if job.detected is None:
        return
    shown = ("kind", "packing", "encoding", "delimiter", "sheet", "header_row")
    known = {key: job.detected.get(key) for key in shown}
    parts = [f"{key.replace('_', ' ')} {value!r}" for key, value in known.items() if value is not None]
    say("detected", f"{', '.join(parts)}, {len(job.detected['columns'])} columns")


def _counts_text(job: Job) -> str:
    counts: Counts = job.counts
    parts = [f"{number:,} {o.value}" for o in Outcome if (number := getattr(counts, o.value))]
    if not job.state.terminal:
        return f"{job.rows_read:,} rows read and {job.rows_loaded:,} imported so far"
    if not parts and job.state is not JobState.FINISHED:
        return "nothing was imported"
    gone = f"; {counts.deleted:,} records deleted" if counts.deleted else ""
    return f"{job.rows or 0:,} rows: {', '.join(parts) or 'nothing to do'}{gone}"


def _show_errors(job: Job, errors: Iterable[RowError], shown: int | None) -> None:
    for code, field, rows in job.error_groups[:10]:
        say("errors", f"{rows:,} times {code}" + (f" in {field}" if field else ""))
    if job.errors_purged_at is not None:
        say(
            "errors",
            f"removed on {job.errors_purged_at:%Y-%m-%d}, when their time was over; counts stay",
        )
        return
    listed = list(islice(errors, shown))
    for error in listed:
        plain("  " + error_text(error))
    if len(listed) < job.errors:
        plain(f"  … showing {len(listed):,} of {job.errors:,}")


def _show_times(job: Job, upload: Upload) -> None:
    shown = (
        ("the file", upload.expires_at, upload.purged_at),
        ("errors", job.errors_expire_at, job.errors_purged_at),
        ("rows", job.expires_at, job.purged_at),
    )
    parts = [
        f"{what} until {expires:%Y-%m-%d}" if purged is None else f"{what} removed on {purged:%Y-%m-%d}"
        for what, expires, purged in shown
    ]
    say("kept", f"{', '.join(parts)}; counts for good")
