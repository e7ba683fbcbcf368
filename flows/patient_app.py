"""Prefect's API over SQLite, which refuses a transaction that read before somebody else wrote.

Prefect answers 503 then, and its client waits two seconds before it asks again. Here the request is repeated
at once: a refused transaction has left nothing behind. (`is_client_retryable_exception` in
`server/api/server.py` of Prefect 3.8.8 says which errors are answered so.)
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REPEATS = 8
FIRST_PAUSE_SECONDS = 0.01
_UNAVAILABLE = 503


class PatientApp:
    """The same app, which repeats requests that the database refused; the last answer is passed on as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or carry one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body = await _whole_body(receive)
        for number in range(REPEATS):
            answer = _Answer(send)
            try:
                # What an app notes in a scope is of one attempt.
                await self._app(dict(scope), _Request(body, receive).receive, answer.send_unless_refused)
            except Exception:
                # Raised, after it was answered with 503, for a log.
                if not answer.is_refused:
                    raise
            if not answer.is_refused:
                return None
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**number)
        return await self._app(scope, _Request(body, receive).receive, send)


async def _whole_body(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


class _Request:
    """Gives the body once more, then whatever the client says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def receive(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Answer:
    """Passes an answer on, unless it says that the database refused the request."""

    def __init__(self, send: Send) -> None:
        self.is_refused = False
        self._send = send

    async def send_unless_refused(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_refused = message["status"] == _UNAVAILABLE
        if not self.is_refused:
            await self._send(message)
