"""Sorts what the libraries of places raise by what the caller should do next."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.errors import FatalError, LadingError, NoSpaceError, NotFoundError, RetriableError

Meaning = Callable[[Exception], type[LadingError] | None]

_LOOK = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)
"""What only a person can change."""
_UNFIT = frozenset({errno.ENAMETOOLONG, errno.EROFS})
"""Likewise, where the error has no class of its own."""


@contextmanager
def sorted_errors(attempt: str, meaning: Meaning) -> Iterator[None]:
    """Turns what a library raises into an error of Lading; `attempt` says what was being done.

    Args:
        meaning: of errors that only the library in use knows.

    Raises:
        NotFoundError: there is no such file or folder.
        NoSpaceError: there is no room for it.
        FatalError: the place refuses it: a wrong login or key, or a right that is missing.
        RetriableError: the place is away, or does not answer in time.
    """
    try:
        yield
    except LadingError:
        raise
    except Exception as error:
        kind = meaning(error) or _of_the_system(error)
        if kind is None:
            raise
        said = str(error).strip() or type(error).__name__
        raise kind(f"{attempt} failed: {said}{_ADVICE.get(kind, '')}") from error


_ADVICE = {
    RetriableError: "; the place is away or busy, try again later",
    FatalError: "; look after the login, the key and the rights there",
}


def _of_the_system(error: Exception) -> type[LadingError] | None:
    if isinstance(error, FileNotFoundError):
        return NotFoundError
    if isinstance(error, _LOOK):
        return FatalError
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpaceError
    if isinstance(error, OSError) and error.errno in _UNFIT:
        return FatalError
    return RetriableError if isinstance(error, (OSError, EOFError)) else None
