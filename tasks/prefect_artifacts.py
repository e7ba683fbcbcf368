"""The artifacts of a job, inside a task run of Prefect: its progress, and its summary."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)

from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from store.pages import list_errors
from store.uploads import get_upload
from tasks.summary import summary_markdown

LOGGER = logging.getLogger("lading.artifacts")
PROGRESS_SECONDS = 2.0
"""Prefect is told of progress no more often than this."""


def artifact_key(kind: str, job_id: str) -> str:
    """The key of the job's artifact of this kind, such as `summary-1a2b…`."""
    return f"{kind}-{job_id}"


def progress(job_id: str) -> Callable[[int, int], None]:
    """Something to call with (rows done, rows in all), which shows them as a progress artifact."""
    artifact_id: Any = None
    told_at = float("-inf")
    listening = True

    def tell(done: int, total: int) -> None:
        nonlocal artifact_id, told_at, listening
        if not listening or (done < total and time.monotonic() - told_at < PROGRESS_SECONDS):
            return
        told_at, percent = time.monotonic(), 100.0 * done / total if total else 100.0
        listening = False
        with _harmless("progress"):
            if artifact_id is None:
                key = artifact_key("progress", job_id)
                artifact_id = create_progress_artifact(percent, key=key, description="rows loaded")
            else:
                update_progress_artifact(artifact_id, progress=percent)
            listening = True

    return tell


@contextmanager
def _harmless(kind: str) -> Iterator[None]:
    """What Prefect can't show now must not stop an import: the job store has it all."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        LOGGER.warning("the %s artifact could not be kept: %s", kind, type(error).__name__)


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
