"""Workers in the job store: what there is to do for them, and which of them are alive."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from itertools import islice

from sqlalchemy import ColumnElement, bindparam, delete
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, or_, select, tuple_
from sqlmodel.sql.expression import SelectOfScalar

from schemas.job import RUNNING, JobKind
from store.access_tables import Worker
from store.leases import is_free, lease_clock, this_process
from store.tables import Job, UtcDateTime

FORGOTTEN_AFTER = timedelta(hours=1)
"""A worker that gave no sign for so long is not listed any more."""


def claimable_jobs(
    session: Session, lease_seconds: float, limit: int, passed_over: Callable[[Job], bool] = lambda _: False
) -> Sequence[Job]:
    """Jobs that a worker may take the lease of, oldest first, `limit` at most, without those `passed_over`.

    Those that came to be queued, that somebody began and nobody works on, and that whoever brought them did not
    begin for `lease_seconds`. Of the imports into one table only the first is among them, and whatever
    is to be cancelled; terminal jobs are, as long as nobody reported them.
    """
    left_since = lease_clock(session) - timedelta(seconds=lease_seconds)
    with session.exec(_claimable(), params={"left_since": left_since}) as found:
        return list(islice((job for job in found if not passed_over(job) and is_free(session, job)), limit))


@cache
def _claimable() -> SelectOfScalar[Job]:
    """The query, made once: it is asked ten times a second."""
    begun_or_left = or_(
        col(Job.is_queued),
        col(Job.lease_epoch) > 0,
        col(Job.received_at) < bindparam("left_since", type_=UtcDateTime),
    )
    no_turn = and_(
        col(Job.kind) == JobKind.IMPORT,
        col(Job.state).in_(RUNNING),
        col(Job.cancel_requested_at).is_(None),
        _earlier_import(),
    )
    query = select(Job).where(col(Job.reported_at).is_(None), begun_or_left, ~no_turn)
    return query.order_by(col(Job.received_at), col(Job.id)).execution_options(yield_per=100)


def _earlier_import() -> ColumnElement[bool]:
    """An import into the same table stands before this job."""
    earlier = aliased(Job)
    return (
        select(earlier.id)
        .where(
            earlier.destination_key == Job.destination_key,
            col(earlier.reported_at).is_(None),
            col(earlier.kind) == JobKind.IMPORT,
            col(earlier.state).in_(RUNNING),
            tuple_(earlier.received_at, earlier.id) < tuple_(Job.received_at, Job.id),
        )
        .exists()
    )


def renew_worker(session: Session, worker_id: str) -> None:
    """Say that the worker of this process is alive; those that have not said so for long are forgotten."""
    now = lease_clock(session)
    session.execute(delete(Worker).where(col(Worker.seen_at) < now - FORGOTTEN_AFTER))
    worker = session.get(Worker, worker_id)
    if worker is None:
        worker = Worker(id=worker_id, process=this_process(), seen_at=now)
    worker.seen_at = now
    session.add(worker)


def remove_worker(session: Session, worker_id: str) -> None:
    """Say that the worker has ended; harmless when repeated."""
    session.execute(delete(Worker).where(col(Worker.id) == worker_id))


def live_workers(session: Session, within_seconds: float) -> Sequence[Worker]:
    """The workers that gave a sign within so many seconds, the longest-lived first."""
    since = lease_clock(session) - timedelta(seconds=within_seconds)
    return session.exec(select(Worker).where(Worker.seen_at > since).order_by(col(Worker.started_at))).all()
