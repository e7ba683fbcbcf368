import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            # It is up when it has answered.
            httpx.get(f"{url}/health", timeout=30)
            yield Service(settings, url)
        finally:
            server.should_exit = True
            thread.join()


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
