"""Clients of a face, each with a key of its own, and what a test wants of the tenant's jobs and tables."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpx

from flows.run import resume
from schemas.principal import Scope
from store.database import Store
from store.job_lists import JobFilter, page_of_jobs
from store.keys import NewKey
from tests.api.conftest import Service


@dataclass(frozen=True)
class FaceClient:
    """One client of a face.

    Attributes:
        http: comes in with the key's token; its addresses are relative to the face.
        bare: comes in with nothing.
    """

    service: Service
    key: NewKey
    http: httpx.Client
    bare: httpx.Client

    def finish_jobs(self) -> None:
        """Bring every job of the tenant to its end, the oldest first."""
        with Store.opened(self.service.settings) as store, store.read() as session:
            jobs = page_of_jobs(session, self.key.tenant, JobFilter(), limit=1_000)
        for job in reversed(jobs):
            if job.reported_at is None:
                resume(self.service.settings, job.id)

    def table(self, name: str) -> list[dict[str, object]] | None:
        """The records of a table of the tenant's own database, in the order they came; None: there is none."""
        path = self.service.settings.table_path(self.key.tenant)
        if not path.exists():
            return None
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [name]).fetchall()
            rows = connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid') if tables else None
            return None if rows is None else [dict(row) for row in rows]


@contextmanager
def face_client(
    service: Service, face: str, tenant: str, *scopes: Scope, definitions: Sequence[str] | None = None
) -> Iterator[FaceClient]:
    """A client with a new key of the tenant; with every scope but `admin`, where none is named."""
    key = service.key(tenant, *scopes, definitions=definitions)
    url = f"{service.url}/{face}"
    bearer = {"Authorization": f"Bearer {key.token}"}
    with (
        httpx.Client(base_url=url, headers=bearer, timeout=30, trust_env=False) as http,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as bare,
    ):
        yield FaceClient(service, key, http, bare)


@contextmanager
def worked(client: FaceClient) -> Iterator[None]:
    """Bring the tenant's jobs to their ends as they come, as a worker does."""
    stops = threading.Event()

    def work() -> None:
        while not stops.wait(0.05):
            client.finish_jobs()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stops.set()
        thread.join()
