"""A real web server on a free port that takes what webhooks are told."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.tasks.https_server import serving


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is told; what it answers is decided anew for each event.

    Attributes:
        told: headers and body of each request, in order.
        answer: gives the status for the request of this 0-based number.
    """

    protocol_version = "HTTP/1.1"
    told: list
    answer: staticmethod

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).told.append((dict(self.headers.items()), body))
        status, *headers = type(self).answer(len(type(self).told) - 1)
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


class Listening:
    """A receiver that listens, and what it was told."""

    def __init__(self, handler, url):
        self._handler = handler
        self.url = url

    def answers(self, answer):
        self._handler.answer = staticmethod(answer)

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _ in self._handler.told]

    @property
    def messages(self):
        return [json.loads(body) for _, body in self._handler.told]

    @property
    def requests(self):
        return self._handler.told

    @property
    def rows(self):
        return [message["data"]["row"] for message in self.messages]


@contextmanager
def receiving():
    handler = type("Ours", (Receiver,), {"told": [], "answer": staticmethod(lambda _: (204,))})
    with serving(handler) as url:
        yield Listening(handler, url)
