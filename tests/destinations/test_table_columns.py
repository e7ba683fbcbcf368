"""What `table_columns` says of a table: which types of field its columns are meant for."""

import pytest

from destinations import table_columns
from schemas.errors import DestinationError
from schemas.field_types import FieldType


def test_a_table_that_lading_made_gives_back_fields_that_it_takes(lab):
    kinds = [t for t in FieldType if t not in {FieldType.CHOICE, FieldType.MULTICHOICE}]
    made = lab.define("id", *(f"f_{kind}:{kind}" for kind in kinds))
    lab.open(made).prepare(made)

    found = table_columns(lab.settings, "local", made.table)

    assert found is not None
    assert list(found) == ["id", *(f"f_{kind}" for kind in kinds)]
    again = lab.define(*(f"{name}:{kind}" for name, kind in found.items()))
    lab.open(again).prepare(again)
    kept = {"integer", "number", "boolean", "date", "time", "datetime"}
    assert {kind: found[f"f_{kind}"] for kind in kept} == {kind: kind for kind in kept}


def test_a_table_that_is_not_there_has_none_and_is_not_made(lab):
    definition = lab.define("id", table="elsewhere")
    assert table_columns(lab.settings, "local", definition.table) is None
    assert not lab.settings.table_path("local").exists()


def test_columns_are_found_in_any_case(lab):
    lab.sql('CREATE TABLE things ("Sku" VARCHAR(20) PRIMARY KEY, "AMOUNT" INTEGER)')
    assert table_columns(lab.settings, "local", lab.define("id").table) == {
        "sku": FieldType.STRING,
        "amount": FieldType.INTEGER,
    }


def test_a_view_has_no_columns_to_write(lab):
    lab.sql("CREATE VIEW things AS SELECT 1 AS id")
    assert table_columns(lab.settings, "local", lab.define("id").table) == {}


def test_a_generated_column_is_none_to_write(lab):
    lab.sql("CREATE TABLE things (n INT, twice INT GENERATED ALWAYS AS (n * 2) STORED)")
    assert table_columns(lab.settings, "local", lab.define("id").table) == {"n": FieldType.INTEGER}


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("INT", FieldType.INTEGER),
        ("DOUBLE PRECISION", FieldType.NUMBER),
        ("DECIMAL(10, 2)", FieldType.NUMBER),
        ("TIMESTAMP", FieldType.DATETIME),
        ("JSON", FieldType.JSON),
        ("", FieldType.STRING),
        ("NVARCHAR(5)", FieldType.STRING),
    ],
)
def test_a_column_of_sqlite_is_meant_for(sqlite, declared, kind):
    sqlite.sql(f"CREATE TABLE things (id {declared})")
    assert table_columns(sqlite.settings, "local", sqlite.define("id").table) == {"id": kind}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("smallint", FieldType.INTEGER),
        ("numeric(10, 2)", FieldType.DECIMAL),
        ("timestamptz", FieldType.DATETIME),
        ("interval", FieldType.DURATION),
        ("jsonb", FieldType.JSON),
        ("uuid", FieldType.UUID),
        ("citext_or_else", FieldType.STRING),
    ],
)
def test_a_column_of_postgresql_is_meant_for(postgres, declared, kind):
    postgres.sql("CREATE TYPE citext_or_else AS ENUM ('a', 'b')")
    postgres.sql(f"CREATE TABLE things (id {declared})")
    assert table_columns(postgres.settings, "local", postgres.define("id").table) == {"id": kind}


def test_a_database_that_lading_does_not_know_is_refused(sqlite):
    other = sqlite.define("id", destination={"table": "things", "database": "mysql://host/db"})
    with pytest.raises(DestinationError, match="mysql"):
        table_columns(sqlite.settings, "local", other.table)
