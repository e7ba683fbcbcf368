"""Keeps the parts of the service alive, and ends them in order."""

import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from cli.serve.part import Part, PartState
from cli.serve.serving import Serving
from schemas.settings import Settings

LOOK_SECONDS = 0.1


class Supervisor:
    """Starts the parts in their order, and ends them in the opposite one.

    Args:
        say: told about each part, and what became of it.
        on_all_up: called once, when every part is up for the first time.
    """

    def __init__(
        self,
        settings: Settings,
        serving: Serving,
        parts: Sequence[Part],
        say: Callable[[str, str], None],
        on_all_up: Callable[[], None],
    ) -> None:
        self._settings, self._serving, self._parts = settings, serving, parts
        self._say, self._on_all_up = say, on_all_up
        self._were_all_up = False
        self._end = threading.Event()

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C; the parts are gone then."""
        before = {number: signal.signal(number, self._end_now) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for part in self._parts:
                part.start()
            self._tell()
            while not self._end.wait(LOOK_SECONDS):
                self._look()
        finally:
            for part in reversed(self._parts):
                self._say("stopping", part.spec.name)
                part.stop()
            self._tell()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end_now(self, _number: int, _frame: FrameType | None) -> None:
        self._end.set()

    def _look(self) -> None:
        changes = [(part, state) for part in self._parts if (state := part.look()) is not None]
        for part, state in changes:
            if state is PartState.UP:
                self._say("up", part.spec.name if not part.restarts else f"{part.spec.name} again")
            elif state is PartState.WAITING:
                self._say("ended", f"{part.spec.name} ended {part.ended}; {part.log} may say why")
        if changes:
            self._tell()
        if not self._were_all_up and all(part.state is PartState.UP for part in self._parts):
            self._were_all_up = True
            self._on_all_up()

    def _tell(self) -> None:
        self._serving.parts = {part.spec.name: part.as_json() for part in self._parts}
        self._serving.write(self._settings)
