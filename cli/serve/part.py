"""One part of the service: a process that is started, watched, and started again when it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0
STEADY_SECONDS = 60.0
"""A part that was up for so long is started again at once."""


class PartState(StrEnum):
    """Where a part stands."""

    STARTING = "starting"
    UP = "up"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True)
class PartSpec:
    """What a part is.

    Attributes:
        module: run with `-m`; told the numbers of `sockets`, the `arguments`, our process' number, and that of
            a pipe to say ready on.
        sockets: file descriptors that it inherits.
        stop_seconds: how long it may take to end after SIGTERM.
    """

    name: str
    module: str
    environment: Mapping[str, str]
    arguments: Sequence[str] = ()
    sockets: Sequence[int] = ()
    stop_seconds: float = 10.0


class Part:
    """The process of a part, and its successors.

    Args:
        logs: folder of the file for what it writes.
        folder: where it runs.

    Attributes:
        restarts: how often it was brought back.
        ended: how the last process ended, for people.
    """

    def __init__(self, spec: PartSpec, logs: Path, folder: Path) -> None:
        self.spec = spec
        self.log = logs / f"{spec.name}.log"
        self._folder = folder
        self.restarts = 0
        self.ended = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: int | None = None
        self._pause_seconds = 0.0
        self._enter(PartState.STOPPED)

    @property
    def state(self) -> PartState:
        """Where it stands."""
        return self._state

    def start(self) -> None:
        """Start the process."""
        self._ready, writing = os.pipe()
        os.set_blocking(self._ready, False)
        words = [*map(str, self.spec.sockets), *self.spec.arguments, str(os.getpid()), str(writing)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - all of it is ours
                [sys.executable, "-P", "-m", self.spec.module, *words],
                cwd=self._folder,
                env=dict(self.spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[*self.spec.sockets, writing],
                start_new_session=True,  # Ctrl-C is for us
            )
        os.close(writing)
        self._enter(PartState.STARTING)

    def look(self) -> PartState | None:
        """See how the process is, start it again where it is time to; gives the state, if it is a new one."""
        before = self._state
        if before is PartState.WAITING and time.monotonic() >= self._entered_at + self._pause_seconds:
            self.restarts += 1
            self.start()
        elif self._process is not None and (status := self._process.poll()) is not None:
            self._rest(status)
        elif before is PartState.STARTING and self._said_ready():
            self._enter(PartState.UP)
        return self._state if self._state is not before else None

    def stop(self) -> None:
        """Ask the process to end, make it end when it does not, and await it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(self.spec.stop_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._forget()
        self._enter(PartState.STOPPED)

    def as_json(self) -> dict[str, Any]:
        """The part as `lading status --json` shows it."""
        return {
            "pid": None if self._process is None else self._process.pid,
            "state": self._state.value,
            "restarts": self.restarts,
            "since": self._since.isoformat(),
        }

    def _rest(self, status: int) -> None:
        """The process is gone: pause before the next one, the longer the less the last ones were good for."""
        self.ended = f"by {signal.Signals(-status).name}" if status < 0 else f"with {status}"
        if self._state is PartState.UP and time.monotonic() >= self._entered_at + STEADY_SECONDS:
            self._pause_seconds = 0.0
        elif self.restarts:
            self._pause_seconds = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause_seconds))
        self._forget()
        self._enter(PartState.WAITING)

    def _said_ready(self) -> bool:
        if self._ready is None:
            return False
        with suppress(BlockingIOError):
            return bool(os.read(self._ready, 16))
        return False

    def _forget(self) -> None:
        self._process = None
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None

    def _enter(self, state: PartState) -> None:
        self._state, self._since, self._entered_at = state, datetime.now(UTC), time.monotonic()
