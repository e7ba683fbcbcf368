"""A file packed with gzip, unpacked for as long as it is read, within limits and leaving nothing behind."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from schemas.errors import FileRefusedError
from schemas.limits import Limits

GZIP = b"\x1f\x8b"
JUDGED_BYTES = 64 * 1024 * 1024
"""A file that unpacks to no more is small, however well it was packed."""
_CHUNK_BYTES = 1024 * 1024
_MIB = 1024 * 1024


@contextmanager
def plain_file(path: Path, limits: Limits, folder: Path | None) -> Iterator[tuple[Path, str | None]]:
    """The file itself and None; or, of a packed one, what was in it and `gzip`, gone when the block ends.

    Args:
        folder: where to unpack; the system's folder for temporary files where there is none.

    Raises:
        FileRefusedError: it is cut off or broken (`file.unreadable`), or what is in it is larger than
            allowed (`file.unpacked_limit`) or than a file that holds data (`file.unpacked_ratio`).
    """
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
    if not packed:
        yield path, None
        return
    with tempfile.NamedTemporaryFile(dir=folder, prefix="lading-", suffix=".unpacked") as out:
        _unpack(path, out, limits)
        out.flush()
        yield Path(out.name), "gzip"


def _unpack(path: Path, out: IO[bytes], limits: Limits) -> None:
    most_by_ratio = max(JUDGED_BYTES, limits.unpacked_ratio * path.stat().st_size)
    done = 0
    try:
        # Members that follow each other are one file, as for gunzip.
        with gzip.open(path) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                done += len(chunk)
                _refuse_too_much(done, most_by_ratio, limits)
                out.write(chunk)
    except EOFError as e:
        detail = "the gzip file is cut off: its end is missing; send it whole"
        raise FileRefusedError("file.unreadable", detail) from e
    except (gzip.BadGzipFile, zlib.error) as e:
        detail = f"the gzip file is broken ({e}); pack it anew and send it again"
        raise FileRefusedError("file.unreadable", detail) from e


def _refuse_too_much(done: int, most_by_ratio: int, limits: Limits) -> None:
    if done > limits.unpacked_bytes:
        size = f"{limits.unpacked_bytes // _MIB:,} MiB" if limits.unpacked_bytes >= _MIB else "the limit"
        raise FileRefusedError(
            "file.unpacked_limit",
            f"the gzip file holds more than {size}; split what is in it into several files",
        )
    if done > most_by_ratio:
        raise FileRefusedError(
            "file.unpacked_ratio",
            f"the gzip file holds more than {limits.unpacked_ratio:,} bytes for each of its own, which no file "
            "of data does; send it unpacked if it is meant",
        )
