"""A scripted vendor on a real socket: it speaks a documented API, and its faults are settings."""

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler

from tests.connectors.scripted.script import Answer, Asked, Script, split_target
from tests.tasks.https_server import serving

RETRY_AFTER_SECONDS = 1


class Fault(StrEnum):
    """What goes wrong with one request."""

    SLOW = "answered late"
    TOO_MANY = "429 with Retry-After, and nothing done"
    BROKEN = "500, and nothing done"
    UNAVAILABLE = "503 with Retry-After, and nothing done"
    CUT = "done, and the connection cut after the body was read"
    GARBAGE = "done, and answered with something else"
    DROPPED = "the connection cut amid the answer"


class ScriptedVendor:
    """What was asked of the vendor, and what goes wrong with it.

    Attributes:
        url: of its root.
        asked: every request, in the order in which they came.
        slow_seconds: how late an answer that is late comes.
        stops: set when the vendor is to end, so that nobody waits for a late answer.
    """

    def __init__(self, script: Script, faults: Mapping[str, Sequence[Fault]], slow_seconds: float) -> None:
        self.script = script
        self.url = ""
        self.asked: list[Asked] = []
        self.slow_seconds = slow_seconds
        self.stops = threading.Event()
        self._faults = {call: deque(faults) for call, faults in faults.items()}
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[str]:
        return [asked.call for asked in self.asked]

    def count(self, call: str) -> int:
        """How often this was asked."""
        return self.calls.count(call)

    def times(self, call: str) -> list[float]:
        """When this was asked, each time."""
        return [asked.at_seconds for asked in self.asked if asked.call == call]

    def answered(self, asked: Asked) -> tuple[Answer, Fault | None]:
        """What is done and said, and what goes wrong with it; one request after the other."""
        with self._lock:
            self.asked.append(asked)
            waiting = self._faults.get(asked.call)
            fault = waiting.popleft() if waiting else None
            return _NOTHING_DONE[fault] if fault in _NOTHING_DONE else self.script.answer(asked), fault


_WAIT = {"Retry-After": str(RETRY_AFTER_SECONDS)}
_NOTHING_DONE = {
    Fault.TOO_MANY: Answer(429, b"too many requests", _WAIT),
    Fault.UNAVAILABLE: Answer(503, b"down for a moment", _WAIT),
    Fault.BROKEN: Answer(500, b"<html>oops</html>"),
}
_GARBAGE = Answer(200, b"<html><body>Welcome to our new site!</body></html>", {"Content-Type": "text/html"})


@contextmanager
def scripted(
    script: Script, faults: Mapping[str, Sequence[Fault]] | None = None, slow_seconds: float = 0.3
) -> Iterator[ScriptedVendor]:
    """The vendor, answering; the first requests for a call meet its faults one by one, the others none."""
    vendor = ScriptedVendor(script, faults or {}, slow_seconds)

    class Answering(_Answering):
        def handle_one_request(self) -> None:
            self.vendor = vendor
            super().handle_one_request()

    with serving(Answering) as url:
        vendor.url = url.replace("localhost", "127.0.0.1")
        try:
            yield vendor
        finally:
            vendor.stops.set()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    vendor: ScriptedVendor

    def log_message(self, *_):
        """Say nothing."""

    def _answer(self) -> None:
        path, query = split_target(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = self.vendor.script.call_of(self.command, path)
        asked = Asked(call, self.command, path, query, headers, self._body(headers), time.monotonic())
        answer, fault = self.vendor.answered(asked)
        if fault is Fault.SLOW:
            self.vendor.stops.wait(self.vendor.slow_seconds)
        if fault is Fault.CUT:
            self._cut()
        else:
            self._send(_GARBAGE if fault is Fault.GARBAGE else answer, is_cut=fault is Fault.DROPPED)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names of http.server

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, answer: Answer, *, is_cut: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if is_cut else answer.body)
        if is_cut:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
