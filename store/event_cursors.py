"""How far a job's events were delivered, in the job store: the pages are the outbox, a cursor says the rest."""

from sqlmodel import Session

from store.face_tables import EventCursor
from store.jobs import check_epoch


def event_cursor(session: Session, job_id: str, webhook: int) -> EventCursor:
    """Where the events of the job stand for this webhook (0-based place); at their beginning at first."""
    found = session.get(EventCursor, (job_id, webhook))
    return found or EventCursor(job_id=job_id, webhook=webhook)


def put_event_cursor(session: Session, cursor: EventCursor, *, epoch: int) -> None:
    """Keep where the events stand.

    Raises:
        LeaseLostError: somebody else took the lease of the job since.
    """
    check_epoch(session, cursor.job_id, epoch)
    session.merge(cursor)
