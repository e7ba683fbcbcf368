"""Removes what has had its time: bytes, checked rows, reports, errors, rows of jobs, idempotency keys.

A job that is not terminal keeps everything, because it runs or can be resumed. What no job knows is kept as
long as what one knows: it may belong to another job store over the same home. Files go first and the store
says so afterwards, so that a purge that was killed is completed by the next one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from schemas.clock import utc_now
from schemas.errors import NotFoundError
from schemas.settings import Settings
from store import retention
from store.client_files import (
    expired_client_files,
    forget_client_file,
    lock_client_files,
    locked_client_file,
    unfinished_client_files,
)
from store.database import Store, Transaction
from store.drops import forget_drops
from store.jobs import get_job
from store.tables import Job
from store.uploads import lock_bytes
from tasks.client_files import parts_path
from tasks.copying import LEFTOVER
from tasks.stage import stage
from tasks.sweep import Purged, Sweep, entries

LEFTOVER_DAYS = 1.0
"""A copy that nobody wrote to for so long belongs to an upload that was killed."""


def purge_home(settings: Settings, *, dry_run: bool = False) -> Purged:
    """Remove what has had its time, of every tenant; or only say what would be removed."""
    now = utc_now()
    sweep = Sweep(now, dry_run=dry_run)
    with Store.opened(settings) as store:
        with store.read() as session:
            unfinished = retention.overdue_jobs(session, now)
            expired = retention.expired_jobs(session, now)
            errors = retention.jobs_with_expired_errors(session, now)
        _purge_stages(settings, store, sweep, now)
        _purge_reports(settings, store, sweep, now)
        if not dry_run:
            _forget(store, errors, now, retention.forget_errors)
            _forget(store, expired, now, retention.forget_rows)
            with store.write() as session:
                retention.forget_idempotency_keys(session, now)
                forget_drops(session, now - timedelta(days=settings.job_days))
        _purge_client_files(settings, store, sweep, now)
        _purge_uploads(settings, store, sweep, now)
        _purge_unknown_uploads(settings, store, sweep)
    return sweep.purged(jobs=len(expired), errors=len(errors), unfinished=unfinished)


@stage("purge")
def purge(settings: Settings, *, dry_run: bool = False) -> Purged:
    """The task of this stage."""
    return purge_home(settings, dry_run=dry_run)


def _forget(
    store: Store, jobs: Sequence[str], now: datetime, forget: Callable[[Transaction, str, datetime], None]
) -> None:
    for job_id in jobs:
        with store.write() as session:
            forget(session, job_id, now)


def _purge_stages(settings: Settings, store: Store, sweep: Sweep, now: datetime) -> None:
    """Checked rows: of jobs that ended, and what workers left that lost their lease."""
    for folder in entries(settings.stages_path("")):
        job = _known(store, folder.name)
        if job is None:
            removable = [folder] if sweep.is_older(folder, settings.stage_days) else []
        elif job.state.terminal:
            removable = [folder] if job.reported_at is not None or job.stage_expires_at <= now else []
        else:
            removable = [path for path in entries(folder) if _is_abandoned(job, path)]
        for path in removable:
            sweep.take("stage", path)


def _is_abandoned(job: Job, path: Path) -> bool:
    """True for the checked rows of an epoch that is neither the staged one nor the present or a later one."""
    return path.name.isdecimal() and int(path.name) < job.lease_epoch and int(path.name) != job.stage_epoch


def _purge_reports(settings: Settings, store: Store, sweep: Sweep, now: datetime) -> None:
    for folder in entries(settings.report_path("")):
        job = _known(store, folder.name)
        if job is None:
            removable = sweep.is_older(folder, settings.job_days)
        else:
            removable = job.state.terminal and job.errors_expire_at <= now
        if removable:
            sweep.take("report", folder)


def _purge_client_files(settings: Settings, store: Store, sweep: Sweep, now: datetime) -> None:
    """Files of clients whose time is over, and the parts of those that were never brought to their end."""
    with store.read() as session:
        expired = expired_client_files(session, now)
        unfinished = unfinished_client_files(session)
    begun_before = now - timedelta(days=LEFTOVER_DAYS)
    abandoned = [
        file
        for file in unfinished
        if file.created_at <= begun_before and sweep.is_older(parts_path(settings, file), LEFTOVER_DAYS)
    ]
    for file in {(file.tenant, file.hash): file for file in [*expired, *abandoned]}.values():
        with store.write() as session:
            lock_client_files(session, file.tenant)
            found = locked_client_file(session, file.tenant, file.hash)
            if found is None or (found.created_at, found.received_bytes) != (
                file.created_at,
                file.received_bytes,
            ):
                continue  # it was begun anew, or goes on
            if sweep.take("leftover", parts_path(settings, file)) and not sweep.dry_run:
                forget_client_file(session, file.tenant, file.hash)


def _purge_uploads(settings: Settings, store: Store, sweep: Sweep, now: datetime) -> None:
    """Bytes that expired under every name and that no job needs; they are locked while it is decided."""
    with store.read() as session:
        hashes = retention.expired_bytes(session, now)
    for sha256 in hashes:
        with store.write() as session:
            lock_bytes(session, sha256)
            if retention.are_bytes_needed(session, sha256, now):
                continue
            if sweep.take("upload", settings.upload_path(sha256)) and not sweep.dry_run:
                retention.forget_bytes(session, sha256, now)


def _purge_unknown_uploads(settings: Settings, store: Store, sweep: Sweep) -> None:
    """Bytes that no upload refers to, and copies that never became whole."""
    for path in entries(settings.uploads_path):
        if path.suffix == LEFTOVER and sweep.is_older(path, LEFTOVER_DAYS):
            sweep.take("leftover", path)
        for bytes_path in () if path == settings.parts_path else entries(path):
            if sweep.is_older(bytes_path, settings.upload_days):
                with store.write() as session:
                    lock_bytes(session, bytes_path.name)
                    if not retention.are_bytes_known(session, bytes_path.name):
                        sweep.take("leftover", bytes_path)


def _known(store: Store, job_id: str) -> Job | None:
    with store.read() as session:
        try:
            return get_job(session, job_id)
        except NotFoundError:
            return None
