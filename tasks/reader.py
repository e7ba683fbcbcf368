"""Has a user's file read by a process of its own, within limits; its death is an outcome and not ours."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from schemas.codes import FILE_CODES
from schemas.errors import DefinitionError, FatalError, FileRefusedError, RetriableError
from schemas.limits import Limits
from tasks.reader_limits import out_of_memory
from tasks.reader_process import ReaderProcess, borrowed_reader

LOGGER = logging.getLogger("lading.reader")
Answer = Mapping[str, Any]
_OUT_OF_MEMORY = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"out of memory")
_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
"""What a person or the system sends; whatever a file can bring about is another signal."""


def read_apart(
    limits: Limits, work: str, request: Answer, tell: Callable[[Answer], None] | None = None
) -> Answer:
    """Have the reader do `work` (see `tasks.reader_child`); gives its answer, `tell` its messages before.

    A reader that somebody else killed is started once more, from the beginning, after `{"again": True}`.

    Raises:
        FileRefusedError: the file can't be read, or not within the limits, or it crashed the reader.
        DefinitionError: its record model can't check such rows.
        RetriableError: the system refused the reader something, such as space on the disk.
        FatalError: a fault inside Lading.
    """
    whole = {"work": work, "limits": asdict(limits), **request}
    answer = _try(limits, whole, tell)
    if isinstance(answer, _Death) and not answer.is_late and -answer.status in _FROM_OUTSIDE:
        LOGGER.warning("the process that read the file was killed from outside; it is started once more")
        if tell is not None:
            tell({"again": True})
        answer = _try(limits, whole, tell)
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


def _try(limits: Limits, request: Answer, tell: Callable[[Answer], None] | None) -> Answer | _Death:
    with borrowed_reader() as reader, _stopped_in_time(reader, limits) as late:
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
        return _Death(status, said, late.is_set())


@contextmanager
def _stopped_in_time(reader: ReaderProcess, limits: Limits) -> Iterator[threading.Event]:
    """Kill the reader when its time is over; the event says whether that was so."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        reader.kill()

    timer = threading.Timer(limits.time_seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


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
