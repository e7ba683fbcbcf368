"""What is true of the store only where it is a SQLite file."""

import pytest
from sqlmodel import SQLModel

from schemas.errors import FatalError, StoreBusyError
from store.database import Store
from store.retention import are_bytes_known
from store.uploads import put_upload

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def test_the_constraint_of_the_migration_is_that_of_the_code(store):
    with store.read() as session:
        sql = "SELECT sql FROM sqlite_master WHERE name = 'job'"
        made = session.connection().exec_driver_sql(sql).scalar_one()
    constraints = SQLModel.metadata.tables["job"].constraints
    assert next(str(c.sqltext) for c in constraints if c.name == "every_row_accounted_for") in made


def test_a_file_that_is_no_store_is_refused_and_kept(settings):
    settings.make_home()
    settings.store_path.write_text("not a database, but somebody's text\n" * 100)
    with pytest.raises(FatalError, match=r"lading\.db"):
        Store.open(settings)
    assert settings.store_path.read_text().startswith("not a database")


def test_a_full_disk_decides_nothing(store):
    def fill():
        with store.write() as session:
            session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
            for number in range(1_000):
                put_upload(session, "local", sha256=f"{number:064}", size_bytes=1, file_name="a.csv", days=1)

    with pytest.raises(StoreBusyError, match="full"):
        fill()
    with store.read() as session:
        assert not are_bytes_known(session, "0" * 64)
