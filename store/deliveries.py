"""What was handed over to a vendor, part by part: planned once, then moved by compare-and-set."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col, select

from schemas.clock import utc_now
from schemas.errors import ConflictError
from store.delivery_tables import TRANSITIONS, Delivery, DeliveryState
from store.jobs import check_epoch


def list_deliveries(session: Session, job_id: str) -> Sequence[Delivery]:
    """The parts of the job, in order; none before they were planned."""
    return session.exec(select(Delivery).where(Delivery.job_id == job_id).order_by(col(Delivery.part))).all()


def get_delivery(session: Session, job_id: str, part: int) -> Delivery:
    """The part with this 1-based number, which must be there."""
    return session.get_one(Delivery, (job_id, part), populate_existing=True)


def plan_deliveries(session: Session, job_id: str, records: Sequence[int], *, epoch: int) -> None:
    """Write down the parts of the job, with so many records each.

    Raises:
        LeaseLostError: somebody else took the lease since.
    """
    check_epoch(session, job_id, epoch)
    first = 0
    for part, number in enumerate(records, start=1):
        session.add(Delivery(job_id=job_id, part=part, first_record=first, records=number))
        first += number
    session.flush()


def move_delivery(
    session: Session, job_id: str, part: int, to: DeliveryState, *, epoch: int, **values: object
) -> None:
    """Move the part to `to`, from wherever the table of transitions allows it.

    Raises:
        LeaseLostError: somebody else took the lease since.
        ConflictError: it can't move there from where it is.
    """
    check_epoch(session, job_id, epoch)
    sources = [state for state, targets in TRANSITIONS.items() if to in targets]
    times: dict[str, Any] = {"accepted_at": utc_now()} if to is DeliveryState.ACCEPTED else {}
    times |= {"settled_at": utc_now()} if to.is_settled else {}
    where = col(Delivery.job_id) == job_id, col(Delivery.part) == part, col(Delivery.state).in_(sources)
    moved = session.execute(update(Delivery).where(*where).values(state=to, **times, **values))
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        state = get_delivery(session, job_id, part).state
        raise ConflictError(f"part {part} of job {job_id} is {state.value} and can't become {to.value}")


def keep_handle(session: Session, job_id: str, part: int, handle: Mapping[str, Any], *, epoch: int) -> None:
    """Keep what the vendor gave us of the part so far.

    Raises:
        LeaseLostError: somebody else took the lease since.
    """
    check_epoch(session, job_id, epoch)
    get_delivery(session, job_id, part).handle = dict(handle)


def begin_delivery(session: Session, job_id: str, part: int, *, epoch: int) -> Delivery:
    """The part, with the time since when somebody works on it.

    Raises:
        LeaseLostError: somebody else took the lease since.
    """
    check_epoch(session, job_id, epoch)
    delivery = get_delivery(session, job_id, part)
    if delivery.begun_at is None:
        delivery.begun_at = utc_now()
    return delivery


def forget_deliveries(session: Session, job_id: str) -> None:
    """Remove what was handed over for the job, with what the vendor said of it."""
    session.execute(delete(Delivery).where(col(Delivery.job_id) == job_id))
