"""A file that a client brings under an id of its own making, in parts or whole: the words of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO


@dataclass(frozen=True)
class FileRules:
    """What holds for the files that come in by one door.

    Attributes:
        smallest_part_bytes: that every part but the last must have.
        tenant_bytes: that all files of a tenant which are kept this way may have together.
        kept_seconds: from when its last part came; None: for good.
    """

    smallest_part_bytes: int
    tenant_bytes: int
    kept_seconds: float | None


@dataclass(frozen=True)
class FilePart:
    """One part of a client's file, or all of it.

    Attributes:
        client_hash: the UUID that the client made, in its usual form.
        file: the bytes of the part, whole, open at their start.
        file_name: as the client calls the file; the first part's counts.
        directory: where the client puts it; None: nowhere, it is temporary.
        start: 0-based place of the part's first byte in the file.
        size_bytes: of the part.
        total_bytes: of the file.
    """

    client_hash: str
    file: BinaryIO
    file_name: str
    directory: str | None
    start: int
    size_bytes: int
    total_bytes: int

    @property
    def end(self) -> int:
        """The place behind the part's last byte."""
        return self.start + self.size_bytes


@dataclass(frozen=True)
class KeptFile:
    """A client's file as far as it came.

    Attributes:
        file_name: another than the client's where the directory had that already.
        is_whole: nothing is missing.
    """

    file_name: str
    size_bytes: int
    is_whole: bool


@dataclass(frozen=True)
class OpenFile:
    """A client's file, whole, to be read.

    Attributes:
        file: open at its start; the caller closes it.
        expires_at: when it is gone; None: it is kept.
    """

    file: BinaryIO
    file_name: str
    size_bytes: int
    expires_at: datetime | None
