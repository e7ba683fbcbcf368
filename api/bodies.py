"""Bodies of requests, counted while they stream: one that is too large is refused before it is all here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MALFORMED_BODY, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, ProblemError
from tasks.copying import room

MOST_FIELDS = 20
FIELD_BYTES = 4096
_HELD_BYTES = 1 << 16
_MULTIPART = "multipart/form-data"


class BodyLimit:
    """The layer of the app that keeps every body of every route within so many bytes."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            receive = counted(receive, Headers(scope=scope), self._limit_bytes)
        await self._app(scope, receive, send)


def counted(receive: Receive, headers: Headers, limit_bytes: int) -> Receive:
    """The same body, which ends in a problem as soon as it is known to have more bytes than allowed.

    Where `Content-Length` says so, that is before the first byte; a client that waits for `100 Continue` is
    never told to send.

    Raises:
        ProblemError: 413, when it is received.
    """
    received_bytes = 0
    said = headers.get("Content-Length", "")
    said_bytes = int(said) if said.isascii() and said.isdecimal() else 0

    async def counting() -> Message:
        nonlocal received_bytes
        if said_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        return message

    return counting


async def text_of(request: Request, limit_bytes: int) -> str:
    """The body as text.

    Raises:
        ProblemError: 413 or 400; it has more bytes than that, or is not UTF-8.
    """
    receive = counted(request.receive, request.headers, limit_bytes)
    body = await Request(request.scope, receive).body()
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(MALFORMED_BODY, f"the body is not UTF-8 text: {error.reason}") from error


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[FormData]:
    """The fields and the one file of a multipart body; the file lies on disk and is gone after the block.

    Raises:
        ProblemError: 415 or 400; it is no such body, or is cut off, or has too many or too long parts.
        NoSpaceError: there is no room for its file.
    """
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _MULTIPART:
        raise unsupported(request, (_MULTIPART,))
    parser = _Parser(
        request.headers, request.stream(), max_files=1, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES
    )
    try:
        with room():
            form = await parser.parse()
    except MultiPartException as error:
        raise ProblemError(MALFORMED_BODY, f"the multipart body can't be read: {error.message}") from error
    try:
        if not parser.is_whole:
            raise ProblemError(MALFORMED_BODY, "the multipart body ends before its last boundary")
        yield form
    finally:
        parser.close()


def unsupported(request: Request, supported: tuple[str, ...]) -> ProblemError:
    """The problem that the body is of no type that is read here."""
    said = request.headers.get("Content-Type")
    sent = "no Content-Type" if said is None else f"Content-Type {said[:100]!r}"
    detail = f"{sent} is not read here; send {' or '.join(supported)}"
    return ProblemError(UNSUPPORTED_MEDIA_TYPE, detail, members={"supported": supported})


class _Parser(MultiPartParser):
    """Starlette's own, which also tells whether the last boundary came."""

    spool_max_size = _HELD_BYTES
    is_whole = False

    def on_end(self) -> None:
        self.is_whole = True

    def close(self) -> None:
        """Give up what was received; a file that was begun but did not end is not among the form's."""
        for file in self._files_to_close_on_error:
            file.close()


def _too_large(limit_bytes: int) -> ProblemError:
    detail = f"the body has more than the {limit_bytes:,} bytes that are allowed; nothing of it was kept"
    return ProblemError(TOO_LARGE, detail, members={"limit_bytes": limit_bytes})
