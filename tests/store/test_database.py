import subprocess
import sys
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel

from schemas.errors import FatalError, StoreBusyError
from store.database import SCHEMA_VERSION, Store
from store.jobs import set_values
from store.uploads import put_upload


def test_the_migrations_make_just_the_tables_that_the_code_declares(store):
    with store.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_schema_version_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


def test_the_constraint_of_the_migration_is_that_of_the_code(store):
    with store.read() as session:
        sql = "SELECT sql FROM sqlite_master WHERE name = 'job'"
        made = session.connection().exec_driver_sql(sql).scalar_one()
    constraints = SQLModel.metadata.tables["job"].constraints
    assert next(str(c.sqltext) for c in constraints if c.name == "every_row_accounted_for") in made


def test_a_block_that_fails_leaves_nothing_behind(store):
    def write_and_fail():
        with store.write() as session:
            put_upload(session, "local", sha256="1" * 64, size_bytes=1, file_name="gone.csv", days=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM upload").scalar() == 0


def test_a_store_of_a_newer_lading_is_refused(store, settings):
    with store.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FatalError, match="'9999'"):
        Store.open(settings)


def test_a_file_that_is_no_store_is_refused_and_kept(settings):
    settings.make_home()
    settings.store_path.write_text("not a database, but somebody's text\n" * 100)
    with pytest.raises(FatalError, match=r"lading\.db"):
        Store.open(settings)
    assert settings.store_path.read_text().startswith("not a database")


def test_a_store_that_stays_locked_is_an_error_to_be_retried(store, settings):
    impatient = settings.model_copy(update={"busy_timeout_seconds": 0.05})
    with Store.opened(impatient) as other, store.write() as session:
        put_upload(session, "local", sha256="1" * 64, size_bytes=1, file_name="a.csv", days=1)
        with pytest.raises(StoreBusyError, match="locked"), other.write() as late:
            late.connection()


def test_a_naive_time_is_never_stored(store, new_job):
    job_id = new_job()
    with pytest.raises(StatementError, match="naive"), store.write() as session:
        set_values(session, job_id, epoch=0, expires_at=datetime(2024, 1, 1))  # noqa: DTZ001 - the point


OPEN = """
import sys
from schemas.settings import Settings
from store.database import Store
with Store.opened(Settings(home=sys.argv[1])) as store, store.read() as session:
    assert session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 0
"""


def test_processes_may_make_the_same_store_at_the_same_time(settings):
    command = [sys.executable, "-c", OPEN, str(settings.home)]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0, 0]
