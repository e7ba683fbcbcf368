import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from flows.prefect_server import server_config
from flows.same_origin import is_loopback

FORBIDDEN, OK = 403, 200


@contextmanager
def served(*, is_local: bool = True) -> Iterator[int]:
    """The port of an app that notes nothing and answers everybody."""
    app = FastAPI()

    @app.api_route("/api/runs", methods=["GET", "POST", "OPTIONS"])
    def runs() -> str:
        return "run"

    @app.websocket("/api/events")
    async def events(connection: WebSocket) -> None:
        await connection.accept()
        await connection.send_text("event")
        await connection.close()

    server = uvicorn.Server(server_config(app, is_local=is_local))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as port:
        yield port


def status(port: int, method: str = "POST", **headers: str) -> int:
    return httpx.request(method, f"http://127.0.0.1:{port}/api/runs", headers=headers).status_code


def test_what_no_browser_sends_comes_through(port):
    assert status(port) == OK
    assert status(port, "GET", host=f"localhost:{port}") == OK
    assert status(port, "GET", host=f"[::1]:{port}") == OK


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_pages_of_the_server_itself_may_ask_by_each_name_of_loopback(port, name):
    assert status(port, origin=f"http://{name}:{port}") == OK


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost",
        "http://127.0.0.1.evil.example",
        "://[",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_of_others_may_not_ask(port, method, origin):
    assert status(port, method, origin=origin) == FORBIDDEN


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "["])
def test_a_name_that_was_made_to_lead_here_is_no_address_of_ours(port, host):
    assert status(port, host=host) == FORBIDDEN
    assert status(port, host=host, origin=f"http://{host}") == FORBIDDEN


def test_pages_of_others_open_no_websocket(port):
    address = f"ws://127.0.0.1:{port}/api/events"
    with connect(address) as own:
        assert own.recv() == "event"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, origin="https://evil.example")
    assert refused.value.response.status_code == FORBIDDEN


def test_where_others_are_let_in_the_server_may_have_any_name():
    with served(is_local=False) as port:
        assert status(port, host="prefect.example.org") == OK
        assert status(port, host="prefect.example.org", origin="https://prefect.example.org") == OK
        assert status(port, host="prefect.example.org", origin="https://evil.example") == FORBIDDEN


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.7", False),
        ("box", False),
    ],
)
def test_listening_on_loopback_is_told_from_listening_for_others(host, is_local):
    assert is_loopback(host) is is_local
