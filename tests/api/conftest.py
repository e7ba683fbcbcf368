import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import httpx
import pytest

from api.server import http_server
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.keys import NewKey, add_key

ORDINARY = tuple(scope for scope in Scope if scope is not Scope.ADMIN)


class Service:
    """A running service over one home, and clients for it."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.url = url

    def key(self, tenant: str, *scopes: Scope, definitions: Sequence[str] | None = None) -> NewKey:
        """A new key; with every scope but `admin`, where none is named."""
        with Store.opened(self.settings) as store, store.write() as session:
            return add_key(session, tenant, scopes or ORDINARY, definitions)

    def client(self, token: str | None = None) -> httpx.Client:
        """A client that comes in with the token, or with none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """The service, answering on a free port in a thread of this process."""
    server = http_server(settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            # It is up when it has answered.
            httpx.get(f"{url}/health", timeout=30)
            yield Service(settings, url)
        finally:
            server.should_exit = True
            thread.join(30)
            # What a test left open does not hold up the end of all.
            server.force_exit = True
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests, each of which is a tenant of its own."""
    with running(Settings(home=tmp_path_factory.mktemp("service") / ".lading")) as service:
        yield service


@pytest.fixture
def tenant() -> str:
    """A name that no other test has."""
    return f"t{uuid4().hex}"


@pytest.fixture
def client(service: Service, tenant: str) -> Iterator[httpx.Client]:
    """A client that comes in with a key of the test's tenant, which has every scope but `admin`."""
    with service.client(service.key(tenant).token) as client:
        yield client


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def prefect_api_url():
    """The address of something that answers as Prefect's API does when it is asked for its health."""
    with HTTPServer(("127.0.0.1", 0), _Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()
