"""When the work on a job is to stop before its end: somebody cancelled it, or this process is about to end."""

import threading
from collections.abc import Callable
from contextlib import suppress

from schemas.errors import ProcessEndsError, RetriableError
from store.database import Store
from store.jobs import refuse_cancelled, refuse_expired

_ENDING = threading.Event()
"""Set once, when this process was told to end; nothing can take that back."""


def end_soon() -> None:
    """Let whatever works on jobs in this process stop at its next chunk; the jobs stay where they are."""
    _ENDING.set()


def is_ending(wait_seconds: float = 0.0) -> bool:
    """Whether this process is about to end; waits so long for it to be."""
    return _ENDING.wait(wait_seconds)


def refuse_when_ending() -> None:
    """Stop whoever works on a job in a process that is about to end.

    Raises:
        ProcessEndsError: it is.
    """
    if is_ending():
        raise ProcessEndsError("this process is about to end; the job stays where it is")


def looking_at(store: Store, job_id: str) -> Callable[[], None]:
    """Something to call now and then while the job is silent, which raises what is to stop the work on it."""

    def look() -> None:
        refuse_when_ending()
        with suppress(RetriableError), store.read() as session:
            refuse_cancelled(session, job_id)
            refuse_expired(session, job_id)

    return look
