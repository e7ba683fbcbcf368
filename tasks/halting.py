"""Notices that the work on a job is to stop before its end, even while the job is silent."""

from collections.abc import Callable
from contextlib import suppress

from schemas.errors import RetriableError
from store.database import Store
from store.jobs import refuse_cancelled, refuse_expired
from tasks.ending import refuse_when_ending


def looking_at(store: Store, job_id: str) -> Callable[[], None]:
    """Something to call now and then while the job is silent, which raises what is to stop the work on it."""

    def look() -> None:
        refuse_when_ending()
        with suppress(RetriableError), store.read() as session:
            refuse_cancelled(session, job_id)
            refuse_expired(session, job_id)

    return look
