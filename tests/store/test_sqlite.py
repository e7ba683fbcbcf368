"""What is true of the store only where it is a SQLite file."""

import pytest
from sqlmodel import SQLModel

from schemas.errors import FatalError
from store.database import Store

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
