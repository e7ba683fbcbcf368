"""Whether this process is about to end: then whatever works on jobs stops, and the jobs stay where they are."""

import threading

from schemas.errors import ProcessEndsError

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
