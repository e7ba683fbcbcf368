"""Files of the web: fetched within limits of size and time, and only where they changed."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from urllib.parse import unquote, urlsplit

import httpx

from connectors.outgoing import guarded_client, operators_client
from schemas.errors import FatalError, LadingError, NotFoundError, RetriableError
from schemas.settings import Settings
from tasks.fetching import ContentMark, Fetched

MOST_REDIRECTS = 5
_LATER = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})


@contextmanager
def file_of_web(
    settings: Settings, url: str, known: ContentMark | None, *, is_operator: bool
) -> Iterator[Fetched | None]:
    """The file at this address; None where the server says that it is as it was.

    Args:
        is_operator: False for an address that a tenant chose, which may only be on the open internet.

    Raises:
        NotFoundError: there is none.
        NotAllowedError: a tenant may not have us go there.
        FatalError: the server refuses it, or it is larger than a file may be.
        RetriableError: the server is away, too slow, or has a fault.
    """
    make_client = operators_client if is_operator else guarded_client
    with make_client(seconds=settings.fetch_seconds, limit_bytes=settings.upload_limit_bytes) as client:
        client.max_redirects = MOST_REDIRECTS
        with _answer(client, url, known) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED and known is not None:
                yield None
                return
            _refuse_failure(answer.status_code, _shown(url))
            body = io.BufferedReader(_Body(answer, _shown(url)), io.DEFAULT_BUFFER_SIZE)
            yield Fetched(body, _file_name(answer), _mark(answer))


@contextmanager
def _answer(client: httpx.Client, url: str, known: ContentMark | None) -> Iterator[httpx.Response]:
    try:
        request = client.build_request("GET", url, headers=_conditions(known))
        answer = client.send(request, stream=True, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _sorted(error, _shown(url)) from error
    try:
        yield answer
    finally:
        answer.close()


def _conditions(known: ContentMark | None) -> dict[str, str]:
    if known is None:
        return {}
    if known.etag is not None:
        return {"If-None-Match": known.etag}
    return {} if known.last_modified is None else {"If-Modified-Since": known.last_modified}


def _mark(answer: httpx.Response) -> ContentMark:
    return ContentMark(answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


class _Body(io.RawIOBase):
    """The bytes of an answer, whose faults are ours."""

    def __init__(self, answer: httpx.Response, shown: str) -> None:
        self._pieces, self._rest, self._shown = answer.iter_raw(), b"", shown

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            while not self._rest:
                self._rest = next(self._pieces)
        except StopIteration:
            return 0
        except httpx.HTTPError as error:
            raise _sorted(error, self._shown) from error
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _sorted(error: Exception, shown: str) -> LadingError:
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        return RetriableError(f"fetching {shown} failed: {error or type(error).__name__}; try again later")
    return FatalError(f"{shown} can't be fetched: {error}; look after the address")


def _refuse_failure(status: int, shown: str) -> None:
    """Nothing, where the answer is the file."""
    if status == httpx.codes.OK:
        return
    said = f"fetching {shown} was answered with {status}"
    if status in _GONE:
        raise NotFoundError(f"{said}: there is no such file")
    if status in _LATER or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise RetriableError(f"{said}; try again later")
    raise FatalError(f"{said}; look after the address and the rights there")


def _shown(url: str) -> str:
    """The address without its query, which may be as good as a password."""
    return url.partition("?")[0].partition("#")[0]


def _file_name(answer: httpx.Response) -> str:
    """As the server calls the file, else the last part of the address from which it came at last."""
    header = Message()
    header["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
    path = urlsplit(str(answer.url)).path
    return header.get_filename() or unquote(path).rpartition("/")[2] or str(answer.url.host)
