"""Prefect's API for one command: the operator's server where there is one, else Lading's own while it runs.

Run as a module this file is that server. Its database lies in Lading's home and is shared by all who start one.
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

import httpx

from flows.parent import end_with
from flows.patient_app import PatientApp
from flows.prefect_home import adopt_environment, isolate, prefect_log, reread
from flows.same_origin import SameOriginApp
from schemas.errors import FatalError, RetriableError
from schemas.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

SAY_SECONDS = 2.0
START_SECONDS = 180.0
STOP_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 60
"""More than Prefect's client keeps a connection for; who loses the race for a closed one waits two seconds."""
_PAUSE_SECONDS = 0.1
_ANSWER_SECONDS = 10.0
_SERVER_ENVIRONMENT = {
    # Two seconds of a first start; a block's type is registered when one is saved.
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    "PREFECT_UI_ENABLED": "false",
}


@contextlib.contextmanager
def prefect_server(settings: Settings, say: Callable[[str], None]) -> Iterator[str]:
    """The address of a Prefect API that answers, which every flow called inside uses; isolates Prefect first.

    Args:
        settings: where `prefect_api_url` is set, nothing is started.
        say: told about every two seconds what is being waited for.

    Raises:
        RetriableError: no server answers in time.
        FatalError: what answers is not Prefect's API, or our own server ended while starting.
    """
    with _a_server(settings, say) as url, _without_heartbeats(settings):
        try:
            yield url
        finally:
            drain()


def answers(url: str, timeout_seconds: float) -> bool:
    """True when a Prefect API at this address says that it is well."""
    try:
        # To read the authorities' certificates takes longer than the question, which plain http does without.
        verify = url.startswith("https:")
        health = f"{url.rstrip('/')}/health"
        return httpx.get(health, timeout=timeout_seconds, trust_env=False, verify=verify).is_success
    except (httpx.TransportError, httpx.InvalidURL):
        return False


@contextlib.contextmanager
def _a_server(settings: Settings, say: Callable[[str], None]) -> Iterator[str]:
    if settings.prefect_api_url is None:
        with _own_server(settings, say) as url, _address(settings, url):
            yield url
    else:
        isolate(settings)
        _ask(settings.prefect_api_url)
        yield settings.prefect_api_url


@contextlib.contextmanager
def _own_server(settings: Settings, say: Callable[[str], None]) -> Iterator[str]:
    """A server of ours, up; its child process is gone at the end. Prefect is imported while it starts."""
    adopt_environment(settings)
    with socket.socket() as bound, prefect_log(settings).open("a") as log:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/api"
        command = [sys.executable, "-P", "-m", "flows.prefect_server", str(bound.fileno()), str(os.getpid())]
        with alone_on_new_home(settings, say):
            child = subprocess.Popen(
                command,
                cwd=settings.prefect_home,
                env=os.environ | _SERVER_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[bound.fileno()],
                start_new_session=True,
            )
            try:
                reread(settings)
                _wait_until_up(child, url, settings, say)
            except BaseException:
                _stop(child)
                raise
    try:
        yield url
    finally:
        _stop(child)


@contextlib.contextmanager
def alone_on_new_home(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Holds others back while the database of a new home, or of another Prefect, is being made."""
    made = settings.prefect_home / f"made-by-{version('prefect')}"
    if made.exists():
        yield
        return
    with (settings.prefect_home / "making.lock").open("w") as lock:
        for _ in _patiently("waiting for another start of Prefect's own server", say):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
        yield
        made.touch()


def _wait_until_up(
    child: subprocess.Popen[bytes], url: str, settings: Settings, say: Callable[[str], None]
) -> None:
    for _ in _patiently("starting Prefect's own server", say):
        if child.poll() is not None:
            last = "\n".join(prefect_log(settings).read_text(errors="replace").splitlines()[-5:])
            raise FatalError(f"Prefect's own server ended with {child.returncode} while starting:\n{last}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", timeout=_ANSWER_SECONDS).is_success:
                return


def _patiently(doing: str, say: Callable[[str], None]) -> Iterator[None]:
    """Ticks until `START_SECONDS` are over, saying what is being waited for.

    Raises:
        RetriableError: they are over.
    """
    started = said = time.monotonic()
    while (now := time.monotonic()) < started + START_SECONDS:
        if now >= said + SAY_SECONDS:
            say(f"{doing}, {now - started:.0f} s")
            said = now
        yield
        time.sleep(_PAUSE_SECONDS)
    raise RetriableError(f"{doing}: gave up after {START_SECONDS:.0f} s")


def _ask(url: str) -> None:
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=_ANSWER_SECONDS)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise FatalError(f"LADING_PREFECT_API_URL={url} is not an address: {error}") from error
    except httpx.TransportError as error:
        raise RetriableError(f"Prefect's server at {url} does not answer ({error}); is it running?") from error
    if not answer.is_success:
        raise FatalError(
            f"{url}/health answers {answer.status_code}; "
            "LADING_PREFECT_API_URL should be the address of Prefect's API and ends in /api"
        )


@contextlib.contextmanager
def _address(settings: Settings, url: str) -> Iterator[None]:
    """Makes `url` Prefect's address in this process, its threads and its children."""
    os.environ["PREFECT_API_URL"] = url
    reread(settings)
    try:
        yield
    finally:
        os.environ["PREFECT_API_URL"] = ""
        reread(settings)


@contextlib.contextmanager
def _without_heartbeats(settings: Settings) -> Iterator[None]:
    """Flow runs that send no heartbeats, for which each would wait a second at its end, heard by nobody."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with contextlib.ExitStack() as stack:
        with contextlib.chdir(settings.prefect_home):
            stack.enter_context(temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}))
        yield


def drain() -> None:
    """Hand over the events and log lines that Prefect's client still holds, while somebody takes them."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=STOP_SECONDS)
    EventsWorker.drain_all(timeout=STOP_SECONDS)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def server_config(app: "FastAPI", *, is_local: bool = True) -> "uvicorn.Config":
    """How an app of Prefect's is served; `is_local` where it listens on loopback."""
    import uvicorn

    return uvicorn.Config(
        SameOriginApp(PatientApp(app), is_local=is_local),
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def _serve(fileno: int, parent_pid: int) -> None:
    """Be the server, on a socket that the parent has bound: no other process can take its port."""
    end_with(parent_pid, STOP_SECONDS)
    import uvicorn
    from prefect.server.api.server import create_app

    # An ephemeral server keeps to what one run needs: no UI, no scheduler, no sweeps over the others' runs.
    app = create_app(ephemeral=True, final=True)
    uvicorn.Server(server_config(app)).run(sockets=[socket.socket(fileno=fileno)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
