"""Watches folders for dropped files, in a thread: claims them, tells Prefect, and moves them when all is done.

The job store is the truth, and each look begins with it: what an event of the file system, a server that was
away, or a process that died left undone is done by a later look.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectException
from watchfiles import watch

from flows.drop_events import announce, drops_under_way
from flows.engine import use_prefect
from schemas.clock import utc_now
from schemas.errors import NotFoundError
from schemas.settings import Settings
from store.database import Store
from store.drops import note_announced, refuse_drop, unannounced_drops
from store.source_tables import Drop
from tasks.drops import Drops

LOGGER = logging.getLogger("lading.drops")
TICK_MILLISECONDS = 250
STORE_SECONDS = 1.0
"""How often the store is asked what is to be announced or moved."""
DEFINITIONS_SECONDS = 2.0
AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 20.0, 600.0
"""A drop without a job is announced again after so long, then after twice as long each time."""
AT_ONCE = 200
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
        self._is_prefect_up = True

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Wait, not for ever, until the thread has ended; the look that it is in the middle of is finished."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        use_prefect()
        while not self._stopping.is_set():
            try:
                with Store.opened(self._settings) as store:
                    drops = Drops(self._settings, store)
                    while not self._stopping.is_set():
                        self._watch(store, drops)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may go better
                LOGGER.warning("watching folders: %s: %s", type(error).__name__, error)
                self._stopping.wait(STORE_SECONDS)

    def _watch(self, store: Store, drops: Drops) -> None:
        """Look whenever something changes, and now and then; until other folders are to be watched."""
        sweep, ask, tell = map(Every, (self._settings.inbox_sweep_seconds, DEFINITIONS_SECONDS, STORE_SECONDS))
        drops.ask_definitions()
        watched = drops.present()
        for changed in self._changes(list(watched)):
            is_new = drops.look(None if sweep.is_due() else changed | drops.growing)
            if tell.is_due() or is_new:
                self._announce(store)
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

    def _announce(self, store: Store) -> None:
        """Tell Prefect of drops that have no job, and of which it may know nothing."""
        with store.read() as session:
            untold = unannounced_drops(session, utc_now() - timedelta(seconds=AGAIN_SECONDS), AT_ONCE)
        due = [drop for drop in untold if _is_due(drop)]
        if not due:
            return
        try:
            with get_client(sync_client=True) as client:
                told_before = any(drop.announced_at is not None for drop in due)
                under_way = drops_under_way(client) if told_before else set()
                for drop in due:
                    if drop.id not in under_way:
                        _tell(client, store, drop)
            self._is_prefect_up = True
        except (PrefectException, httpx.HTTPError) as error:
            if self._is_prefect_up:
                LOGGER.warning("Prefect can't be told of files: %s; they wait", type(error).__name__)
            self._is_prefect_up = False


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


def _is_due(drop: Drop) -> bool:
    pause = min(AGAIN_SECONDS * 2.0 ** min(drop.announcements - 1, 30), LONGEST_AGAIN_SECONDS)
    return drop.announced_at is None or utc_now() > drop.announced_at + timedelta(seconds=pause)


def _tell(client: SyncPrefectClient, store: Store, drop: Drop) -> None:
    try:
        size_bytes = announce(client, drop)
    except NotFoundError as error:
        with store.write() as session:
            refuse_drop(session, drop.id, str(error))
        return
    with store.write() as session:
        note_announced(session, drop.id, size_bytes)
