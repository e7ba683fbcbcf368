"""Bodies that come to a face: on disk, counted while they stream, refused by an error of no vendor's shape."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request

from api.bodies import counted, form_of
from api.problems import ProblemError
from connectors.face import Received
from schemas.errors import BodyError
from tasks.copying import room
from tasks.file_names import plain_name

HELD_BYTES = 1 << 16
"""A body that is larger goes to the disk."""


@asynccontextmanager
async def received_form(
    request: Request, parts: Sequence[str], limit_bytes: int | None
) -> AsyncIterator[Received]:
    """The one file of a multipart form, under any of the names in `parts`; gone after the block.

    Raises:
        BodyError: the body is too large, or no form with one such part.
    """
    form = form_of(_limited(request, limit_bytes))
    with _understood():
        fields = await form.__aenter__()
    try:
        found = [(name, value) for name, value in fields.multi_items() if isinstance(value, UploadFile)]
        if len(found) != 1 or found[0][0] not in parts:
            raise BodyError(400, f"one file is expected, in the part {' or '.join(map(repr, parts))}")
        file = found[0][1]
        texts = {name: value for name, value in fields.multi_items() if isinstance(value, str)}
        name = plain_name(file.filename) if file.filename else ""
        yield Received(file.file, name, file.size or 0, texts)
    finally:
        await form.__aexit__(None, None, None)


@asynccontextmanager
async def received_body(request: Request, limit_bytes: int | None) -> AsyncIterator[Received]:
    """The body as it is, as a file; gone after the block.

    Raises:
        BodyError: it is too large, or was cut off.
    """
    with SpooledTemporaryFile(HELD_BYTES) as file:
        size_bytes = 0
        with _understood(), room():
            async for block in _limited(request, limit_bytes).stream():
                size_bytes += file.write(block)
        file.seek(0)
        yield Received(cast(BinaryIO, file), "", size_bytes, {})


def _limited(request: Request, limit_bytes: int | None) -> Request:
    if limit_bytes is None:
        return request
    return Request(request.scope, counted(request.receive, request.headers, limit_bytes))


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except ProblemError as error:
        raise BodyError(error.kind.status.value, error.detail) from error
    except ClientDisconnect as error:
        raise BodyError(400, "the body was cut off") from error
