"""Starts jobs as runs of a Prefect work pool, for workers of Prefect's own on other machines."""

import asyncio
import time
from datetime import timedelta
from itertools import count
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments.runner import DeploymentApplyError
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows.import_job import import_job
from flows.job_runs import labels_of, request_end
from schemas.clock import utc_now
from schemas.errors import RetriableError
from store.database import Store
from store.tables import Job

DEPLOYMENT = "queued"
ASK_SECONDS = 2.0
"""How often we ask what became of a run whose job nobody took up."""
LOST_AFTER = timedelta(seconds=60)
"""A run that began so long ago, and whose job nobody holds, has lost its process."""


class PoolRuns:
    """The runs of one work pool; the idempotency key of each is the job, its epoch and the try."""

    def __init__(self, store: Store, work_pool: str) -> None:
        self._store, self._work_pool = store, work_pool
        self._deployment: UUID | None = None
        self._asked_at: dict[tuple[str, int], float] = {}

    def start(self, job: Job) -> None:
        """Have a run of the job that waits, or works, or was just made; harmless when repeated.

        A job that was started, ended its try and nobody holds is started once more.
        """
        place = (job.id, job.lease_epoch)
        if time.monotonic() < self._asked_at.get(place, float("-inf")) + ASK_SECONDS:
            return
        for attempt in count():
            run = self._run(job, f"{job.id}-{job.lease_epoch}-{attempt}")
            if run.state is not None and run.state.is_cancelled():
                # Before it began, for else whoever worked on the job would have told the store.
                request_end(self._store, job.id)
                break
            if not self._is_lost(run):
                break
        self._asked_at = {other: at for other, at in self._asked_at.items() if other[0] != job.id}
        self._asked_at[place] = time.monotonic()

    def _run(self, job: Job, idempotency_key: str) -> FlowRun:
        labels = labels_of(self._store, job.id)
        with get_client(sync_client=True) as client:
            return client.create_flow_run_from_deployment(
                self._registered(),
                parameters={"job_id": job.id},
                name=labels.name,
                tags=labels.tags,
                idempotency_key=idempotency_key,
            )

    def _registered(self) -> UUID:
        """The id of our deployment in the pool, made when it is first needed.

        Raises:
            RetriableError: there is no such pool.
        """
        if self._deployment is None:
            try:
                self._deployment = asyncio.run(_register(self._work_pool))
            except DeploymentApplyError as error:
                raise RetriableError(
                    f"no job can start in the work pool {self._work_pool!r} ({error}); "
                    f"`prefect work-pool create {self._work_pool} --type process` makes it"
                ) from error
        return self._deployment

    def _is_lost(self, run: FlowRun) -> bool:
        """True when the run will not take its job up any more."""
        state = run.state
        if state is None or state.is_scheduled():
            return False
        if state.is_final():
            return True
        if state.timestamp > utc_now() - LOST_AFTER:
            return False
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.id, Crashed(message="its process is gone"), force=True)
        return True


async def _register(work_pool: str) -> UUID:
    deployment = await import_job.ato_deployment(
        DEPLOYMENT,
        description="Bring a job that came over HTTP to its end.",
        tags=["lading"],
        work_pool_name=work_pool,
        # Where the pool's worker was started: the nearest .lading above it is found from there.
        job_variables={"working_dir": "."},
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    registered: UUID = await deployment.aapply()
    return registered
