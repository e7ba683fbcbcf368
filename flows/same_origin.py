"""An app without a login, kept from the pages of other sites that its user's browser shows.

A browser sends a page's requests to this machine, too, and Prefect's API answers whoever asks: without this,
any page could begin runs here, or say what a deployment runs. What no browser sends comes through.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REFUSAL = "this server has no login and answers its own pages only; open it by the address that Lading says"


class SameOriginApp:
    """The same app, which refuses (403) what a page of another origin asks, over HTTP or a WebSocket.

    Args:
        is_local: it listens on loopback, so that whoever calls it by another name is a page whose own name
            was made to lead here.
    """

    def __init__(self, app: ASGIApp, *, is_local: bool) -> None:
        self._app = app
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or carry one connection."""
        if scope["type"] == "lifespan" or self._is_own(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": _REFUSAL})
        else:
            await JSONResponse({"detail": _REFUSAL}, 403)(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        host = _place(f"//{headers.get('host', '')}")
        if host is None or (self._is_local and not _is_address(host[0])):
            return False
        said = headers.get("origin")
        if said is None:
            return True
        origin = _place(said)
        if origin is None or origin == host:
            return origin is not None
        return origin[1] == host[1] and {origin[0], host[0]} <= _LOOPBACK


def is_loopback(host: str) -> bool:
    """True when what listens there is reached from this machine alone."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _place(url: str) -> tuple[str, int | None] | None:
    """Name and port; None where it says none."""
    try:
        name, port = (parts := urlsplit(url)).hostname, parts.port
    except ValueError:
        return None
    return (name, port) if name else None


def _is_address(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
