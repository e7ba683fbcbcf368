"""Watches Prefect for the worker: whether its server answers, and what was cancelled there."""

import logging
import time
from collections.abc import Callable, Collection

import httpx
from prefect import get_client
from prefect.exceptions import PrefectException

from flows.engine import use_prefect
from flows.job_runs import conclude_left, pass_on_cancelling
from store.database import Store
from tasks.ending import is_ending

LOGGER = logging.getLogger("lading.runs")
LOOK_SECONDS = 1.0
CONCLUDE_SECONDS = 15.0


class RunWatch:
    """Looks now and then, in a thread that calls `run`.

    Args:
        ours: gives the ids of the jobs that this process works on.

    Attributes:
        prefect_is_up: its server answered when we looked last, or when a run needed it since.
    """

    def __init__(self, store: Store, ours: Callable[[], Collection[str]]) -> None:
        self.prefect_is_up = False
        self._store, self._ours = store, ours
        self._concluded_at = float("-inf")

    def run(self) -> None:
        """Look until this process is about to end."""
        use_prefect()
        while not is_ending(LOOK_SECONDS if self.prefect_is_up else LOOK_SECONDS / 2):
            self._look()

    def _look(self) -> None:
        try:
            with get_client(sync_client=True) as client:
                pass_on_cancelling(client, self._store)
                self.prefect_is_up = True
                if time.monotonic() > self._concluded_at + CONCLUDE_SECONDS:
                    conclude_left(client, self._store, self._ours())
                    self._concluded_at = time.monotonic()
        except (PrefectException, httpx.HTTPError) as error:
            if self.prefect_is_up:
                LOGGER.warning("Prefect's server does not answer: %s", type(error).__name__)
            self.prefect_is_up = False
        except Exception as error:  # noqa: BLE001 - whatever it was, the next look may go better
            LOGGER.warning("looking at runs: %s: %s", type(error).__name__, error)
