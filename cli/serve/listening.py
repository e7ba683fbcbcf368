"""The sockets of the service: the parent holds them, so that a part that is started again keeps its port.

Whoever connects meanwhile is not refused, but waits.
"""

import socket
import time
from collections.abc import Callable

from schemas.errors import FatalError

BACKLOG = 512
WAIT_SECONDS = 20.0
"""The parts of a parent that was killed may take so long to end."""
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - known, not bound


def listening(host: str, port: int, setting: str, say: Callable[[str], None]) -> socket.socket:
    """A socket that listens there; where the port is taken, it may be a part that is just ending: we wait.

    Args:
        setting: names the port, for the message.

    Raises:
        FatalError: there is no such address, or somebody else listens there.
    """
    ends_at, told = time.monotonic() + WAIT_SECONDS, False
    while True:
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if not isinstance(error, socket.gaierror) and time.monotonic() < ends_at:
                if not told:
                    say(f"waiting for {host}:{port}, where another process listens")
                told = True
                time.sleep(0.2)
                continue
            raise FatalError(
                f"{host}:{port} can't be listened on: {error.strerror or error}; {setting} names another"
            ) from error


def address(bound: socket.socket) -> str:
    """The address by which this machine reaches the socket."""
    host, port = bound.getsockname()[:2]
    host = _ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
