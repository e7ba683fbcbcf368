"""Takes the bytes of a file into the home, known by their hash, before anything is decided about them."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from schemas.errors import FatalError, NoSpaceError
from schemas.settings import Settings

READ_BYTES = 1 << 20
LEFTOVER = ".part"
"""How the names of copies end that are not whole yet; one that stays is of an upload that was killed."""


@dataclass(frozen=True)
class Copy:
    """The bytes of a file, not in their place yet."""

    path: Path
    sha256: str
    size_bytes: int

    def move_to(self, target: Path) -> None:
        """Put the bytes in their place, whether or not the same ones are there."""
        with told(f"{target} could not be written"):
            target.parent.mkdir(exist_ok=True, mode=0o700)
            self.path.replace(target)


@contextmanager
def copied(settings: Settings, original: BinaryIO, what: str) -> Iterator[Copy]:
    """A copy of the file under a name of its own; gone at the end, if it was not moved.

    Args:
        original: open for reading, at its start; left open.
        what: how messages call it.

    Raises:
        NoSpaceError: there is no room for it.
        FatalError: it can't be read, or the home not be written.
    """
    folder = settings.uploads_path
    digest, size_bytes = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        with told(f"{what} could not be copied into {folder}"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy = stack.enter_context(NamedTemporaryFile(dir=folder, suffix=LEFTOVER, delete=False))
            stack.callback(Path(copy.name).unlink, missing_ok=True)
            while block := original.read(READ_BYTES):
                digest.update(block)
                size_bytes += copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        yield Copy(Path(copy.name), digest.hexdigest(), size_bytes)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Says what the system refused, and begins with `what`.

    Raises:
        NoSpaceError: there is no room.
        FatalError: it was anything else.
    """
    try:
        with room():
            yield
    except OSError as error:
        raise FatalError(f"{what}: {error}") from error


@contextmanager
def room() -> Iterator[None]:
    """Around what writes the bytes of a file.

    Raises:
        NoSpaceError: the disk, or what we may have of it, is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpaceError("not enough disk space for the file") from error
        raise
