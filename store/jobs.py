"""Jobs in the job store: made, found, and moved from state to state by compare-and-set."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, literal, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from schemas.clock import utc_now
from schemas.errors import (
    BytesExpiredError,
    CancelRequestedError,
    ConflictError,
    LeaseLostError,
    NotFoundError,
    RetriableError,
)
from schemas.job import RUNNING, TERMINAL, TRANSITIONS, JobKind, JobState
from store.backend import is_storable
from store.tables import ONE_IMPORT_PER_DESTINATION, DefinitionVersion, Event, Job, UtcDateTime


def add_job(session: Session, job: Job) -> Job:
    """Keep a new job."""
    session.add(job)
    session.flush()
    add_event(session, job.id, job.state.value)
    return job


def get_job(session: Session, job_id: str) -> Job:
    """The job with this id.

    Raises:
        NotFoundError: there is none.
    """
    return _there(session.get(Job, job_id), job_id)


def find_job(session: Session, tenant: str, prefix: str) -> Job:
    """The tenant's job whose id begins with `prefix`.

    Raises:
        NotFoundError: none does, or several do.
    """
    begins = col(Job.id).startswith(prefix.lower(), autoescape=True)
    query = select(Job).where(Job.tenant == tenant, begins).limit(2)
    found = session.exec(query).all()
    if len(found) != 1:
        raise NotFoundError(
            f"{'several jobs begin' if found else 'no job begins'} with {prefix!r}; `lading jobs` lists them"
        )
    return found[0]


def job_of(session: Session, tenant: str, job_id: str, definitions: frozenset[str] | None = None) -> Job:
    """The tenant's job with this id.

    Args:
        definitions: names of the only ones whose jobs may be seen; None: all.

    Raises:
        NotFoundError: there is none, or it is another's; the two can't be told apart.
    """
    job = session.get(Job, job_id) if is_storable(job_id) else None
    if job is not None and job.tenant == tenant and definitions is not None:
        name = session.get_one(DefinitionVersion, job.definition_id).name
        return _there(job if name in definitions else None, job_id)
    return _there(job if job is not None and job.tenant == tenant else None, job_id)


def running_jobs(session: Session, tenant: str, destination_key: str | None = None) -> Sequence[Job]:
    """Jobs that are not terminal, oldest first, whether or not somebody works on them."""
    query = select(Job).where(Job.tenant == tenant, col(Job.state).in_(RUNNING))
    if destination_key is not None:
        query = query.where(Job.destination_key == destination_key)
    return session.exec(query.order_by(col(Job.received_at))).all()


def earlier_import(session: Session, job: Job) -> Job | None:
    """The first import into the same table that stands before this one; None where it is this one's turn."""
    if job.kind is not JobKind.IMPORT:
        return None
    here = tuple_(literal(job.received_at, UtcDateTime), literal(job.id))
    query = select(Job).where(
        Job.destination_key == job.destination_key,
        col(Job.kind) == JobKind.IMPORT,
        col(Job.state).in_(RUNNING),
        tuple_(col(Job.received_at), col(Job.id)) < here,
    )
    return session.exec(query.order_by(col(Job.received_at), col(Job.id)).limit(1)).first()


def unreported_jobs(session: Session, tenant: str) -> Sequence[Job]:
    """Terminal jobs whose report was never written, oldest first."""
    query = select(Job).where(
        Job.tenant == tenant, col(Job.state).in_(TERMINAL), col(Job.reported_at).is_(None)
    )
    return session.exec(query.order_by(col(Job.received_at))).all()


def transition(session: Session, job_id: str, to: JobState, *, epoch: int, **values: object) -> Job:
    """Move the job to `to`, if the table of transitions and the lease allow it.

    Being in `to` already is fine, so that a stage may run again; a terminal job stays as it is.

    Args:
        epoch: of the lease under which the caller works.
        values: columns of the job to set in the same step.

    Raises:
        LeaseLostError: somebody else took the lease since.
        ConflictError: the job can't move there from where it is.
        RetriableError: another job imports into the same destination now.
    """
    sources = {state for state, targets in TRANSITIONS.items() if to in targets}
    sources |= set() if to.terminal else {to}
    moved = values | {"state": to, f"{to.value}_at": utc_now()}
    try:
        changed = _update(
            session, moved, col(Job.id) == job_id, col(Job.lease_epoch) == epoch, col(Job.state).in_(sources)
        )
    except IntegrityError as error:
        if _violates_one_import(error):
            raise RetriableError("another job imports into the same destination; try again later") from error
        raise
    if not changed:
        _explain(session, job_id, to, epoch)
    else:
        add_event(session, job_id, to.value)
    return _fresh(session, job_id)


def set_values(session: Session, job_id: str, *, epoch: int, **values: object) -> None:
    """Set columns of the job, whatever its state.

    Raises:
        LeaseLostError: somebody else took the lease since.
    """
    if not _update(session, values, col(Job.id) == job_id, col(Job.lease_epoch) == epoch):
        raise LeaseLostError(f"another worker has taken job {job_id} over")


def note_progress(session: Session, job_id: str, *, epoch: int, **values: object) -> None:
    """Set columns that say how far the job is, for as long as it may go on.

    Raises:
        LeaseLostError: somebody else took the lease since.
        CancelRequestedError: the job is to end.
        BytesExpiredError: the time of its bytes is over.
    """
    set_values(session, job_id, epoch=epoch, **values)
    refuse_cancelled(session, job_id)
    refuse_expired(session, job_id)


def refuse_cancelled(session: Session, job_id: str) -> None:
    """Stop whoever works on a job whose end somebody asked for.

    Raises:
        CancelRequestedError: the job is to end.
    """
    query = select(Job.cancel_requested_at).where(Job.id == job_id)
    if session.exec(query).one_or_none() is not None:
        raise CancelRequestedError(f"job {job_id} is to be cancelled")


def refuse_expired(session: Session, job_id: str) -> None:
    """Stop whoever works on a job whose bytes were kept for some time only, when that is over.

    Raises:
        BytesExpiredError: it is.
    """
    expires_at = session.exec(select(Job.bytes_expire_at).where(Job.id == job_id)).one_or_none()
    if expires_at is not None and expires_at <= utc_now():
        raise BytesExpiredError(
            f"the file was kept until {expires_at:%Y-%m-%d %H:%M} UTC only, and the import was not done by "
            "then; bring it again, into a directory where it takes long"
        )


def set_flow_run(session: Session, job_id: str, flow_run_id: str) -> str | None:
    """Note Prefect's run that works on the job; gives the one noted before, where that was another.

    Raises:
        NotFoundError: there is no such job.
    """
    job = locked_job(session, job_id)
    before, job.flow_run_id = job.flow_run_id, flow_run_id
    session.add(job)
    return before if before != flow_run_id else None


def check_epoch(session: Session, job_id: str, epoch: int) -> None:
    """Refuse whoever lost the job's lease; in a `write` it holds until the end of the block.

    Raises:
        LeaseLostError: somebody else took the lease since.
    """
    if locked_job(session, job_id).lease_epoch != epoch:
        raise LeaseLostError(f"another worker has taken job {job_id} over")


def request_cancel(session: Session, job_id: str) -> Job:
    """Ask whoever works on the job to end it, once; it goes on until they look.

    Raises:
        NotFoundError: there is none.
        ConflictError: it is terminal.
    """
    job = locked_job(session, job_id)
    if job.state.terminal:
        raise ConflictError(f"job {job_id} is {job.state.value}; there is nothing to cancel any more")
    if job.cancel_requested_at is None:
        job.cancel_requested_at = utc_now()
        session.add(job)
        add_event(session, job_id, "cancel requested")
    return job


def queue(session: Session, job_id: str) -> None:
    """Let a worker begin the job, or go on with it, at once; harmless when repeated.

    Raises:
        NotFoundError: there is none.
    """
    job = locked_job(session, job_id)
    job.is_queued = True
    session.add(job)


def add_event(session: Session, job_id: str, name: str, detail: str | None = None) -> None:
    """Note that something happened to the job."""
    session.add(Event(job_id=job_id, name=name, detail=detail))


def list_events(session: Session, job_id: str) -> Sequence[Event]:
    """What happened to the job, in order."""
    return session.exec(select(Event).where(Event.job_id == job_id).order_by(col(Event.id))).all()


def locked_job(session: Session, job_id: str) -> Job:
    """The job as it is now, which nobody else changes until the end of the `write`.

    Rows that name the job, such as events, may be added meanwhile.

    Raises:
        NotFoundError: there is none.
    """
    lock = {"key_share": True}
    return _there(session.get(Job, job_id, populate_existing=True, with_for_update=lock), job_id)


def _violates_one_import(error: IntegrityError) -> bool:
    """PostgreSQL tells the name of what was violated, SQLite the columns."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is None:
        return "job.destination_key" in str(error.orig)
    violated: str | None = diagnosis.constraint_name
    return violated == ONE_IMPORT_PER_DESTINATION


def _update(session: Session, values: dict[str, Any], *where: ColumnElement[bool]) -> bool:
    result = session.execute(update(Job).where(*where).values(**values))
    return isinstance(result, CursorResult) and result.rowcount == 1


def _explain(session: Session, job_id: str, to: JobState, epoch: int) -> None:
    job = _fresh(session, job_id)
    if job.lease_epoch != epoch:
        raise LeaseLostError(f"another worker has taken job {job_id} over")
    if job.state is not to:
        raise ConflictError(f"job {job_id} is {job.state.value} and can't become {to.value}")


def _fresh(session: Session, job_id: str) -> Job:
    return _there(session.get(Job, job_id, populate_existing=True), job_id)


def _there(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFoundError(f"there is no job {job_id!r}")
    return job
