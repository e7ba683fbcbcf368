"""The artifacts of a job, inside a task run of Prefect: its progress, and its summary."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.context import SyncClientContext

from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from store.pages import list_errors
from store.uploads import get_upload
from tasks.summary import summary_markdown

LOGGER = logging.getLogger("lading.artifacts")
LAST_SECONDS = 3.0
"""So long the end of a segment waits for what is told of it."""
PROGRESS_SECONDS = 2.0
"""Prefect is told of progress no more often than this."""


def artifact_key(kind: str, job_id: str) -> str:
    """The key of the job's artifact of this kind, such as `summary-1a2b…`."""
    return f"{kind}-{job_id}"


def progress(job_id: str) -> Callable[[int, int], None]:
    """Something to call with (rows done, rows in all), which shows them as a progress artifact."""
    return _Progress(job_id).tell


class _Progress:
    """Tells Prefect how far a job is; a server that is away, or slow, does not hold up the import."""

    def __init__(self, job_id: str) -> None:
        self._key = artifact_key("progress", job_id)
        self._artifact_id: Any = None
        self._told_at = float("-inf")
        self._telling: threading.Thread | None = None

    def tell(self, done: int, total: int) -> None:
        is_last = done >= total
        if not is_last and time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return None
        self._told_at, percent = time.monotonic(), 100.0 * done / total if total else 100.0
        if is_last and self._telling is None:
            return self._send(percent)
        if self._is_free(LAST_SECONDS if is_last else 0.0):
            # In the context of the task run, which the artifact is shown with.
            run = contextvars.copy_context().run
            self._telling = threading.Thread(target=run, args=(self._send_apart, percent), daemon=True)
            self._telling.start()
        if is_last:
            self._is_free(LAST_SECONDS)
        return None

    def _is_free(self, wait_seconds: float) -> bool:
        if self._telling is not None:
            self._telling.join(wait_seconds)
        return self._telling is None or not self._telling.is_alive()

    def _send_apart(self, percent: float) -> None:
        with SyncClientContext():
            self._send(percent)

    def _send(self, percent: float) -> None:
        with _harmless("progress"):
            if self._artifact_id is None:
                self._artifact_id = create_progress_artifact(percent, key=self._key, description="rows loaded")
            else:
                update_progress_artifact(self._artifact_id, progress=percent)


@contextmanager
def _harmless(kind: str) -> Iterator[None]:
    """What Prefect can't show now must not stop an import: the job store has it all."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        LOGGER.warning("the %s artifact could not be kept: %s", kind, type(error).__name__)


def vendor_link(job_id: str, link: str) -> None:
    """Show where the vendor shows its side of the job."""
    with _harmless("link"):
        create_link_artifact(link, key=artifact_key("vendor", job_id), description="the import at the vendor")


def summary(settings: Settings, job_id: str, failed_rows: Path | None) -> None:
    """Show what became of the job as a markdown artifact."""
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        file_name = get_upload(session, job.upload_id).file_name
        text = summary_markdown(job, file_name, list_errors(session, job_id), failed_rows)
    with _harmless("summary"):
        create_markdown_artifact(
            text, key=artifact_key("summary", job_id), description=f"import of {file_name}"
        )
