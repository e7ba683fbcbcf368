"""What was fetched last from where, in the job store; and whether the job of it did what is wanted now."""

from collections.abc import Sequence

from sqlmodel import Session, select
from sqlmodel.sql.expression import SelectOfScalar

from schemas.clock import utc_now
from schemas.job import JobState
from store.backend import alone
from store.leases import is_free
from store.source_tables import Fetch
from store.tables import Job


def last_fetch(session: Session, tenant: str, definition: str, url: str) -> Fetch | None:
    """What was fetched last from this place for the tenant's definition; None where nothing was."""
    query = _of(tenant, definition).where(Fetch.url == url)
    return session.exec(query).first()


def last_fetches(session: Session, tenant: str, definition: str) -> dict[str, Fetch]:
    """The same of every place from which something was fetched for the definition, by URL."""
    found: Sequence[Fetch] = session.exec(_of(tenant, definition)).all()
    return {fetch.url: fetch for fetch in found}


def put_fetch(session: Session, fetch: Fetch) -> None:
    """Keep what was fetched, instead of what was fetched from there before."""
    alone(session, "fetch", fetch.tenant, fetch.definition)
    kept = last_fetch(session, fetch.tenant, fetch.definition, fetch.url) or fetch
    kept.sha256, kept.job_id, kept.at = fetch.sha256, fetch.job_id, utc_now()
    kept.etag, kept.last_modified = fetch.etag, fetch.last_modified
    session.add(kept)
    session.flush()


def is_done(session: Session, job: Job) -> bool:
    """True where the content of this job needs no other one: it ended by itself, or is being worked on."""
    if job.state.terminal:
        return job.state in {JobState.FINISHED, JobState.INVALID}
    return not is_free(session, job)


def _of(tenant: str, definition: str) -> SelectOfScalar[Fetch]:
    return select(Fetch).where(Fetch.tenant == tenant, Fetch.definition == definition)
