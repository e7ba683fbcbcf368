"""Prefect's server with its UI, as a part of `lading serve`. Run as a module this file is that process."""

import socket
import sys
from contextlib import ExitStack

from prefect.server.api.server import create_app

from flows.announced import AnnouncedServer
from flows.parent import end_with, say_ready
from flows.prefect_server import STOP_SECONDS, alone_on_new_home, server_config
from flows.same_origin import is_loopback
from schemas.settings import Settings


def main(fileno: int, parent_pid: int, ready_fileno: int) -> None:
    """Be the server, on a socket that the parent listens on, until SIGTERM or until the parent is gone."""
    end_with(parent_pid, STOP_SECONDS)
    with ExitStack() as while_starting:
        settings = Settings()
        while_starting.enter_context(alone_on_new_home(settings, print))

        def up() -> None:
            while_starting.close()
            say_ready(ready_fileno)

        config = server_config(create_app(final=True), is_local=is_loopback(settings.prefect_host))
        AnnouncedServer(config, up).run(sockets=[socket.socket(fileno=fileno)])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
