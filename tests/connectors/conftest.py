"""The service with every face, over a real socket; jobs come to their end when a test says so."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select

from flows import run
from schemas.definition import Definition
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.tables import Job
from tests.api.conftest import Service, running


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with running(settings) as service:
        yield service


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that are a tenant of their own, which is quicker than one for each."""
    with running(Settings(home=tmp_path_factory.mktemp("faces") / ".lading")) as service:
        yield service


@pytest.fixture
def tenant() -> str:
    """A name that no other test has."""
    return f"t{uuid4().hex}"


@pytest.fixture
def apply(service: Service, make_definition: Callable[..., Definition]) -> Callable[..., Definition]:
    """Keeps a definition of `id` (the key), `name` and `amount` with whatever is said otherwise."""

    def keep(tenant: str = "acme", **changes: Any) -> Definition:
        definition = make_definition(**changes)
        with Store.opened(service.settings) as store, store.write() as session:
            put_definition(session, tenant, definition)
        return definition

    return keep


@pytest.fixture
def finish(service: Service) -> Callable[[], None]:
    """Brings every job to its end, in the order in which they came, as a worker would."""

    def all_jobs() -> None:
        with Store.opened(service.settings) as store, store.read() as session:
            found = session.exec(select(Job.id).where(Job.reported_at == None).order_by(Job.received_at)).all()  # noqa: E711
        for job_id in found:
            run.resume(service.settings, job_id)

    return all_jobs
