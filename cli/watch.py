"""Shows how a job comes along, by watching the job store from a thread, whoever runs the job."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cli.output import OUT, say
from schemas.errors import LadingError
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job, list_events, running_jobs
from store.leases import this_process
from store.tables import Event as JobEvent, Job

LOOK_SECONDS = 0.2
LINE_SECONDS = 2.0
"""Without a terminal, a line is printed at least this often."""


@contextmanager
def watched(settings: Settings, *, quiet: bool) -> Iterator["Watcher"]:
    """Show the progress of the jobs that this process works on, for as long as the block runs.

    What the block itself has to say goes through `tell`, so that lines keep their beat, and the jobs whose
    ids it learns through `follow`, so that one that came and went between two looks is shown too.
    """
    watcher = Watcher(settings, quiet=quiet)
    if quiet:
        yield watcher
        return
    done = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(done,), daemon=True, name="watch")
    thread.start()
    try:
        yield watcher
    finally:
        done.set()
        thread.join()


class Watcher:
    """Looks at the store now and then, and says what is new; nothing where it is to be quiet."""

    def __init__(self, settings: Settings, *, quiet: bool) -> None:
        self._settings = settings
        self._quiet = quiet
        self._us = this_process()
        self._started_at = self._told_at = time.monotonic()
        self._seen: dict[str, int] = {}
        self._bars = _bars() if OUT.is_terminal else None
        self._bar: TaskID | None = None

    def run(self, done: threading.Event) -> None:
        """Watch until told to stop, then look a last time."""
        try:
            with Store.opened(self._settings) as store:
                while not done.wait(LOOK_SECONDS):
                    self._look(store)
                self._look(store)
        except (LadingError, OSError) as error:
            say("watch", f"progress can't be shown: {error}")
        finally:
            if self._bars is not None:
                self._bars.stop()

    def _look(self, store: Store) -> None:
        with store.read() as session:
            running = running_jobs(session, self._settings.tenant)
            ours = [job.id for job in running if job.lease_owner == self._us]
            for job_id in dict.fromkeys([*self._seen, *ours]):
                self._show(get_job(session, job_id), list_events(session, job_id))
        if self._bars is None and time.monotonic() - self._told_at >= LINE_SECONDS:
            self.tell("working", f"{time.monotonic() - self._started_at:.0f} s")

    def _show(self, job: Job, events: Sequence[JobEvent]) -> None:
        last = self._seen.setdefault(job.id, 0)
        for event in events:
            if event.id > last and (text := _sentence(job, event)):
                self.tell(*text)
        self._seen[job.id] = max((event.id for event in events), default=last)
        self._advance(job)

    def _advance(self, job: Job) -> None:
        if job.state not in {JobState.VALIDATING, JobState.IMPORTING}:
            return
        stage, rows = ("validate", job.rows_read) if job.rows is None else ("import", job.rows_loaded)
        if self._bars is not None:
            self._draw(self._bars, stage, rows, job.rows)
        elif time.monotonic() - self._told_at >= LINE_SECONDS:
            of = f" of {job.rows:,}" if job.rows is not None else ""
            self.tell(stage, f"{rows:,}{of} rows, {time.monotonic() - self._started_at:.0f} s")

    def _draw(self, bars: Progress, stage: str, rows: int, total: int | None) -> None:
        if self._bar is None or bars.tasks[0].description != stage:
            bars.start()
            for old in bars.task_ids:
                bars.remove_task(old)
            self._bar = bars.add_task(stage)
        bars.update(self._bar, completed=rows, total=total)

    def tell(self, label: str, text: str) -> None:
        """Print a line; the next one without news comes `LINE_SECONDS` later."""
        if not self._quiet:
            say(label, text)
        self._told_at = time.monotonic()

    def follow(self, job_id: str) -> None:
        """Show this job from now on, at the last look at the latest, whatever its state."""
        self._seen.setdefault(job_id, 0)


def _bars() -> Progress:
    return Progress(
        TextColumn("[bold]{task.description:<10}[/bold]"),
        BarColumn(),
        MofNCompleteColumn(),
        _RowsPerSecond(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=OUT,
        transient=True,
    )


class _RowsPerSecond(ProgressColumn):
    """How quickly the rows go by."""

    def render(self, task: Task) -> Text:
        """The rate of the last seconds."""
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")


def _sentence(job: Job, event: JobEvent) -> tuple[str, str] | None:
    """What to say of an event; None where something else says it better."""
    sentences = {
        "received": ("upload", f"job {job.id}"),
        "resumed": ("upload", f"job {job.id} was interrupted and goes on"),
        "validate": ("validate", "reading and checking every row"),
        "ready": ("validate", f"{job.rows or 0:,} rows read, {job.errors:,} errors"),
        "resumes": ("import", event.detail or ""),
        "waits": ("import", event.detail or ""),
        "import": ("import", f"segment {event.detail}"),
        "complete": ("import", "the last step"),
        "poll": ("poll", "asking what became of every row"),
        "report": ("report", "writing what the job leaves"),
    }
    return sentences.get(event.name)
