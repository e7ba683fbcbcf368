"""Opens the file that is to be imported, wherever it lies; or finds that it is as it was."""

import glob
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from destinations.places import FoundFile, OpenPlace, opened_place
from schemas.errors import FatalError, NotFoundError
from schemas.place_secrets import unsealing
from schemas.settings import Settings
from schemas.source import Source
from tasks.copying import told


@dataclass(frozen=True)
class ContentMark:
    """What a place says by which its content is known again.

    Attributes:
        etag: of HTTP; of other places their version of the file.
        last_modified: of HTTP.
    """

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A file, open at its start.

    Attributes:
        file_name: as its place calls it.
    """

    file: BinaryIO
    file_name: str
    mark: ContentMark


@contextmanager
def opened_path(path: Path) -> Iterator[Fetched]:
    """The file of this machine.

    Raises:
        NotFoundError: there is none.
        FatalError: it is no regular file, or can't be read.
    """
    _refuse_irregular(path)
    with told(f"{path} could not be read"):
        file = path.open("rb")
    with file:
        yield Fetched(file, path.name, ContentMark())


@contextmanager
def file_of_place(
    settings: Settings, tenant: str, source: Source, known: ContentMark | None
) -> Iterator[Fetched | None]:
    """The one file that the source names; None where its place says that it is as it was.

    Args:
        tenant: whose definition names it.

    Raises:
        NotFoundError: there is none.
        FatalError: the place refuses it, or it is larger than a file may be.
        RetriableError: the place is away.
    """
    with opened_place(source, unsealing(settings, tenant)) as place:
        found = _found(place, source)
        limit_bytes = settings.upload_limit_bytes
        if (found.size_bytes or 0) > limit_bytes:
            raise _too_large(limit_bytes)
        if known is not None and found.version and found.version == known.etag:
            yield None
            return
        with place.reading(found.path) as file:
            limited = io.BufferedReader(_Limited(file, limit_bytes), io.DEFAULT_BUFFER_SIZE)
            yield Fetched(limited, found.name, ContentMark(found.version or None))


class _Limited(io.RawIOBase):
    """The bytes of a file, up to a limit."""

    def __init__(self, file: BinaryIO, limit_bytes: int) -> None:
        self._file, self._left, self._limit_bytes = file, limit_bytes, limit_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._limit_bytes)
        buffer[: len(data)] = data
        return len(data)


def _too_large(limit_bytes: int) -> FatalError:
    return FatalError(f"the file has more than the {limit_bytes:,} bytes of LADING_UPLOAD_LIMIT_BYTES")


def _found(place: OpenPlace, source: Source) -> FoundFile:
    found = place.find(glob.escape(source.address.path))
    if not found:
        raise NotFoundError(f"there is no file {source.address.path} on {place.shown}")
    return found[0]


def _refuse_irregular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        where = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise NotFoundError(f"there is no file {str(path)!r}{where}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise FatalError(f"{str(path)!r} is no regular file; give the path of one file")
