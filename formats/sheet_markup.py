"""The rows of a sheet, or the texts of a workbook, as pieces of plain XML, in flat memory.

The XML is not parsed here: it is cut where an element begins that repeats, so that the reader can take one
piece after the other.
"""

import re
import zipfile
from collections.abc import Generator, Iterator
from itertools import chain
from typing import IO

import numpy as np

from schemas.errors import FileRefusedError

PIECE_BYTES = 2**20
LONGEST_BYTES = 32 * 2**20
"""What one row, or whatever stands before the first, may have; Excel writes far less."""

_SPECIAL = re.compile(rb"<!--|<!\[CDATA\[|<\?|<!")
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


def pieces(
    archive: zipfile.ZipFile, part: str, container: str, element: str, piece_bytes: int = PIECE_BYTES
) -> Generator[bytes, None, None]:
    """All `element`s inside the first `container` of the part, many at a time, without name prefixes.

    The whole part is read, so that its checksum is compared; nothing comes where it has no `container`.

    Args:
        piece_bytes: how much a piece has at least, but for the last; a fourth of it is read at a time.

    Raises:
        FileRefusedError: the XML can't be cut, or declares a document type (`file.unreadable`).
        BadZipFile: the part is damaged.
    """
    with archive.open(part) as stream:
        chunks = _plain(stream, part, max(piece_bytes // 4, 1))
        opened = _opened(chunks, container, part)
        if opened is not None:
            prefix, first = opened
            begin, end = b"<" + prefix + element.encode(), b"</" + prefix + container.encode()
            for piece in _cut(chain([first], chunks), begin, end, part, piece_bytes):
                yield _without(prefix, piece)
        for _ in chunks:
            pass


def _opened(chunks: Iterator[bytes], container: str, part: str) -> tuple[bytes, bytes] | None:
    """The prefix of the container's name, and what follows its tag; None where it holds nothing."""
    opening = re.compile(rb"<((?:[^\s<>/:]+:)?)%s(?:\s[^>]*)?>" % container.encode())
    pending = b""
    for chunk in chunks:
        pending = _not_too_long(pending + chunk, part)
        if found := opening.search(pending):
            return None if found[0].endswith(b"/>") else (found[1], pending[found.end() :])
    return None


def _cut(chunks: Iterator[bytes], begin: bytes, end: bytes, part: str, piece_bytes: int) -> Iterator[bytes]:
    """What stands before `end`, cut where a `begin` stands; no tag lies across the border of two chunks."""
    pending = b""
    for chunk in chunks:
        if (last := chunk.find(end)) >= 0:
            yield pending + chunk[:last]
            return
        cut = chunk.rfind(begin)
        if cut >= 0 and len(pending) + cut >= piece_bytes:
            yield pending + chunk[:cut]
            pending = chunk[cut:]
        else:
            pending = _not_too_long(pending + chunk, part)
    raise _refusal(part, "ends in the middle")


def _without(prefix: bytes, piece: bytes) -> bytes:
    return piece.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</") if prefix else piece


def _plain(stream: IO[bytes], part: str, chunk_bytes: int) -> Iterator[bytes]:
    """The XML without comments, instructions and CDATA; each chunk but the first begins with a tag."""
    rest = b""
    while chunk := stream.read(chunk_bytes):
        text = _not_too_long(rest + chunk, part)
        last = max(text.rfind(b"<"), 0)
        text, rest = text[:last], text[last:]
        if _has_special(text):
            text, unfinished = _without_special(text, part)
            rest = unfinished + rest
        yield text
    text, rest = _without_special(rest, part)
    if rest:
        raise _refusal(part, "ends in the middle")
    yield text


def _has_special(text: bytes) -> bool:
    letters = np.frombuffer(text + b" ", dtype=np.uint8)
    after = letters[np.flatnonzero(letters == ord("<")) + 1]
    return bool(((after == ord("!")) | (after == ord("?"))).any())


def _without_special(text: bytes, part: str) -> tuple[bytes, bytes]:
    """The text with what comments and the like mean, up to one that does not end here; and that one."""
    found: list[bytes] = []
    position = 0
    while special := _SPECIAL.search(text, position):
        kind = special[0]
        if kind not in _ENDS:
            raise _refusal(part, "declares a document type, as no workbook does")
        found.append(text[position : special.start()])
        last = text.find(_ENDS[kind], special.end())
        if last < 0:
            return b"".join(found), text[special.start() :]
        if kind == b"<![CDATA[":
            content = text[special.end() : last].replace(b"&", b"&amp;")
            found.append(content.replace(b"<", b"&lt;").replace(b">", b"&gt;"))
        position = last + len(_ENDS[kind])
    return b"".join([*found, text[position:]]), b""


def _not_too_long(text: bytes, part: str) -> bytes:
    if len(text) > LONGEST_BYTES:
        raise _refusal(part, f"has a text or row of more than {LONGEST_BYTES:,} bytes")
    return text


def _refusal(part: str, what: str) -> FileRefusedError:
    return FileRefusedError("file.unreadable", f"{part} {what}; correct the workbook in Excel and save it anew")
