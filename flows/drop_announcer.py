"""Tells Prefect of dropped files, in a thread of its own: a server that is away keeps no folder waiting."""

import logging
import threading
from datetime import timedelta

import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectException

from flows.drop_events import announce, drops_under_way
from flows.engine import use_prefect
from schemas.clock import utc_now
from schemas.errors import NotFoundError
from schemas.settings import Settings
from store.database import Store
from store.drops import note_announced, refuse_drop, unannounced_drops
from store.source_tables import Drop

LOGGER = logging.getLogger("lading.drops")
STORE_SECONDS = 1.0
"""How often the store is asked what is to be announced."""
AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 20.0, 600.0
"""A drop without a job is announced again after so long, then after twice as long each time."""
RUN_SECONDS = 2.0
"""Prefect may take so long to make one run: the more drops wait, the later one of them is announced again."""
AT_ONCE = 200
STOP_SECONDS = 5.0


class DropAnnouncer:
    """Announces the drops of one home that have no job, until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="drop-announcer")
        self._is_prefect_up = True

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: there is a new drop."""
        self._woken.set()

    def stop(self) -> None:
        """Wait, not for ever, until the thread has ended."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        use_prefect()
        while not self._stopping.is_set():
            try:
                with Store.opened(self._settings) as store:
                    while not self._stopping.is_set():
                        self._announce(store)
                        self._woken.wait(STORE_SECONDS)
                        self._woken.clear()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may go better
                LOGGER.warning("announcing files: %s: %s", type(error).__name__, error)
                self._stopping.wait(STORE_SECONDS)

    def _announce(self, store: Store) -> None:
        """Tell Prefect of drops that have no job, and of which it may know nothing."""
        with store.read() as session:
            waiting = unannounced_drops(session, utc_now(), AT_ONCE)
        due = [drop for drop in waiting if _is_due(drop, len(waiting))]
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


def _is_due(drop: Drop, waiting: int) -> bool:
    first = AGAIN_SECONDS + RUN_SECONDS * waiting
    pause = min(first * 2.0 ** min(drop.announcements - 1, 30), LONGEST_AGAIN_SECONDS)
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
