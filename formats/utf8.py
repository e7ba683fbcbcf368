"""Bytes of UTF-8: whether they are, and where a character ends."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl


def verify_utf8(data: bytes) -> None:
    """Pass bytes that are whole characters.

    Raises:
        UnicodeDecodeError: they are no UTF-8.
    """
    try:
        # polars looks at many bytes at once; only Python tells which one is wrong.
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        data.decode()


def whole_characters(path: Path, piece_bytes: int) -> Iterator[bytes]:
    """The file in pieces of about this size which part no character of UTF-8, if it is UTF-8."""
    held = b""
    with path.open("rb") as stream:
        while chunk := stream.read(piece_bytes):
            piece = held + chunk
            end = _end_of_characters(piece)
            held = piece[end:]
            yield piece[:end] if held else piece
    if held:
        yield held


def _end_of_characters(data: bytes) -> int:
    """Where the character begins that is cut off at the end of the bytes; their number where none is."""
    for length in range(1, min(4, len(data)) + 1):
        byte = data[-length]
        if byte < 0x80:
            return len(data)
        if byte >= 0xC0:
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if wanted <= length else len(data) - length
    return len(data)
