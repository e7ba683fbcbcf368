"""Where a job stands, in the words of people: its state, and what it waits for."""

from dataclasses import dataclass

from schemas.job import JobState
from store.database import Transaction
from store.jobs import earlier_import
from store.leases import is_free
from store.tables import Job


@dataclass(frozen=True)
class Standing:
    """Where a job stands.

    Attributes:
        name: its state; `waiting`, `interrupted` or `cancelling` where that tells more.
        tone: how it is shown: `good`, `bad`, `warn`, `busy` or `idle`.
        note: what comes after the name, where there is more to say; else empty.
    """

    name: str
    tone: str
    note: str = ""


def standing_of(session: Transaction, job: Job) -> Standing:
    """Where the job stands now."""
    if job.state.terminal:
        return _ended(job)
    if job.cancel_requested_at is not None:
        return Standing("cancelling", "warn")
    if not is_free(session, job):
        return Standing(job.state.value, "busy")
    if earlier_import(session, job) is not None:
        return Standing("waiting", "idle", "for an earlier import into the same table")
    if job.lease_epoch:
        return Standing("interrupted", "warn", "until a worker goes on with it")
    return Standing("waiting", "idle", "for a worker")


def _ended(job: Job) -> Standing:
    if job.state is JobState.FINISHED:
        return Standing("finished", "warn" if job.failed else "good")
    return Standing(job.state.value, "idle" if job.state is JobState.CANCELLED else "bad")
