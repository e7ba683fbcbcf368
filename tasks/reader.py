"""Has a user's file read by a process of its own, within limits; its death is an outcome and not ours."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from schemas.codes import FILE_CODES
from schemas.errors import DefinitionError, FatalError, FileRefusedError, LadingError, RetriableError
from schemas.limits import Limits
from tasks.ending import refuse_when_ending
from tasks.reader_limits import out_of_memory
from tasks.reader_process import ReaderProcess, borrowed_reader

LOGGER = logging.getLogger("lading.reader")
LOOK_SECONDS = 1.0
Answer = Mapping[str, Any]
_OUT_OF_MEMORY = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"out of memory")
_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
"""What a person or the system sends; whatever a file can bring about is another signal."""


def read_apart(
    limits: Limits,
    work: str,
    request: Answer,
    tell: Callable[[Answer], None] | None = None,
    look: Callable[[], None] = refuse_when_ending,
) -> Answer:
    """Have the reader do `work` (see `tasks.reader_child`); gives its answer, `tell` its messages before.

    A reader that somebody else killed is started once more, from the beginning, after `{"again": True}`.

    Args:
        look: called every second, from a thread of its own; what it raises ends the reader, and comes here.

    Raises:
        FileRefusedError: the file can't be read, or not within the limits, or it crashed the reader.
        DefinitionError: its record model can't check such rows.
        RetriableError: the system refused the reader something, such as space on the disk.
        FatalError: a fault inside Lading.
    """
    whole = {"work": work, "limits": asdict(limits), **request}
    answer = _try(limits, whole, tell, look)
    if isinstance(answer, _Death) and not answer.is_late and -answer.status in _FROM_OUTSIDE:
        LOGGER.warning("the process that read the file was killed from outside; it is started once more")
        if tell is not None:
            tell({"again": True})
        answer = _try(limits, whole, tell, look)
    if isinstance(answer, _Death):
        raise _refusal(answer, limits)
    return answer


@dataclass(frozen=True)
class _Death:
    """How the reader ended without an answer.

    Attributes:
        status: its exit status; below zero the signal that ended it.
        said: the end of what it wrote as its last words.
    """

    status: int
    said: bytes
    is_late: bool


def _try(
    limits: Limits, request: Answer, tell: Callable[[Answer], None] | None, look: Callable[[], None]
) -> Answer | _Death:
    with borrowed_reader() as reader, _watched(reader, limits, look) as watch:
        for message in reader.exchange(request):
            match message:
                case {"tell": told} if tell is not None:
                    tell(told)
                case {"answer": answer}:
                    return dict(answer)
                case {"refused": [code, text]}:
                    raise FileRefusedError(code, text)
                case {"unfit": text}:
                    raise DefinitionError(text)
                case {"full": reason}:
                    raise RetriableError(f"the process that reads the file could not go on: {reason}")
                case {"fault": [name, frames]}:
                    LOGGER.error("reading: %s\n%s", name, "".join(frames))
                    raise FatalError(f"a fault inside Lading: {name}")
        status, said = reader.last_words()
        watch.refuse()
        return _Death(status, said, watch.is_late)


class _Watch:
    """Looks after a reader at work, from a thread of its own; kills it when its time is over or `look` says so.

    Attributes:
        is_late: it was killed because its time was over.
    """

    def __init__(self, reader: ReaderProcess, limits: Limits, look: Callable[[], None]) -> None:
        self.is_late = False
        self._reader, self._look = reader, look
        self._ends_at = time.monotonic() + limits.time_seconds
        self._raised: LadingError | None = None

    def run(self, done: threading.Event) -> None:
        """Watch until the reader is done, or to be killed."""
        while not done.wait(min(LOOK_SECONDS, max(0.0, self._ends_at - time.monotonic()))):
            self.is_late = time.monotonic() >= self._ends_at
            try:
                self._look()
            except LadingError as error:
                self._raised = error
            if self.is_late or self._raised is not None:
                return self._reader.kill()
        return None

    def refuse(self) -> None:
        """Raise what `look` raised, if it did."""
        if self._raised is not None:
            raise self._raised


@contextmanager
def _watched(reader: ReaderProcess, limits: Limits, look: Callable[[], None]) -> Iterator[_Watch]:
    watch, done = _Watch(reader, limits, look), threading.Event()
    thread = threading.Thread(target=watch.run, args=(done,), daemon=True, name="reader-watch")
    thread.start()
    try:
        yield watch
    finally:
        # Joined, so that it kills no reader that serves somebody else by then.
        done.set()
        thread.join()


def _refusal(death: _Death, limits: Limits) -> FileRefusedError:
    if death.is_late:
        code, values = "file.time_limit", {"limit": f"{limits.time_seconds:g}"}
    elif -death.status == signal.SIGXCPU:
        code, values = "file.cpu_limit", {"limit": f"{limits.cpu_seconds:,}"}
    elif any(words in death.said for words in _OUT_OF_MEMORY):
        return out_of_memory(limits)
    else:
        code, values = "file.crash", {"how": _how(death.status)}
    return FileRefusedError(code, FILE_CODES[code].says(**values))


def _how(status: int) -> str:
    if status >= 0:
        return f"with the status {status}"
    return (
        f"by {signal.Signals(-status).name}" if -status in set(signal.Signals) else f"by the signal {-status}"
    )
