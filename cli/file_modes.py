"""Who may read what commands write: Lading's own files only their owner, those asked for by name as usual."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_USERS_UMASK: ContextVar[int] = ContextVar("users_umask")


@contextmanager
def closed_to_others() -> Iterator[None]:
    """Everything that is made inside, by this process or a child, is closed to other users."""
    umask = os.umask(0o077)
    token = _USERS_UMASK.set(umask)
    try:
        yield
    finally:
        _USERS_UMASK.reset(token)
        os.umask(umask)


def open_as_usual(path: Path) -> None:
    """Give a file that the user asked for by name the mode that the user's own umask gives new files."""
    path.chmod(0o666 & ~_USERS_UMASK.get())
