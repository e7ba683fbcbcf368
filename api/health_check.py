"""Whether work can run: looked up at most once a second, however often it is asked."""

import asyncio
import time

import httpx

from schemas.errors import LadingError
from schemas.settings import Settings
from store.database import Store
from store.workers import live_workers

WORKER_SECONDS = 10.0
"""A worker that gave no sign for so long counts as gone."""
FRESH_SECONDS = 1.0
_ANSWER_SECONDS = 2.0


class HealthCheck:
    """What is missing for work to run, as it was found within the last second."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._looking = asyncio.Lock()
        self._looked_at = -FRESH_SECONDS
        self._missing: list[str] = []

    async def missing(self) -> list[str]:
        """Of `job store`, `worker` and `prefect` those that do not answer."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= FRESH_SECONDS:
                lacks = await asyncio.to_thread(self._lacks_of_store)
                answers = await _answers(self._settings.prefect_api_url)
                self._missing = [*lacks, *([] if answers else ["prefect"])]
                self._looked_at = time.monotonic()
            return self._missing

    def _lacks_of_store(self) -> list[str]:
        try:
            with self._store.read() as session:
                alive = self._settings.work_pool is not None or live_workers(session, WORKER_SECONDS)
        except LadingError:
            return ["job store"]
        return [] if alive else ["worker"]


async def _answers(prefect_api_url: str | None) -> bool:
    """True when Prefect's API answers; false where no address of one is set."""
    if prefect_api_url is None:
        return False
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False) as client:
            return (await client.get(f"{prefect_api_url.rstrip('/')}/health")).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
