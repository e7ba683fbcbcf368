import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.server import http_server
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.keys import NewKey, add_key


class Service:
    """A running service over one home, and clients for it."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.url = url

    def key(self, tenant: str = "acme", scopes: tuple[Scope, ...] = tuple(Scope), definitions=None) -> NewKey:
        """A new key; with all scopes but `admin`, unless others are named."""
        wanted = [scope for scope in scopes if scopes != tuple(Scope) or scope is not Scope.ADMIN]
        with Store.opened(self.settings) as store, store.write() as session:
            return add_key(session, tenant, wanted, definitions)

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
            yield Service(settings, url)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with running(settings) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    """A client that comes in with a key of the tenant `acme`."""
    with service.client(service.key().token) as client:
        yield client
