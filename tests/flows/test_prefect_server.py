import http.server
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from prefect import get_client

from flows.prefect_server import _ask
from schemas.errors import FatalError, RetriableError

OPEN_SERVER = """
from pathlib import Path
from flows.prefect_server import prefect_server
from schemas.errors import LadingError
from schemas.settings import Settings
said = []
try:
    server = prefect_server(Settings(home=Path("home")), said.append)
    url = server.__enter__()
except LadingError as error:
    raise SystemExit(f"{type(error).__name__}: {error}")
"""
RUN_FLOW = """
from prefect import flow, get_run_logger, task
@task
def add(number):
    get_run_logger().info("in the task")
    return number + 1
@flow(persist_result=True)
def greet():
    number = add(1)
    get_run_logger().warning("last words")
    return number
print(greet(), flush=True)
"""
CLOSE_SERVER = "server.__exit__(None, None, None)"
PLACES = ["environment", "profile at home", ".env", "prefect.toml", "pyproject.toml", "proxy"]


def logged_messages(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as database:
        return [message for (message,) in database.execute("SELECT message FROM log ORDER BY timestamp")]


@pytest.mark.slow
def test_flow_runs_on_our_server_alone_and_prefect_keeps_quiet(stranger):
    for place in PLACES:
        stranger.lurk_in(place)
    said = stranger.run(OPEN_SERVER, RUN_FLOW, CLOSE_SERVER)
    assert said == "2\n"
    assert stranger.visits == 0
    assert {"in the task", "last words"} < set(logged_messages(stranger.folder / "home"))
    log = (stranger.folder / "home" / "logs" / "prefect.log").read_text()
    assert "last words" in log
    assert "ERROR" not in log


@pytest.mark.slow
def test_waiting_for_the_first_start_is_told_every_two_seconds(stranger):
    said = stranger.run(OPEN_SERVER, "print(said)", CLOSE_SERVER)
    assert "starting Prefect's own server, 2 s" in said


@pytest.mark.slow
def test_two_commands_on_one_new_home_both_get_a_server(stranger):
    both = [stranger.start(OPEN_SERVER, RUN_FLOW, CLOSE_SERVER) for _ in range(2)]
    assert [process.communicate(timeout=100)[0] for process in both] == ["2\n", "2\n"]
    assert logged_messages(stranger.folder / "home").count("last words") == 2


@pytest.mark.slow
def test_server_ends_when_its_command_is_killed(stranger):
    with stranger.start(OPEN_SERVER, "print(url, flush=True)", "time.sleep(100)") as command:
        assert command.stdout.readline().startswith("http://127.0.0.1:")
        (server,) = psutil.Process(command.pid).children()
        command.send_signal(signal.SIGKILL)
    server.wait(10)
    assert not server.is_running()


@pytest.mark.slow
def test_server_that_ends_while_starting_is_fatal_and_quoted(stranger):
    (stranger.folder / "home" / "prefect" / "prefect.db").mkdir(parents=True)
    said = stranger.run(OPEN_SERVER)
    assert said.startswith("FatalError: Prefect's own server ended with 3 while starting")
    assert "unable to open database file" in said


@pytest.mark.slow
def test_clients_nulls_are_accepted_by_the_server_of_the_pinned_fastapi(prefect_api):
    with get_client(sync_client=True) as client:
        assert str(client.api_url).rstrip("/") == prefect_api
        assert isinstance(client.read_deployments(), list)


@pytest.mark.slow
def test_operators_server_is_asked_before_any_flow_is(stranger):
    stranger.environment["LADING_PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    assert stranger.run(OPEN_SERVER).startswith(
        "RetriableError: Prefect's server at http://127.0.0.1:9/api does"
    )


def test_operators_server_that_does_not_answer_is_retriable():
    with pytest.raises(RetriableError, match="does not answer"):
        _ask("http://127.0.0.1:9/api")


def test_operators_address_that_is_none_is_fatal():
    with pytest.raises(FatalError, match="LADING_PREFECT_API_URL=localhost is not an address"):
        _ask("localhost")


def test_operators_address_of_something_else_is_fatal():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(FatalError, match="ends in /api"):
            _ask(f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
