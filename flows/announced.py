"""A web server that says when it answers."""

import socket
from collections.abc import Callable

import uvicorn


class AnnouncedServer(uvicorn.Server):
    """The server, which calls `on_up` once, when it answers."""

    def __init__(self, config: uvicorn.Config, on_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_up = on_up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so; a server that could not start says nothing."""
        await super().startup(sockets)
        if self.started:
            self._on_up()
