"""What serves a home: one process holds the lock, and says in a file where everything listens."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

from schemas.errors import ConflictError
from schemas.settings import Settings

_TRIES, _PAUSE_SECONDS = 10, 0.05
"""Who only looks holds the lock for a moment."""


@dataclass
class Serving:
    """What `lading status` shows.

    Attributes:
        api: address of API and pages.
        pid: of the process that started the parts.
        parts: `{name: {"pid", "state", "restarts", "since"}}`.
    """

    api: str
    prefect_api: str
    prefect_ui: str
    home: str
    pid: int
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, settings: Settings) -> None:
        """Tell whoever looks into the home."""
        with NamedTemporaryFile("w", dir=settings.home, prefix=".serve-", delete=False) as draft:  # of mode 600
            json.dump(asdict(self), draft)
        Path(draft.name).replace(_file(settings))

    @classmethod
    def read(cls, settings: Settings) -> Self | None:
        """What was told last, by whoever serves now or did so before; None where nobody ever did."""
        try:
            return cls(**json.loads(_file(settings).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def now_serving(settings: Settings) -> Serving | None:
    """What serves the home; None where nothing does."""
    try:
        lock = os.open(_lock(settings), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Serving.read(settings)
    finally:
        os.close(lock)
    return None


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Serve the home alone for as long as the block runs, however this process ends.

    Raises:
        ConflictError: another process serves it.
    """
    with _lock(settings).open("w") as lock:
        for _ in range(_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_PAUSE_SECONDS)
        else:
            raise ConflictError(_who(settings))
        yield


def _who(settings: Settings) -> str:
    serving = Serving.read(settings)
    by = "" if serving is None else f", process {serving.pid} at {serving.api}"
    return f"the home {settings.home} is served already{by}; `lading status` tells more"


def _file(settings: Settings) -> Path:
    return settings.home / "serve.json"


def _lock(settings: Settings) -> Path:
    return settings.home / "serve.lock"
