from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.definition import Mode
from schemas.job import JobKind, JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import add_job
from store.tables import Job
from store.uploads import put_upload


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a store that is not there yet: every test of this room runs on each kind."""
    if request.param == "sqlite":
        return Settings(home=tmp_path / ".lading")
    settings: Settings = request.getfixturevalue("on_postgres")
    return settings


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store.opened(settings) as store:
        yield store


@pytest.fixture
def new_job(store, make_definition):
    """Makes a job in `received`, for a table of this name, and gives its id."""

    def make(table: str = "things") -> str:
        with store.write() as session:
            upload = put_upload(session, "local", sha256="0" * 64, size_bytes=1, file_name="a.csv", days=1)
            stored = put_definition(session, "local", make_definition(destination={"table": table}))
            job = Job(
                id=str(uuid4()),
                tenant="local",
                kind=JobKind.IMPORT,
                state=JobState.RECEIVED,
                definition_id=stored.id,
                upload_id=upload.id,
                mode=Mode.UPSERT,
                destination_key=f"local/default/{table}",
                expires_at=datetime(2100, 1, 1, tzinfo=UTC),
                stage_expires_at=datetime(2100, 1, 1, tzinfo=UTC),
                errors_expire_at=datetime(2100, 1, 1, tzinfo=UTC),
            )
            return add_job(session, job).id

    return make
