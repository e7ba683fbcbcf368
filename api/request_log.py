"""One log line a request, an id that answer and log share, and an answer to what nobody foresaw."""

import logging
import time
from secrets import token_hex
from traceback import format_tb

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import INTERNAL, ProblemError, problem_response

LOGGER = logging.getLogger("lading.api")
REQUEST_ID = "X-Request-Id"
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says, unless its route says otherwise."""


class RequestLog:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = token_hex(8)
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            # Whoever sent the body went away before it was all here; there is nobody to be answered.
            status = 0
        except Exception as error:  # noqa: BLE001 - the last place where a fault of ours can be told politely
            _log_fault(request_id, error)
            if not status:
                told = ProblemError(INTERNAL, "a fault inside Lading; the log tells the operator more")
                await problem_response(told, request_id)(scope, receive, answer)
        finally:
            milliseconds = (time.perf_counter() - started) * 1000
            method, path = scope["method"], _printable(scope["path"])
            LOGGER.info("%s %s %s %.1f ms %s", method, path, status or "gone", milliseconds, request_id)


def _log_fault(request_id: str, error: Exception) -> None:
    """Where it came from, without its message, which may quote a value."""
    LOGGER.error("%s %s\n%s", request_id, type(error).__name__, "".join(format_tb(error.__traceback__)))


def _printable(path: str) -> str:
    """The path in one line: what a client sent must not look like another line, nor command a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in path[:200])
