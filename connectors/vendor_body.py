"""Bodies of calls to vendors: files are streamed from disk, anew for each try, and never whole in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class FileForm:
    """A multipart form with one part: a file, or a piece of one that is small.

    Attributes:
        part: its name.
        file_name: as the vendor is to call the file.
        offset: 0-based, of the first byte.
        size_bytes: None: up to its end; a piece is whole in memory.
    """

    part: str
    path: Path
    file_name: str
    media_type: str = "application/octet-stream"
    offset: int = 0
    size_bytes: int | None = None


@dataclass(frozen=True)
class FileBody:
    """A file, or a piece of one, as it is.

    Attributes:
        offset: 0-based, of the first byte.
        size_bytes: None: up to its end.
    """

    path: Path
    media_type: str = "application/octet-stream"
    offset: int = 0
    size_bytes: int | None = None


@dataclass(frozen=True)
class JsonBody:
    """A JSON message, as a wire model encodes it."""

    content: bytes


Body = FileForm | FileBody | JsonBody


@contextmanager
def opened(body: Body | None) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
    """What httpx is told of the body, and the headers that go with it; a file is open until the block ends."""
    if body is None:
        yield {}, {}
    elif isinstance(body, JsonBody):
        yield {"content": body.content}, {"Content-Type": "application/json"}
    else:
        with body.path.open("rb") as file:
            if isinstance(body, FileForm):
                yield {"files": {body.part: (body.file_name, _part(file, body), body.media_type)}}, {}
            else:
                size = _size(body)
                headers = {"Content-Type": body.media_type, "Content-Length": str(size)}
                yield {"content": _pieces(file, body.offset, size)}, headers


def _size(body: FileBody) -> int:
    if body.size_bytes is not None:
        return body.size_bytes
    return body.path.stat().st_size - body.offset


def _part(file: BinaryIO, body: FileForm) -> BinaryIO:
    """What the part of the form is read from."""
    file.seek(body.offset)
    return file if body.size_bytes is None else BytesIO(file.read(body.size_bytes))


def _pieces(file: BinaryIO, offset: int, size_bytes: int) -> Iterator[bytes]:
    file.seek(offset)
    while size_bytes > 0 and (piece := file.read(min(_PIECE_BYTES, size_bytes))):
        size_bytes -= len(piece)
        yield piece
