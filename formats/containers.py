"""What is inside a ZIP archive or an OLE file: enough to tell one kind of workbook from another."""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from schemas.errors import FileRefusedError

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What `zipfile` raises for an archive, or a part of one, that is damaged (or locked: RuntimeError)."""
_CHUNK_BYTES = 1024 * 1024
_OVERLAP_BYTES = 256
_SECTOR_SHIFTS = (9, 12)
_NO_SECTOR, _FREE = 0xFFFFFFFA, 0xFFFFFFFF


def zip_names(path: Path) -> frozenset[str] | None:
    """The names of the archive's parts in lower case; None where the archive is cut off or broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(name.lower() for name in archive.namelist())
    except BROKEN_ZIP:
        return None


def holds_part(path: Path, head: bytes, part: str) -> bool:
    """Whether the file is a ZIP archive with this part; a broken one is judged by what its head names.

    Args:
        part: in lower case.
    """
    if not head.startswith(ZIP):
        return False
    names = zip_names(path)
    return part in names if names is not None else part.encode() in head.lower()


def is_broken_zip(path: Path, head: bytes) -> bool:
    """Whether the file begins as a ZIP archive but has no directory of parts."""
    return head.startswith(ZIP) and zip_names(path) is None


def ole_stream(path: Path, head: bytes, names: tuple[str, ...]) -> str | None:
    """The first of the names that a stream of the OLE file has; None where there is none.

    Raises:
        FileRefusedError: it is a workbook behind a password (`file.unreadable`).
    """
    if not head.startswith(OLE):
        return None
    if _names_stream(path, "EncryptedPackage"):
        raise locked()
    return next((name for name in names if _names_stream(path, f"{name}\0")), None)


def is_cut_ole(path: Path) -> bool:
    """Whether sectors are missing that the OLE file's own table of sectors says are in use."""
    with path.open("rb") as stream:
        header = stream.read(512)
        if len(header) < 512 or header[30] not in _SECTOR_SHIFTS:
            return True
        sector_bytes: int = 1 << header[30]
        directory, following = struct.unpack_from("<I", header, 48)[0], struct.unpack_from("<I", header, 68)[0]
        if _sector(stream, directory, sector_bytes) is None:
            return True
        tables = list(struct.unpack_from("<109I", header, 76))
        seen: set[int] = set()
        while following < _NO_SECTOR and following not in seen:
            seen.add(following)
            sector = _sector(stream, following, sector_bytes)
            if sector is None:
                return True
            tables += sector[:-1]
            following = sector[-1]
        last = 0
        for number, table in enumerate(t for t in tables if t < _NO_SECTOR):
            sector = _sector(stream, table, sector_bytes)
            if sector is None:
                return True
            used = [index for index, entry in enumerate(sector) if entry != _FREE]
            last = number * len(sector) + used[-1] if used else last
        return path.stat().st_size <= int(last + 1) * sector_bytes


def _sector(stream: BinaryIO, number: int, sector_bytes: int) -> tuple[int, ...] | None:
    """The sector as numbers; None where it is not whole."""
    stream.seek((number + 1) * sector_bytes)
    content = stream.read(sector_bytes)
    return struct.unpack(f"<{sector_bytes // 4}I", content) if len(content) == sector_bytes else None


def locked() -> FileRefusedError:
    """The refusal of a workbook behind a password."""
    return FileRefusedError(
        "file.unreadable", "the workbook is protected by a password; save it without one and send it again"
    )


def holds(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether the pattern, of at most `_OVERLAP_BYTES`, stands anywhere in the file, which may be large."""
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if pattern.search(tail + chunk):
                return True
            tail = chunk[-_OVERLAP_BYTES:]
    return False


def _names_stream(path: Path, name: str) -> bool:
    return holds(path, re.compile(re.escape(name.encode("utf-16-le"))))
