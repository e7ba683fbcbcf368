"""The tables that Lading makes, their files, and what is said when there is no making them."""

import sqlite3
from contextlib import closing

import pytest

from destinations import destination_key, open_destination
from schemas.errors import DestinationError, RetriableError, StoreBusyError


def test_table_declares_types_keys_defaults_and_what_is_required(sqlite):
    definition = sqlite.define(
        "id:integer",
        {"name": "name", "required": True, "default": "it's"},
        {"name": "price", "type": "decimal", "default": "1.50"},
        {"name": "ratio", "type": "number", "default": 1},
        {"name": "active", "type": "boolean", "default": True},
        {"name": "day", "type": "date", "default": "2024-02-29"},
        {"name": "at", "type": "datetime", "default": "2024-02-29T12:00:00+02:00"},
        {"name": "hour", "type": "time", "default": "07:30"},
        {"name": "colours", "type": "multichoice", "choices": ["red"], "default": "red"},
        {"name": "mail", "type": "email", "unique": True},
    )
    sqlite.open(definition).prepare(definition)
    found = sqlite.sql("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('things')")
    assert found == [
        ("id", "INTEGER", 1, None, 1),
        ("name", "TEXT", 1, "'it''s'", 0),
        ("price", "TEXT", 0, "'1.5'", 0),
        ("ratio", "REAL", 0, "1.0", 0),
        ("active", "BOOLEAN", 0, "1", 0),
        ("day", "DATE", 0, "'2024-02-29'", 0),
        ("at", "DATETIME", 0, "'2024-02-29 10:00:00'", 0),
        ("hour", "TIME", 0, "'07:30:00'", 0),
        ("colours", "TEXT", 0, "'[\"red\"]'", 0),
        ("mail", "TEXT", 0, None, 0),
    ]
    sqlite.sql("INSERT INTO things (id, mail) VALUES (1, 'x')")
    with pytest.raises(sqlite3.IntegrityError, match=r"things\.mail"):
        sqlite.sql("INSERT INTO things (id, mail) VALUES (2, 'x')")


def test_prepare_is_harmless_when_repeated(sqlite):
    definition = sqlite.define("id", "n:integer")
    for _ in range(2):
        sqlite.open(definition).prepare(definition)
    assert sqlite.sql(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'lading%' ORDER BY name"
    ) == [
        ("lading_completed",),
        ("lading_jobs",),
        ("lading_pages",),
        ("lading_staged",),
        ("lading_tables",),
    ]


def test_page_counts_stand_beside_the_page(sqlite):
    definition = sqlite.define("id", "n:integer")
    sqlite.load(definition, [{"id": "a", "n": 1}, {"id": "b", "n": 2}], "one")
    rows = [{"id": "a", "n": 1}, {"id": "b", "n": 3}, {"id": "c", "n": 1}]
    sqlite.load(
        definition, [*rows, {"id": "d", "n": 1, "_verdict": 1}, {"id": "e", "n": 1, "_verdict": 2}], "two"
    )
    found = sqlite.sql(
        "SELECT chunk, created, updated, unchanged, ignored, failed FROM lading_pages WHERE job_id = 'two'"
    )
    assert found == [(0, 1, 1, 1, 1, 1)]


def test_folder_of_the_tables_is_closed_to_others(sqlite):
    definition = sqlite.define("id")
    sqlite.open(definition)
    folder = sqlite.settings.table_path("local").parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_file_is_durable_and_lets_readers_in(sqlite):
    connection = sqlite.open(sqlite.define("id"))._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_table_names_of_any_case_are_one_table(sqlite):
    upper, lower = sqlite.define("id", table="Earthquakes"), sqlite.define("id", table="earthquakes")
    assert destination_key("local", upper) == destination_key("local", lower) == "local/default/earthquakes"
    sqlite.load(upper, [{"id": "a"}], "one")
    assert sqlite.load(lower, [{"id": "a"}], "two").letters == "N"


@pytest.mark.parametrize(
    ("database", "says"),
    [
        ("mysql://x/y", "kind 'mysql'"),
        ("elsewhere", "neither 'default' nor a URL"),
        ("sqlite:///things.db", "a whole path"),
        ("sqlite://", "a whole path"),
    ],
)
def test_database_that_lading_does_not_know_is_refused_by_name(sqlite, database, says):
    definition = sqlite.define("id", destination={"database": database, "table": "things"})
    with pytest.raises(DestinationError, match=says):
        open_destination(sqlite.settings, "local", definition)
    with pytest.raises(DestinationError, match=says):
        destination_key("local", definition)


def test_sqlite_file_of_the_operators_own_is_a_destination(sqlite, tmp_path):
    path = tmp_path / "their own.db"
    definition = sqlite.define("id", destination={"database": f"sqlite:///{path}", "table": "Things"})
    assert sqlite.load(definition, [{"id": "a"}]).letters == "C"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM things").fetchall() == [("a",)]
    assert destination_key("local", definition) == f"sqlite://{path}/things"


def test_the_job_store_is_no_destination(sqlite):
    definition = sqlite.define(
        "id", destination={"database": f"sqlite:///{sqlite.settings.store_path}", "table": "things"}
    )
    with pytest.raises(DestinationError, match="job store"):
        open_destination(sqlite.settings, "local", definition)


def test_tenants_do_not_share_tables(sqlite):
    definition = sqlite.define("id", "n:integer")
    sqlite.load(definition, [{"id": "a", "n": 1}])
    other = open_destination(sqlite.settings, "other", definition)
    other.prepare(definition)
    other.begin("job", 1)
    other.load("job", 1, definition, sqlite.chunks(definition, [{"id": "a", "n": 1}]))
    assert [p.letters for p in other.pages("job")] == ["C"]
    other.close()


def test_file_that_is_no_database_is_refused(sqlite):
    path = sqlite.settings.table_path("local")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"id,n\n" * 1_000)
    with pytest.raises(DestinationError, match=r"opening .*local\.db failed: file is not a database"):
        sqlite.open(sqlite.define("id"))


def test_home_that_can_not_be_made_is_refused(sqlite, tmp_path):
    (tmp_path / "file").write_text("")
    settings = sqlite.settings.model_copy(update={"home": tmp_path / "file" / "home"})
    with pytest.raises(DestinationError, match="making the folder"):
        open_destination(settings, "local", sqlite.define("id"))


def test_full_disk_decides_nothing_and_says_what_was_attempted(sqlite):
    definition = sqlite.define("id", "n:integer")
    destination = sqlite.open(definition)
    destination.prepare(definition)
    destination.begin("job", 1)
    destination._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RetriableError, match=r"loading into the table 'things'.*full"):
        destination.load(
            "job", 1, definition, sqlite.chunks(definition, [{"id": str(n), "n": n} for n in range(9_000)])
        )
    assert sqlite.sql("SELECT count(*) FROM things") == [(0,)]


def test_read_only_database_is_no_lock(sqlite):
    definition = sqlite.define("id")
    destination = sqlite.open(definition)
    destination._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(DestinationError, match="readonly") as refused:
        destination.prepare(definition)
    assert not isinstance(refused.value, StoreBusyError)


def test_definition_with_more_fields_than_columns_is_refused_by_name(sqlite):
    definition = sqlite.define(*(f"f{n}" for n in range(200)), key=("f0",))
    destination = sqlite.open(definition)
    destination._connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 100)
    with pytest.raises(DestinationError, match=r"200 fields.*'f99'"):
        destination.prepare(definition)


@pytest.mark.parametrize("limit", [32_766, 999])
def test_wide_table_is_loaded_within_the_limits_of_sqlite(sqlite, limit):
    names = [f"f{n}" for n in range(700)]
    definition = sqlite.define(*names, key=("f0",))
    destination = sqlite.open(definition)
    destination._connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, limit)
    destination.prepare(definition)
    rows = [{name: f"{name}-{n}" for name in names} for n in range(50)]
    for job, changed, letters in (
        ("one", {}, "C" * 50),
        ("two", {}, "N" * 50),
        ("three", {"f699": "x"}, "U" * 50),
    ):
        destination.begin(job, 1)
        destination.load(job, 1, definition, sqlite.chunks(definition, [row | changed for row in rows]))
        assert [p.letters for p in destination.pages(job)] == [letters]


def test_widest_table_that_sqlite_takes_is_loaded(sqlite):
    names = [f"f{n}" for n in range(1_999)]
    definition = sqlite.define(*names, key=("f0",))
    rows = [dict.fromkeys(names, str(n)) for n in range(3)]
    assert sqlite.load(definition, rows, "one").letters == "CCC"
    assert sqlite.load(definition, [*rows[:2], rows[2] | {"f7": "x"}], "two").letters == "NNU"
