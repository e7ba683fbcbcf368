"""ZIP archives of unknown people: what they would unpack to is judged before anything is unpacked."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from formats.packing import JUDGED_BYTES
from schemas.errors import FileRefusedError
from schemas.limits import Limits

CHUNK_BYTES = 2**20
_ENTRY = b"PK\x01\x02"
_USUAL_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """The archive, once it is known to be harmless by its directory; parts end at the size told there.

    Raises:
        FileRefusedError: it has too many parts (`file.archive_entries`), holds too much
            (`file.unpacked_limit`), is packed too tightly (`file.unpacked_ratio`), or lies about its
            parts (`file.unreadable`).
    """
    _refuse_many_entries(path, limits)
    with zipfile.ZipFile(path) as archive:
        _refuse_odd_entries(archive)
        _refuse_unpacked(sum(part.file_size for part in archive.infolist()), path, limits)
        yield archive


def refuse_false_sizes(archive: zipfile.ZipFile) -> None:
    """Unpack every part, in flat memory, for a reader that would not stop at the size told.

    Raises:
        FileRefusedError: more or less comes out than the directory says (`file.unreadable`).
        BadZipFile: what comes out is not what was packed.
    """
    for part in archive.infolist():
        told, part.file_size = part.file_size, 2**63 - 1
        try:
            with archive.open(part) as stream:
                found = sum(len(chunk) for chunk in _until(stream, told))
        finally:
            part.file_size = told
        if found != told:
            raise FileRefusedError(
                "file.unreadable",
                f"the archive says that {part.filename} holds {told:,} bytes, but it holds "
                f"{'more' if found > told else f'{found:,}'}",
            )


def _until(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """The stream, but not much more than `most` bytes."""
    left = most
    while left >= 0 and (chunk := stream.read(CHUNK_BYTES)):
        left -= len(chunk)
        yield chunk


def _refuse_many_entries(path: Path, limits: Limits) -> None:
    """Count the entries in the bytes: the directory lies, and reading it takes memory for each."""
    found, tail = 0, b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            found += (tail + chunk).count(_ENTRY)
            tail = chunk[-len(_ENTRY) + 1 :]
    if found > limits.archive_entries:
        raise FileRefusedError(
            "file.archive_entries",
            f"the archive has {found:,} parts; {limits.archive_entries:,} are allowed",
        )


def _refuse_odd_entries(archive: zipfile.ZipFile) -> None:
    """Two readers may see two different parts where names or places are not unique."""
    names: set[str] = set()
    places: set[int] = set()
    for part in archive.infolist():
        name = part.filename.casefold()
        if name in names or part.header_offset in places:
            raise FileRefusedError("file.unreadable", f"the archive has the part {part.filename} twice")
        if part.compress_type not in _USUAL_METHODS:
            raise FileRefusedError(
                "file.unreadable", f"{part.filename} is packed in a way that no workbook is; save it anew"
            )
        names.add(name)
        places.add(part.header_offset)


def _refuse_unpacked(unpacked_bytes: int, path: Path, limits: Limits) -> None:
    if unpacked_bytes > limits.unpacked_bytes:
        raise FileRefusedError(
            "file.unpacked_limit",
            f"unpacked, the file would have {unpacked_bytes:,} bytes; {limits.unpacked_bytes:,} are allowed",
        )
    ratio = unpacked_bytes / path.stat().st_size
    if unpacked_bytes > JUDGED_BYTES and ratio > limits.unpacked_ratio:
        raise FileRefusedError(
            "file.unpacked_ratio",
            f"unpacked, the file would have {unpacked_bytes:,} bytes, more than "
            f"{limits.unpacked_ratio:,} for each of its own, which no file of data does",
        )
