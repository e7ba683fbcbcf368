"""Between clients and the service: TLS for one that insists on it, a proxy for one with a fixed host."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from tests.tasks.https_server import Certificate, serving

FACE = "/integrator"
_HOST = "api.integrator.io"
_OWN_TO_A_HOP = {"connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Fronts:
    """Where clients go.

    Attributes:
        https: the face, behind TLS.
        certificate: of whoever vouches for it, a file.
        proxy: for clients that take one: what is meant for the vendor goes to the face.
    """

    https: str
    certificate: Path
    proxy: str


@contextmanager
def fronts(url: str, folder: Path) -> Iterator[Fronts]:
    """Both, before the service at this address."""
    certificate, handler = Certificate(folder), _forwarding(urlsplit(url).netloc)
    with serving(handler, certificate) as https, serving(handler) as proxy:
        yield Fronts(f"https://localhost:{urlsplit(https).port}{FACE}/v1", certificate.path, proxy)


def _forwarding(netloc: str) -> type[BaseHTTPRequestHandler]:
    class Forwarding(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            parts = urlsplit(self.path)
            if parts.hostname not in {None, _HOST}:
                self.send_error(403)
                return
            path = f"{FACE}{parts.path}" if parts.hostname else parts.path
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN_TO_A_HOP}
            connection = http.client.HTTPConnection(netloc, timeout=360)
            try:
                connection.request(
                    self.command, f"{path}?{parts.query}" if parts.query else path, body or None, headers
                )
                self._answer(connection.getresponse())
            finally:
                connection.close()

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN_TO_A_HOP:
                    self.send_header(name, value)
            if answer.status != http.client.NO_CONTENT:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward  # noqa: N815 - named for the methods

        def log_message(self, *told: object) -> None:
            del told

    return Forwarding
