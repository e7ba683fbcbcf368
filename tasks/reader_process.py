"""The reader as a process: started, spoken to, kept for the next file while it is small, and ended.

To start one costs half a second, which a hundred small files a minute can't have. So one that has read a small
file waits for the next; one that has grown, or did not come to an answer, is never used again.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

SMALL_BYTES = 200 * 2**20
"""A reader that never took more memory than this waits for the next file."""

MOST_MESSAGE_CHARS = 256 * 2**20
"""A longer message is none of ours: the reader may be in somebody else's hands."""

MOST_THREADS = 4
"""The memory limit counts the stacks of threads, of which polars would start one for each processor."""

_KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LANG", "TZ")
_KEPT_PREFIXES = ("LC_", "PYTHON", "POLARS_")
_SAID_BYTES = 64 * 1024
_IDLE: "deque[ReaderProcess]" = deque()
"""The readers of this process that wait for a file; as many as were at work at the same time, within bounds."""
_MOST_IDLE = 4


class ReaderProcess:
    """One process of `tasks.reader_child`. It gets no variable of the environment that may be a secret.

    Attributes:
        is_small: it came to an answer, and never took much memory.
    """

    def __init__(self) -> None:
        self.is_small = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tasks.reader_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            encoding="utf-8",
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for us
            umask=0o077,
        )

    def exchange(self, request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Give the request and take what is said, until the process ends or nobody asks any more."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - pipes
        self.is_small = False
        self._said.truncate(0)  # what it said of other files
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return
        while line := self._process.stdout.readline(MOST_MESSAGE_CHARS):
            if not line.endswith("\n"):
                self.kill()  # it died in the middle of a word, or says more than it ever should
            else:
                message = json.loads(line)
                self.is_small = message.get("peak_bytes", SMALL_BYTES) < SMALL_BYTES
                yield message

    def last_words(self) -> tuple[int, bytes]:
        """Await the end; gives the exit status (below zero: a signal) and the end of what it wrote."""
        status = self._process.wait()
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _SAID_BYTES))
        return status, self._said.read()

    def is_alive(self) -> bool:
        """True while it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Have it end at once, whatever it is doing."""
        self._process.kill()

    def end(self) -> None:
        """Leave nothing of it behind."""
        self._process.kill()
        with suppress(BrokenPipeError):
            self._process.communicate()
        self._said.close()


@contextmanager
def borrowed_reader() -> Iterator[ReaderProcess]:
    """A reader that nobody else uses."""
    reader = _idle_reader() or ReaderProcess()
    try:
        yield reader
    finally:
        if reader.is_small and reader.is_alive() and len(_IDLE) < _MOST_IDLE:
            _IDLE.append(reader)
        else:
            reader.end()


def have_a_reader_ready() -> None:
    """Let a reader start while the caller does something else; it serves the next who asks."""
    if not _IDLE:
        _IDLE.append(ReaderProcess())


def _idle_reader() -> ReaderProcess | None:
    while _IDLE:
        with suppress(IndexError):  # somebody else took it
            reader = _IDLE.pop()
            if reader.is_alive():
                return reader
            reader.end()
    return None


def _environment() -> dict[str, str]:
    ours = {
        "POLARS_MAX_THREADS": str(min(MOST_THREADS, os.cpu_count() or 1)),
        "OPENBLAS_NUM_THREADS": "1",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",  # looking for them takes a tenth of the start
    }
    return ours | {name: value for name, value in os.environ.items() if _is_kept(name)}


def _is_kept(name: str) -> bool:
    return name in _KEPT_ENVIRONMENT or name.startswith(_KEPT_PREFIXES)


@atexit.register
def end_idle_readers() -> None:
    """Leave no reader waiting for a file."""
    while _IDLE:
        _IDLE.pop().end()


# After a fork the readers are still those of the parent.
os.register_at_fork(after_in_child=_IDLE.clear)
