"""Dropped files in the job store: each becomes one job at most, and ends in one place."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, and_, col, or_, select

from schemas.clock import utc_now
from schemas.drop import DropState
from schemas.errors import NotFoundError
from store.backend import alone, is_storable
from store.source_tables import Drop
from store.tables import Job


def add_drop(session: Session, drop: Drop) -> None:
    """Keep that the file was claimed; harmless where that is known already."""
    alone(session, "drop", drop.id)
    if session.get(Drop, drop.id) is None:
        session.add(drop)
        session.flush()


def get_drop(session: Session, drop_id: str) -> Drop:
    """The drop with this id.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(Drop, drop_id) if is_storable(drop_id) else None
    if found is None:
        raise NotFoundError(f"there is no dropped file with the id {drop_id!r}")
    return found


def locked_drop(session: Session, drop_id: str) -> Drop:
    """The drop, which nobody else changes until the end of the `write`."""
    return session.get_one(Drop, drop_id, with_for_update=True)


def known_drops(session: Session, drop_ids: Collection[str]) -> dict[str, Drop]:
    """Those of these ids that the store knows."""
    found = session.exec(select(Drop).where(col(Drop.id).in_(drop_ids))).all()
    return {drop.id: drop for drop in found}


def unannounced_drops(session: Session, told_before: datetime, limit: int) -> Sequence[Drop]:
    """Drops without a job that Prefect was not told of, or last before that moment, in this order."""
    untold = or_(col(Drop.announced_at).is_(None), col(Drop.announced_at) < told_before)
    query = select(Drop).where(col(Drop.ended_at).is_(None), Drop.state == DropState.WAITING, untold)
    waiting = col(Drop.announced_at).is_not(None), col(Drop.announced_at), col(Drop.claimed_at)
    return session.exec(query.order_by(*waiting).limit(limit)).all()


def note_announced(session: Session, drop_id: str, size_bytes: int) -> None:
    """Note that Prefect was told now, and how large the file was then."""
    told = {"announced_at": utc_now(), "announcements": Drop.announcements + 1, "size_bytes": size_bytes}
    session.execute(update(Drop).where(col(Drop.id) == drop_id).values(**told))


def take_drop(session: Session, drop: Drop, job_id: str) -> None:
    """Give the drop its job, once and for all; the caller holds it locked and has seen that there is none."""
    drop.state, drop.job_id = DropState.TAKEN, job_id
    session.add(drop)
    session.flush()


def refuse_drop(session: Session, drop_id: str, reason: str) -> None:
    """Note why no job can be made of the file; nothing where there is one all the same."""
    waits = and_(col(Drop.id) == drop_id, Drop.state == DropState.WAITING)
    session.execute(update(Drop).where(waits).values(state=DropState.REFUSED, reason=reason))


def settled_drops(session: Session, limit: int) -> Sequence[Drop]:
    """Drops whose job was reported, or of which there will be none, and whose files were not moved yet."""
    over = or_(Drop.state == DropState.REFUSED, col(Job.reported_at).is_not(None))
    query = select(Drop).join(Job, col(Job.id) == col(Drop.job_id), isouter=True)
    query = query.where(col(Drop.ended_at).is_(None), over).order_by(col(Drop.claimed_at))
    return session.exec(query.limit(limit)).all()


def end_drop(session: Session, drop_id: str, state: DropState) -> None:
    """Note that the file was moved to where it stays."""
    stays = update(Drop).where(col(Drop.id) == drop_id, col(Drop.ended_at).is_(None))
    session.execute(stays.values(state=state, ended_at=utc_now()))


def forget_drops(session: Session, before: datetime) -> None:
    """Remove what is known of drops that ended before that moment; their jobs and files stay."""
    session.execute(delete(Drop).where(col(Drop.ended_at) < before))
