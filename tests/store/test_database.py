import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel

from schemas.errors import FatalError, StoreBusyError
from schemas.settings import Settings
from store.access_tables import ApiKey
from store.database import Store
from store.delivery_tables import Delivery
from store.face_tables import ClientFile
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import check_epoch, get_job, set_values
from store.migrating import SCHEMA_VERSION
from store.source_tables import Fetch
from store.uploads import put_upload


def test_the_migrations_make_just_the_tables_that_the_code_declares(store):
    # Of each module that declares some.
    assert {
        ApiKey.__tablename__,
        ClientFile.__tablename__,
        Delivery.__tablename__,
        Fetch.__tablename__,
    } <= SQLModel.metadata.tables.keys()
    with store.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_schema_version_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


def test_a_block_that_fails_leaves_nothing_behind(store):
    def write_and_fail():
        with store.write() as session:
            put_upload(session, "local", sha256="1" * 64, size_bytes=1, file_name="gone.csv", days=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM upload").scalar() == 0


def test_a_call_that_gets_no_connection_may_be_repeated(store, monkeypatch):
    pool = store._backend.reader.pool
    monkeypatch.setattr(pool, "_timeout", 0.01)
    with ExitStack() as stack:
        for _ in range(pool.size() + pool._max_overflow):
            stack.enter_context(store.read()).connection()
        with pytest.raises(StoreBusyError, match="all connections"), store.read() as session:
            session.connection()
    with store.read() as session:
        assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1


def test_a_store_of_a_newer_lading_is_refused(store, settings):
    with store.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FatalError, match="'9999'"):
        Store.open(settings)


def test_what_stays_locked_is_an_error_to_be_retried(store, settings, new_job):
    job_id = new_job()
    impatient = settings.model_copy(update={"busy_timeout_seconds": 0.05})
    with Store.opened(impatient) as other, store.write() as session:
        check_epoch(session, job_id, 0)
        with pytest.raises(StoreBusyError, match=r"lock.*try again"), other.write() as late:
            check_epoch(late, job_id, 0)


def test_a_time_comes_back_in_utc_whatever_zone_it_was_said_in(store, new_job):
    job_id = new_job()
    winter = datetime(2024, 1, 1, 12, 30, 15, 123456, tzinfo=ZoneInfo("America/New_York"))
    with store.write() as session:
        set_values(session, job_id, epoch=0, expires_at=winter)
    with store.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection().exec_driver_sql("SET TIME ZONE 'Asia/Kolkata'")
        assert get_job(session, job_id).expires_at.isoformat() == "2024-01-01T17:30:15.123456+00:00"


def test_text_that_no_database_could_hold_is_shown_by_what_stands_for_it(store, new_job):
    job_id = new_job()
    with store.write() as session:
        set_values(session, job_id, epoch=0, error_message="a\0b\udcff", warnings=["c\0d"])
    with store.read() as session:
        assert get_job(session, job_id).error_message == "a\N{SYMBOL FOR NULL}b\\udcff"
        assert get_job(session, job_id).warnings == ["c\0d"]


def test_a_naive_time_is_never_stored(store, new_job):
    job_id = new_job()
    with pytest.raises(StatementError, match="naive"), store.write() as session:
        set_values(session, job_id, epoch=0, expires_at=datetime(2024, 1, 1))  # noqa: DTZ001 - the point


OPEN = """
from schemas.settings import Settings
from store.database import Store
with Store.opened(Settings()) as store, store.read() as session:
    assert session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 0
"""


@pytest.mark.slow
def test_processes_may_make_the_same_store_at_the_same_time(settings, environment):
    children = [subprocess.Popen([sys.executable, "-c", OPEN], env=environment(settings)) for _ in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0, 0]
    assert settings.store_path.exists() is (settings.store_url is None)


def test_threads_of_one_process_make_new_stores_at_the_same_time(tmp_path):
    homes = [Settings(home=tmp_path / str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(Store.open, homes))
    for store in stores:
        with store.read() as session:
            assert page_of_jobs(session, "local", JobFilter(), limit=1) == []
        store.close()


def test_the_connections_of_a_store_outlive_the_end_of_another_over_the_same_file(settings):
    with Store.opened(settings) as store:
        with store.read() as session:
            before = session.connection().connection.dbapi_connection
        with Store.opened(settings):
            """Opened and closed."""
        with store.read() as session:
            assert session.connection().connection.dbapi_connection is before
