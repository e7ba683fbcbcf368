"""Opens a place: its secrets are read at that moment, and nowhere else."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from glob import escape
from pathlib import Path
from typing import BinaryIO

from destinations.places.driver import READ_BYTES, Driver
from destinations.places.found import FoundFile
from destinations.places.meaning import Meaning, sorted_errors
from schemas.errors import FatalError
from schemas.place import DISK, Address, Place, PlaceOption
from schemas.place_secrets import Unseal, opened_secrets_of

OpenDriver = Callable[[Address, Mapping[str, PlaceOption], Mapping[str, str]], Driver]

PART = ".part"
"""How the name of a file ends that is not whole yet."""


class OpenPlace:
    """The filesystem of one place. Paths are those of `Address.path`.

    Every method raises `NotFoundError`, `NoSpaceError` or `FatalError` where only a person can help, and
    `RetriableError` where the place is away or does not answer in time.

    Attributes:
        shown: the place, for messages.
    """

    def __init__(self, driver: Driver, root: str, shown: str) -> None:
        self._driver = driver
        self._root = root
        self.shown = shown

    def find(self, pattern: str) -> list[FoundFile]:
        """The files whose path matches, in order of path: `*`, `?` and `[a-z]` in a name, `**` for folders.

        A path without such marks finds the one file, or none.
        """
        with self._sorted(f"looking for {pattern} on {self.shown}"):
            found = self._driver.files.glob(self._root + pattern, detail=True)
            files = {path: told for path, told in found.items() if told["type"] == "file"}
            return [self._found(path, files[path]) for path in sorted(files)]

    @contextmanager
    def reading(self, path: str) -> Iterator[BinaryIO]:
        """The bytes of the file, which are whole where reading comes to an end without an error.

        A place of which one file was not read to its end is not used any more.
        """
        attempt = f"reading {path} on {self.shown}"
        with self._sorted(attempt):
            raw = self._driver.read(self._root + path)
        with io.BufferedReader(_Sorted(raw, attempt, self._driver.meaning), READ_BYTES) as stream:
            yield stream

    def put(self, source: Path, path: str, mark: str) -> None:
        """Put a copy of the file there, whole or not at all, over one of that name; makes its folder.

        Args:
            mark: names the temporary file, whose name is otherwise that of the file: the same mark again
                replaces it, and no other does.
        """
        with self._sorted(f"writing {path} on {self.shown}"):
            self._driver.put(source, self._root + path, self._root + _temporary(path, mark))

    def clear(self, path: str, mark: str) -> None:
        """Remove the temporary files that interrupted `put`s of this file left, with marks that begin so."""
        pattern = escape(self._root + _temporary(path, mark).removesuffix(PART)) + f"*{PART}"
        with self._sorted(f"removing {pattern} on {self.shown}"):
            for temporary in self._driver.files.glob(pattern):
                self._driver.files.rm_file(temporary)

    def _found(self, path: str, told: Mapping[str, object]) -> FoundFile:
        size = told.get("size")
        tag = told.get("ETag") or told.get("mtime") or told.get("modify")
        version = "" if tag is None else f"{tag} {size}"
        return FoundFile(path.removeprefix(self._root), size if isinstance(size, int) else None, version)

    def _sorted(self, attempt: str) -> AbstractContextManager[None]:
        return sorted_errors(attempt, self._driver.meaning)


@contextmanager
def opened_place(place: Place, unseal: Unseal | None = None) -> Iterator[OpenPlace]:
    """The place, open until the end of the block.

    Args:
        unseal: opens secrets that were sealed; None where none can be.

    Raises:
        FatalError: a variable that it names is not set, a secret can't be opened, the login is refused, or the
            server is not the one that it should be.
        RetriableError: it is away, or does not answer in time.
    """
    address = place.address
    secrets = opened_secrets_of(place, unseal)
    open_driver, meaning = _opening(address.scheme)
    with sorted_errors(f"opening {address.shown}", meaning):
        driver = open_driver(address, place.options, secrets)
    try:
        yield OpenPlace(driver, f"{address.host}" if address.scheme == "s3" else "", address.shown)
    finally:
        driver.close()


def _opening(scheme: str) -> tuple[OpenDriver, Meaning]:
    """How the places of this scheme are opened; the libraries are loaded where they are needed."""
    if scheme == DISK:
        from destinations.places import disk

        return disk.open_driver, disk.meaning
    if scheme == "ftp":
        from destinations.places import ftp

        return ftp.open_driver, ftp.meaning
    if scheme == "sftp":
        from destinations.places import sftp

        return sftp.open_driver, sftp.meaning
    if scheme == "s3":
        from destinations.places import s3

        return s3.open_driver, s3.meaning
    raise FatalError(f"files of {scheme}:// are no place that can be opened")


def _temporary(path: str, mark: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.{mark}{PART}"


class _Sorted(io.RawIOBase):
    """A stream that raises errors of Lading alone."""

    def __init__(self, raw: BinaryIO, attempt: str, meaning: Meaning) -> None:
        self._raw, self._attempt, self._meaning = raw, attempt, meaning

    def readable(self) -> bool:
        """It is read from the first byte to the last."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with sorted_errors(self._attempt, self._meaning):
            data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()
