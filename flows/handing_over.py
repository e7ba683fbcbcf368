"""How an import of the command line is run by the service of its home, whose worker has everything imported."""

import time

from flows import lifecycle
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job, queue
from store.workers import live_workers

LOOK_SECONDS = 0.1
GONE_SECONDS = 15.0
"""A worker that gave no sign for so long is not waited for; one that is started again needs a few seconds."""


def hand_over_file(settings: Settings, request: ImportRequest) -> str:
    """Accept the file here, for a worker to import it at once; gives the id of its job."""
    job_id = lifecycle.accept(lifecycle.directly, settings, request).job_id
    with Store.opened(settings) as store, store.write() as session:
        queue(session, job_id)
    return job_id


def await_end(settings: Settings, job_id: str) -> None:
    """Wait until a worker has brought the job to its end, however it ends.

    Where no worker is alive any more, the job is brought to its end here, without Prefect's engine.
    """
    with Store.opened(settings) as store:
        while not _is_reported(store, job_id):
            if not _has_worker(store):
                lifecycle.bring_to_end(lifecycle.directly, settings, job_id)
            time.sleep(LOOK_SECONDS)


def _is_reported(store: Store, job_id: str) -> bool:
    with store.read() as session:
        return get_job(session, job_id).reported_at is not None


def _has_worker(store: Store) -> bool:
    with store.read() as session:
        return bool(live_workers(session, GONE_SECONDS))
