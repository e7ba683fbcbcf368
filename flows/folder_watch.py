"""Watches folders for dropped files, in a thread: claims them, and moves them when all is done.

The job store is the truth, and each look begins with it: what an event of the file system, a server that was
away, or a process that died left undone is done by a later look.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchfiles import watch

from flows.drop_announcer import DropAnnouncer
from schemas.settings import Settings
from store.database import Store
from tasks.drops import Drops

LOGGER = logging.getLogger("lading.drops")
TICK_MILLISECONDS = 250
STORE_SECONDS = 1.0
"""How often the store is asked what is to be moved."""
DEFINITIONS_SECONDS = 2.0
STOP_SECONDS = 5.0


@contextmanager
def watched(settings: Settings) -> Iterator[None]:
    """Folders are watched for as long as the block runs."""
    folders = FolderWatch(settings)
    folders.start()
    try:
        yield
    finally:
        folders.stop()


class FolderWatch:
    """Looks after the watched folders of one home until it is told to stop; any number may do so at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="folder-watch")
        self._announcer = DropAnnouncer(settings)

    def start(self) -> None:
        """Begin, in threads."""
        self._announcer.start()
        self._thread.start()

    def stop(self) -> None:
        """Wait, not for ever, until the threads have ended; what one is in the middle of is finished."""
        self._stopping.set()
        self._announcer.stop()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with Store.opened(self._settings) as store:
                    drops = Drops(self._settings, store)
                    while not self._stopping.is_set():
                        self._watch(drops)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may go better
                LOGGER.warning("watching folders: %s: %s", type(error).__name__, error)
                self._stopping.wait(STORE_SECONDS)

    def _watch(self, drops: Drops) -> None:
        """Look whenever something changes, and now and then; until other folders are to be watched."""
        sweep, ask, move = map(Every, (self._settings.inbox_sweep_seconds, DEFINITIONS_SECONDS, STORE_SECONDS))
        drops.ask_definitions()
        watched = drops.present()
        for changed in self._changes(list(watched)):
            if drops.look(None if sweep.is_due() else changed | drops.growing):
                self._announcer.wake()
            if move.is_due():
                drops.settle_ended()
            if ask.is_due():
                drops.ask_definitions()
                if drops.present() != watched:
                    return

    def _changes(self, paths: list[Path]) -> Iterator[set[Path]]:
        """The folders in which something changed, at every tick; ends when it is better to begin anew."""
        try:
            if paths:
                for changes in watch(
                    *paths,
                    watch_filter=None,
                    debounce=TICK_MILLISECONDS,
                    stop_event=self._stopping,
                    rust_timeout=TICK_MILLISECONDS,
                    yield_on_timeout=True,
                    recursive=False,
                    ignore_permission_denied=True,
                ):
                    yield {Path(changed).parent for _, changed in changes}
                return
        except (OSError, RuntimeError) as error:
            LOGGER.warning("the system tells of no changes (%s); folders are looked through instead", error)
        ends_at = time.monotonic() + self._settings.inbox_sweep_seconds
        while time.monotonic() < ends_at and not self._stopping.wait(TICK_MILLISECONDS / 1_000):
            yield set()


class Every:
    """Says when so many seconds are over since it said so last; at once, the first time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next_at = float("-inf")

    def is_due(self) -> bool:
        """True once in a while."""
        if time.monotonic() < self._next_at:
            return False
        self._next_at = time.monotonic() + self._seconds
        return True
