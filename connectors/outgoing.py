"""Calls that leave the house to addresses that others chose: where they may go, and what they may cost.

A client made here is an ordinary `httpx.Client`. Every connection it makes, those after a redirect too, goes
to an address that was looked up once and found allowed, and every call has an end in time and size.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from schemas.errors import FatalError, NotAllowedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_BYTES = 2**20
KEPT_SECONDS = 3.0
"""An idle connection is kept for so long; many servers close theirs after 5 s, and no call should meet that."""
_SILENT_SECONDS = 1.0
"""A call that waits for the other side looks so often whether it is still wanted."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """True when the address can only be somebody's on the open internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def guarded_client(
    *,
    seconds: float,
    limit_bytes: int = MOST_BYTES,
    is_allowed: Callable[[Address], bool] = is_public,
    verify: ssl.SSLContext | None = None,
    look: Callable[[], None] = lambda: None,
) -> httpx.Client:
    """A client for addresses that a tenant chose: https only, and to the open internet only.

    Its calls raise what httpx raises, and those below; `httpx.ConnectError` and `httpx.ConnectTimeout` mean
    that nothing was sent. Redirects are not followed unless a call asks for it. Calls are made one after the
    other.

    Args:
        seconds: a call may take, from looking up the name to the last byte of the answer; a call may say
            another number as its `timeout`.
        limit_bytes: that an answer may have.
        verify: instead of the usual authorities.
        look: called now and then amid a call; what it raises ends the call, whatever became of it.

    Raises:
        NotAllowedError: the call would go where it may not: `outgoing.scheme`, `outgoing.address`.
        FatalError: the answer is too large.
    """
    return _client(_Rules({"https"}, is_allowed, seconds, limit_bytes, look), verify)


def operators_client(
    *, seconds: float, limit_bytes: int = MOST_BYTES, look: Callable[[], None] = lambda: None
) -> httpx.Client:
    """A client for addresses that the operator chose, which may be any; the limits are the same."""
    return _client(_Rules({"https", "http"}, lambda _: True, seconds, limit_bytes, look), None)


def _client(rules: "_Rules", verify: ssl.SSLContext | None) -> httpx.Client:
    transport = _Transport(rules, verify or httpx.create_ssl_context())
    headers = {"Accept-Encoding": "identity", "User-Agent": "lading"}
    return httpx.Client(transport=transport, timeout=rules.seconds, headers=headers, trust_env=False)


class _Rules:
    """What the calls of one client may do, and when the present one must be over."""

    def __init__(
        self,
        schemes: set[str],
        is_allowed: Callable[[Address], bool],
        seconds: float,
        limit_bytes: int,
        look: Callable[[], None],
    ) -> None:
        self.seconds = seconds
        self.limit_bytes = limit_bytes
        self._schemes = schemes
        self._is_allowed = is_allowed
        self._look = look
        self._seconds = seconds
        self._ends_at = self._looked_at = 0.0

    def start(self, scheme: str, seconds: float) -> None:
        if scheme not in self._schemes:
            raise NotAllowedError("outgoing.scheme", f"only https addresses may be called, not {scheme}")
        self._seconds = seconds
        self._looked_at = time.monotonic()
        self._ends_at = self._looked_at + seconds

    def seconds_left(self, late: type[Exception]) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise late(f"the call took longer than the {self._seconds:g} s it may take")
        return left

    def seconds_silent(self, late: type[Exception]) -> float:
        """For how long the call may wait until it asks this again; raises what is to end the call."""
        left, now = self.seconds_left(late), time.monotonic()
        # Also of a side that is never silent, and never done.
        if now >= self._looked_at + _SILENT_SECONDS:
            self._look()
            self._looked_at = now
        return min(left, _SILENT_SECONDS)

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Where the name leads, looked up once; all of it must be allowed."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host!r} could not be looked up: {error}") from error
        return self.checked(host, list(dict.fromkeys(str(entry[4][0]) for entry in found)))

    def checked(self, host: str, addresses: Sequence[str]) -> Sequence[str]:
        """The addresses, if every one is allowed: of a name with two faces, neither is trusted."""
        for address in addresses:
            if not self._is_allowed(ipaddress.ip_address(address)):
                raise NotAllowedError(
                    "outgoing.address", f"{host!r} leads to an address that is not on the open internet"
                )
        return addresses


class _Transport(httpx.BaseTransport):
    """httpx's own, but for how connections are made; in terms of httpcore's public parts."""

    def __init__(self, rules: _Rules, verify: ssl.SSLContext) -> None:
        self._rules = rules
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify, network_backend=_Network(rules), keepalive_expiry=KEPT_SECONDS
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._rules.start(request.url.scheme, request.extensions["timeout"]["read"])
        url = request.url
        wanted = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(wanted)
        except _FAULTS as error:
            raise _told(error) from error
        stream = _Answer(answer, self._rules.limit_bytes)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)

    def close(self) -> None:
        self._pool.close()


class _Answer(httpx.SyncByteStream):
    """The bytes of an answer, up to its limit."""

    def __init__(self, answer: httpcore.Response, limit_bytes: int) -> None:
        self._answer = answer
        self._limit_bytes = limit_bytes

    def __iter__(self) -> Iterator[bytes]:
        left = self._limit_bytes
        try:
            for piece in self._answer.iter_stream():
                left -= len(piece)
                if left < 0:
                    raise FatalError(f"the answer has more than the {self._limit_bytes:,} bytes it may have")
                yield piece
        except _FAULTS as error:
            raise _told(error) from error

    def close(self) -> None:
        self._answer.close()


class _Network(httpcore.NetworkBackend):
    """Connects to allowed addresses only."""

    def __init__(self, rules: _Rules) -> None:
        self._rules = rules
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the call's own end counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        last = httpcore.ConnectError(f"the name {host!r} leads nowhere")
        for address in self._rules.addresses(host, port):
            left = self._rules.seconds_left(httpcore.ConnectTimeout)
            try:
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
            else:
                return _Stream(stream, self._rules)
        raise last


class _Stream(httpcore.NetworkStream):
    """A connection on which no step outlasts the call, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, rules: _Rules) -> None:
        self._stream = stream
        self._rules = rules

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        while True:
            seconds = self._rules.seconds_silent(httpcore.ReadTimeout)
            with suppress(httpcore.ReadTimeout):
                return self._stream.read(max_bytes, seconds)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        connection: socket.socket = self._stream.get_extra_info("socket")
        try:
            while buffer:
                connection.settimeout(self._rules.seconds_silent(httpcore.WriteTimeout))
                with suppress(TimeoutError):
                    buffer = buffer[connection.send(buffer) :]
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = self._rules.seconds_left(httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._rules)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401
        return self._stream.get_extra_info(info)


_TOLD: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.TimeoutException, httpx.TimeoutException),
)
_FAULTS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


def _told(error: Exception) -> httpx.TransportError:
    told = next((told for known, told in _TOLD if isinstance(error, known)), httpx.NetworkError)
    return told(str(error))
