"""Numbers of jobs, for clients whose ids are numbers: given once, the same always, no two alike."""

from collections.abc import Collection

from sqlmodel import Session, col, select

from schemas.errors import NotFoundError
from store.backend import alone
from store.face_tables import JobNumber
from store.jobs import job_of
from store.tables import Job

_BEYOND = 2**31
"""Where the numbers end that fit the column in every database."""


def numbers_of(session: Session, job_ids: Collection[str]) -> dict[str, int]:
    """Id → number of those of the jobs that have one."""
    query = select(JobNumber).where(col(JobNumber.job_id).in_(job_ids))
    return {given.job_id: given.number for given in session.exec(query)}


def give_numbers(session: Session, job_ids: Collection[str]) -> dict[str, int]:
    """Id → number of each of the jobs; those that had none have one from now on."""
    alone(session, "job numbers")
    known = numbers_of(session, job_ids)
    added = [JobNumber(job_id=job_id) for job_id in sorted(set(job_ids) - known.keys())]
    session.add_all(added)
    session.flush()
    return known | {given.job_id: given.number for given in added}


def job_numbered(session: Session, tenant: str, number: int, definitions: frozenset[str] | None = None) -> Job:
    """The tenant's job with this number.

    Args:
        definitions: names of the only ones whose jobs may be seen; None: all.

    Raises:
        NotFoundError: there is none, or it is another's; the two can't be told apart.
    """
    given = session.get(JobNumber, number) if 0 < number < _BEYOND else None
    if given is not None:
        try:
            return job_of(session, tenant, given.job_id, definitions)
        except NotFoundError:
            # Its message names the job's id, which is not for whoever asked for a number.
            given = None
    raise NotFoundError(f"there is no job with the number {number}")
