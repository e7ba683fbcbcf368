"""The process that answers: `python -m api.server FILENO PARENT_PID [READY_FILENO]`, on its parent's socket.

Settings come from the environment. It ends when its parent is gone, and on SIGTERM.
"""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial

import uvicorn

from api.app import create_app
from flows.announced import AnnouncedServer
from flows.parent import end_with, say_ready
from schemas.settings import Settings

STOP_SECONDS = 3
"""So long what is being answered may take when the process is to end."""


def http_server(settings: Settings, on_up: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """What answers for the app of this home; `run(sockets=[…])` ends on SIGTERM, SIGINT or `should_exit`."""
    config = uvicorn.Config(
        create_app(settings),
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Nobody but a proxy that the operator named may say who the client is; Lading does not ask.
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return AnnouncedServer(config, on_up)


def serve(settings: Settings, listening: socket.socket, on_up: Callable[[], None] = lambda: None) -> None:
    """Answer what comes in on the socket until SIGTERM or SIGINT; `on_up` is called when that begins."""
    settings.make_home()
    settings.uploads_path.mkdir(exist_ok=True, mode=0o700)
    # Bodies that are being received lie on the disk of the home: /tmp may be small, or memory.
    tempfile.tempdir = str(settings.uploads_path)
    http_server(settings, on_up).run(sockets=[listening])


def main() -> None:
    """Serve on the inherited socket whose number the arguments tell."""
    fileno, parent_pid, *ready_fileno = map(int, sys.argv[1:4])
    _log()
    end_with(parent_pid, STOP_SECONDS + 2)
    os.umask(0o077)
    serve(Settings(), socket.socket(fileno=fileno), partial(_say, ready_fileno))


def _say(ready_filenos: Sequence[int]) -> None:
    for fileno in ready_filenos:
        say_ready(fileno)


def _log() -> None:
    """Lines for the supervisor's log; what libraries say only when something is wrong."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    logging.getLogger("lading").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


if __name__ == "__main__":
    main()
