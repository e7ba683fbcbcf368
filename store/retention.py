"""What has had its time: found, and forgotten. A job keeps its counts, an upload its name and hash."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, update
from sqlmodel import Session, col, func, select

from schemas.job import RUNNING, TERMINAL
from store.access_tables import IdempotencyKey
from store.client_files import is_kept_by_client
from store.deliveries import forget_deliveries
from store.jobs import add_event, locked_job
from store.tables import ErrorPage, Job, PageRow, Upload


def expired_bytes(session: Session, now: datetime) -> Sequence[str]:
    """The hashes of uploads that expired and were not removed yet, whether or not somebody needs the bytes."""
    query = select(Upload.sha256).where(col(Upload.expires_at) <= now, col(Upload.purged_at).is_(None))
    return session.exec(query.distinct().order_by(Upload.sha256)).all()


def are_bytes_known(session: Session, sha256: str) -> bool:
    """True when an upload refers to these bytes as being there."""
    query = select(Upload.id).where(Upload.sha256 == sha256, col(Upload.purged_at).is_(None))
    return session.exec(query.limit(1)).first() is not None


def are_bytes_needed(session: Session, sha256: str, now: datetime) -> bool:
    """True when the bytes must stay, whoever brought them and under whatever name.

    An upload of them has not expired, or a client keeps them under an id of its own, or a job over them is not
    terminal (it runs, or can be resumed), or has not been reported yet although its time is not over.
    """
    if is_kept_by_client(session, sha256, now):
        return True
    uploads = select(Upload.id).where(Upload.sha256 == sha256, col(Upload.expires_at) > now)
    unreported = col(Job.reported_at).is_(None) & (col(Job.expires_at) > now)
    jobs = (
        select(Job.id).join(Upload).where(Upload.sha256 == sha256, or_(col(Job.state).in_(RUNNING), unreported))
    )
    return any(session.exec(query.limit(1)).first() is not None for query in (uploads, jobs))


def forget_bytes(session: Session, sha256: str, now: datetime) -> None:
    """Note in every upload of these bytes that they were removed."""
    gone = update(Upload).where(col(Upload.sha256) == sha256, col(Upload.purged_at).is_(None))
    session.execute(gone.values(purged_at=now))


def expired_jobs(session: Session, now: datetime) -> Sequence[str]:
    """Terminal jobs whose rows have had their time, oldest first."""
    return _terminal(session, col(Job.expires_at) <= now, col(Job.purged_at).is_(None))


def jobs_with_expired_errors(session: Session, now: datetime) -> Sequence[str]:
    """Terminal jobs whose errors have had their time, oldest first."""
    return _terminal(session, col(Job.errors_expire_at) <= now, col(Job.errors_purged_at).is_(None))


def forget_idempotency_keys(session: Session, now: datetime) -> None:
    """Remove the names whose time is over; their jobs stay."""
    session.execute(delete(IdempotencyKey).where(col(IdempotencyKey.expires_at) <= now))


def overdue_jobs(session: Session, now: datetime) -> int:
    """How many jobs have had their time without coming to an end; they keep all that they need."""
    query = select(func.count()).select_from(Job)
    return session.exec(query.where(col(Job.state).in_(RUNNING), col(Job.expires_at) <= now)).one()


def forget_errors(session: Session, job_id: str, now: datetime) -> None:
    """Remove the errors of a terminal job; how many there were of each code stays."""
    job = locked_job(session, job_id)
    session.execute(delete(ErrorPage).where(col(ErrorPage.job_id) == job_id))
    forget_deliveries(session, job_id)
    job.errors_purged_at = now
    add_event(session, job_id, "errors purged")


def forget_rows(session: Session, job_id: str, now: datetime) -> None:
    """Remove what became of each row of a terminal job; the counts stay."""
    job = locked_job(session, job_id)
    session.execute(delete(PageRow).where(col(PageRow.job_id) == job_id))
    job.purged_at = now
    add_event(session, job_id, "rows purged")


def _terminal(session: Session, *where: ColumnElement[bool]) -> Sequence[str]:
    query = select(Job.id).where(col(Job.state).in_(TERMINAL), *where)
    return session.exec(query.order_by(col(Job.received_at))).all()
