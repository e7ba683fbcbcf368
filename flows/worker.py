"""The warm worker: claims jobs from the store and brings them to their end, in a process that has all imported.

Run as a module this file is that process; `lading serve` starts it with Prefect's settings in its environment.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from prefect import get_client
from prefect.flow_engine import run_flow

from flows.engine import prefect_may_fail, use_prefect
from flows.import_job import import_job
from flows.job_runs import labels_of
from flows.lifecycle import directly, work_on
from flows.parent import end_with, say_ready
from flows.pauses import Pauses
from flows.pool_runs import PoolRuns
from flows.prefect_server import drain
from flows.run_watch import RunWatch
from flows.warm_up import warm_up
from schemas.errors import ConflictError, ProcessEndsError, RetriableError
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from store.leases import held_lease
from store.tables import Job
from store.workers import claimable_jobs, remove_worker, renew_worker
from tasks.ending import end_soon, is_ending
from tasks.reader_process import end_idle_readers

LOGGER = logging.getLogger("lading.worker")
POLL_SECONDS = 0.1
"""How often the worker looks for jobs."""
BEAT_SECONDS = 2.0
"""How often it says that it is alive."""
STOP_SECONDS = 8.0
"""How long it waits for its jobs to stop at their next chunk."""
AT_ONCE = 100
NICENESS = 10
"""Imports, and the readers that inherit this, leave the processor to whoever answers requests."""


class Worker:
    """Brings jobs to their end, up to `worker_jobs` at a time, one import at a time for each table.

    Where a work pool is set, it has them started there; jobs to be cancelled it ends itself, and at once.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._id = uuid4().hex
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._pauses = Pauses()
        self._beaten_at = float("-inf")
        self._jobs = ThreadPoolExecutor(settings.worker_jobs, "job", initializer=use_prefect)
        self._cancels = ThreadPoolExecutor(1, "cancel")
        self._pool = None if settings.work_pool is None else PoolRuns(store, settings.work_pool)
        self._watch = RunWatch(store, self.busy)

    def busy(self) -> frozenset[str]:
        """The ids of the jobs that this process works on."""
        with self._lock:
            return frozenset(self._busy)

    def has_work(self) -> bool:
        """True when a job waits."""
        return bool(self._claimable())

    def run(self, on_ready: Callable[[], None]) -> None:
        """Work until this process is told to end; `on_ready` is called when jobs are being claimed."""
        threading.Thread(target=self._watch.run, daemon=True, name="run-watch").start()
        self._turn()
        on_ready()
        while not is_ending(POLL_SECONDS):
            self._turn()

    def stop(self) -> None:
        """Wait, not for ever, until no job is at work; each stops at its next chunk."""
        ends_at = time.monotonic() + STOP_SECONDS
        while self.busy() and time.monotonic() < ends_at:
            time.sleep(POLL_SECONDS / 2)
        with self._store.write() as session:
            remove_worker(session, self._id)

    def _turn(self) -> None:
        try:
            self._beat()
            self._claim()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next look may go better
            LOGGER.warning("looking for jobs: %s: %s", type(error).__name__, error)
            is_ending(BEAT_SECONDS)

    def _beat(self) -> None:
        if time.monotonic() >= self._beaten_at + BEAT_SECONDS:
            with self._store.write() as session:
                renew_worker(session, self._id)
            self._beaten_at = time.monotonic()

    def _claim(self) -> None:
        # A job that can't be started now must not keep others from being cancelled.
        for job in sorted(self._claimable(), key=lambda job: job.cancel_requested_at is None):
            if job.cancel_requested_at is not None:
                self._submit(self._cancels, job, self._directly)
            elif self._watch.prefect_is_up and self._pool is not None:
                self._pool.start(job)
            elif self._watch.prefect_is_up and len(self.busy()) < self._settings.worker_jobs:
                self._submit(self._jobs, job, self._as_run)

    def _claimable(self) -> Sequence[Job]:
        with self._store.read() as session:
            return claimable_jobs(session, self._settings.lease_seconds, AT_ONCE, self._is_left_alone)

    def _is_left_alone(self, job: Job) -> bool:
        """True while we work on it already, or it rests; many that rest must not hide those behind them."""
        with self._lock:
            return job.id in self._busy or self._pauses.is_resting(_work_of(job))

    def _submit(self, threads: ThreadPoolExecutor, job: Job, work: Callable[[str, int], None]) -> None:
        with self._lock:
            self._busy.add(job.id)
        threads.submit(self._work, job.id, _work_of(job), work)

    def _work(self, job_id: str, name: str, work: Callable[[str, int], None]) -> None:
        """Take the lease and do the work under it; what goes wrong decides nothing, and the job rests."""
        try:
            with held_lease(self._store, self._settings, job_id) as epoch:
                work(job_id, epoch)
            self._pauses.forget(name)
        except ConflictError:
            self._pauses.forget(name)  # somebody else was quicker
        except ProcessEndsError as error:
            LOGGER.info("job %s: %s", job_id, error)
        except Exception as error:  # noqa: BLE001 - a job must not end the worker
            seconds = self._pauses.rest(name)
            LOGGER.warning("job %s: %s: %s; it rests for %.0f s", job_id, type(error).__name__, error, seconds)
        finally:
            with self._lock:
                self._busy.discard(job_id)

    def _directly(self, job_id: str, epoch: int) -> None:
        work_on(directly, self._settings, self._store, job_id, epoch)

    def _as_run(self, job_id: str, epoch: int) -> None:
        parameters = {"job_id": job_id, "epoch": epoch}
        labels = labels_of(self._store, job_id)
        with prefect_may_fail("ran the import"), get_client(sync_client=True) as client:
            # Made here, where it gets its name and tags in one request.
            run = client.create_flow_run(import_job, labels.name, parameters, tags=labels.tags)
            run_flow(import_job, run, parameters, return_type="state")
        with self._store.read() as session:
            is_done = get_job(session, job_id).reported_at is not None
        if not is_done and not is_ending():
            raise RetriableError(f"its run {run.id} did not bring it to its end; Prefect's UI says why")


def _work_of(job: Job) -> str:
    """What is to be done for the job, for its pauses: that an import rests is no reason to cancel it late."""
    return job.id if job.cancel_requested_at is None else f"end of {job.id}"


def main(parent_pid: int, ready_fileno: int) -> None:
    """Be the worker until SIGTERM, or until the parent is gone."""
    end_with(parent_pid, 2 * STOP_SECONDS)
    os.nice(NICENESS)
    signal.signal(signal.SIGTERM, lambda *_: end_soon())
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    LOGGER.setLevel(logging.INFO)
    settings = Settings()
    with Store.opened(settings) as store:
        worker = Worker(settings, store)
        if not worker.has_work():
            warm_up(settings)
        use_prefect()
        worker.run(lambda: say_ready(ready_fileno))
        worker.stop()
    drain()
    end_idle_readers()
    # A thread in the middle of a long step does not hold us up; what it did not commit is undone.
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
