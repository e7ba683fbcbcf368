"""Tables of SQLite that somebody else made: what is refused by name, and what is respected."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from schemas.errors import DestinationError

A, B = {"id": "a", "n": 1}, {"id": "b", "n": 2}


def test_every_difference_is_named_at_once_and_nothing_changes(sqlite):
    sqlite.sql(
        "CREATE TABLE things (id TEXT, n INT, twice AS (n * 2), owner TEXT NOT NULL, at INT NOT NULL DEFAULT 1)"
    )
    destination = sqlite.open(sqlite.define("id", "n:integer", "twice:integer", "colour"))
    with pytest.raises(DestinationError) as refused:
        destination.prepare(sqlite.define("id", "n:integer", "twice:integer", "colour"))
    message = str(refused.value)
    assert "no column 'colour'" in message
    assert "'twice' is generated" in message
    assert "no PRIMARY KEY or UNIQUE index covers exactly the key ('id')" in message
    assert "'owner' is NOT NULL without a default" in message
    assert "'at'" not in message
    assert sqlite.sql("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'lading%'") == [(0,)]


def test_update_may_leave_out_what_only_an_insert_needs(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT, owner TEXT NOT NULL)")
    sqlite.sql("INSERT INTO things VALUES ('a', 0, 'me')")
    assert sqlite.load(sqlite.define("id", "n:integer", mode="update"), [A, B]).letters == "UG"


@pytest.mark.parametrize(
    "guard",
    [
        "CREATE UNIQUE INDEX u ON things (id) WHERE n > 0",
        "CREATE UNIQUE INDEX u ON things (lower(id))",
        "CREATE UNIQUE INDEX u ON things (id, n)",
        "CREATE INDEX u ON things (id)",
    ],
    ids=["partial", "expression", "too wide", "not unique"],
)
def test_index_that_does_not_guard_exactly_the_key_is_not_enough(sqlite, guard):
    sqlite.sql("CREATE TABLE things (id TEXT, n INT)")
    sqlite.sql(guard)
    definition = sqlite.define("id", "n:integer")
    with pytest.raises(DestinationError, match="covers exactly the key"):
        sqlite.open(definition).prepare(definition)


def test_index_dropped_after_prepare_is_noticed_before_anything_is_loaded(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT, n INT)")
    sqlite.sql("CREATE UNIQUE INDEX u ON things (id)")
    definition = sqlite.define("id", "n:integer")
    destination = sqlite.open(definition)
    destination.prepare(definition)
    destination.begin("job", 1)
    sqlite.sql("DROP INDEX u")
    with pytest.raises(DestinationError, match="covers exactly the key"):
        destination.load("job", 1, definition, sqlite.chunks(definition, [A]))
    sqlite.sql("DROP TABLE things")
    with pytest.raises(DestinationError, match="is not in"):
        destination.load("job", 1, definition, sqlite.chunks(definition, [A]))


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("CREATE VIEW things AS SELECT 'a' AS id, 1 AS n", "a view"),
        ("CREATE VIRTUAL TABLE things USING fts5(id, n)", "a virtual"),
    ],
)
def test_view_and_virtual_table_are_refused(sqlite, statement, kind):
    sqlite.sql(statement)
    definition = sqlite.define("id", "n:integer")
    with pytest.raises(DestinationError, match=kind):
        sqlite.open(definition).prepare(definition)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE things (id TEXT PRIMARY KEY, n INT) WITHOUT ROWID",
        "CREATE TABLE things (id TEXT PRIMARY KEY, n INT) STRICT",
        'CREATE TABLE "ThInGs" ("ID" VARCHAR(10) UNIQUE, "N" INT)',
        "CREATE TABLE things (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, n INT)",
        "CREATE TABLE things (id TEXT UNIQUE ON CONFLICT REPLACE, n INT)",
        "CREATE TABLE things (id TEXT PRIMARY KEY ON CONFLICT IGNORE, n INT)",
    ],
    ids=["without rowid", "strict", "other case", "own number", "replacing", "ignoring"],
)
def test_tables_of_every_make_tell_the_same_outcomes(sqlite, statement):
    sqlite.sql(statement)
    definition = sqlite.define("id", "n:integer")
    assert sqlite.load(definition, [A, B], "one").letters == "CC"
    assert sqlite.load(definition, [A | {"n": 5}, B, {"id": "c", "n": 1}], "two").letters == "UNC"
    assert (
        sqlite.load(sqlite.define("id", "n:integer", mode="insert"), [A, {"id": "d", "n": 1}], "three").letters
        == "FC"
    )
    assert sqlite.sql("SELECT id, n FROM things ORDER BY id") == [("a", 5), ("b", 2), ("c", 1), ("d", 1)]


def test_names_that_look_like_sql_are_only_names(sqlite):
    sqlite.sql('CREATE TABLE "select" ("id" TEXT PRIMARY KEY, "order" TEXT DEFAULT \'x"y\', "a""b; DROP" INT)')
    definition = sqlite.define("id", "order", table="Select")
    assert sqlite.load(definition, [{"id": '"; DROP TABLE "select', "order": "'"}]).letters == "C"
    assert sqlite.sql('SELECT * FROM "select"') == [('"; DROP TABLE "select', "'", None)]


ODD = ["", "BLOB", "TEXT", "VARCHAR(20)", "INT", "REAL", "NUMERIC", "STRING", "DECIMAL(10,2)", "DATETIME"]
KEEPS_TEXT = ["", "BLOB", "TEXT", "VARCHAR(20)"]
VALUES = {
    "string": ["00123", "x", "1e5", " 7"],
    "integer": [2**53 + 1, -7, 0],
    "number": [0.1, 2.0, 1e300, -1e-300],
    "decimal": [Decimal("1.50"), Decimal(12), Decimal("0.000000000001")],
    "boolean": [True, False],
    "date": [date(2024, 1, 2)],
    "time": [time(1, 2, 3), time(1, 2, 3, 4)],
    "datetime": [datetime(2024, 1, 2, 3, 4, 5)],  # noqa: DTZ001 - the frame is naive, in UTC
}


def fits(declared, kind):
    return kind not in {"string", "decimal"} or declared in KEEPS_TEXT


@pytest.mark.parametrize("declared", [d for d in ODD if d not in KEEPS_TEXT])
def test_a_column_that_would_change_text_is_refused_for_text(sqlite, declared):
    sqlite.sql(f"CREATE TABLE things (id TEXT PRIMARY KEY, s {declared})")
    with pytest.raises(DestinationError, match="column 's' is declared for numbers and would change text"):
        sqlite.load(sqlite.define("id", "s"), [{"id": "a", "s": "007"}])


@pytest.mark.parametrize("declared", [d for d in ODD if d not in KEEPS_TEXT])
def test_a_column_that_would_make_floats_of_decimals_is_refused_for_decimals(sqlite, declared):
    sqlite.sql(f"CREATE TABLE things (id TEXT PRIMARY KEY, d {declared})")
    with pytest.raises(DestinationError, match="would keep decimals as floats; declare the field a number"):
        sqlite.load(sqlite.define("id", "d:decimal"), [{"id": "a", "d": Decimal("0.1")}])


@pytest.mark.parametrize("declared", ODD, ids=lambda d: d or "none")
def test_second_load_of_the_same_values_changes_nothing_whatever_the_columns_type(sqlite, declared):
    columns = ", ".join(f"f_{kind} {declared}" for kind in VALUES if fits(declared, kind))
    sqlite.sql(f"CREATE TABLE things (id {declared} PRIMARY KEY NOT NULL, {columns})")
    definition = sqlite.define("id:integer", *(f"f_{k}:{k}" for k in VALUES if fits(declared, k)))
    rows = [
        {"id": n} | {f"f_{k}": values[n % len(values)] for k, values in VALUES.items() if fits(declared, k)}
        for n in range(1, 13)
    ]
    first, second = sqlite.load(definition, rows, "one"), sqlite.load(definition, rows, "two")
    assert (first.letters, second.letters) == ("C" * 12, "N" * 12)
    assert first.ids == second.ids


@pytest.mark.parametrize(("declared", "kind"), [(d, k) for d in ODD for k in VALUES if fits(d, k)])
def test_key_is_found_again_whatever_its_columns_type(sqlite, declared, kind):
    sqlite.sql(f"CREATE TABLE things (id {declared} NOT NULL UNIQUE, n INT)")
    definition = sqlite.define(f"id:{kind}", "n:integer")
    rows = [{"id": value, "n": 1} for value in VALUES[kind]]
    first, second = sqlite.load(definition, rows, "one"), sqlite.load(definition, rows, "two")
    assert (first.letters, second.letters) == ("C" * len(rows), "N" * len(rows))
    assert first.ids == second.ids
    assert len(set(first.ids)) == len(rows)


def test_id_is_the_key_as_the_table_keeps_it(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT UNIQUE, n INT)")
    assert sqlite.load(sqlite.define("id:integer", "n:integer"), [{"id": 5, "n": 1}]).ids == ['["5"]']


def test_keys_that_the_table_takes_for_the_same_take_turns(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT COLLATE NOCASE PRIMARY KEY, n TEXT COLLATE NOCASE)")
    definition = sqlite.define("id", "n")
    loaded = sqlite.load(definition, [{"id": "a", "n": "x"}, {"id": "A", "n": "y"}, {"id": "A", "n": "Y"}])
    assert (loaded.letters, loaded.ids) == ("CUU", ['["a"]', '["a"]', '["a"]'])
    assert sqlite.sql("SELECT id, n FROM things") == [("a", "Y")]


def test_collation_of_the_index_goes_before_that_of_the_column(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT COLLATE NOCASE, n INT)")
    sqlite.sql("CREATE UNIQUE INDEX u ON things (id COLLATE BINARY)")
    assert sqlite.load(sqlite.define("id", "n:integer"), [A, A | {"id": "A"}]).letters == "CC"


def test_triggers_run_and_do_not_confuse_the_counts(sqlite):
    sqlite.sql("CREATE TABLE log (what TEXT UNIQUE)")
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    sqlite.sql("CREATE TRIGGER i AFTER INSERT ON things BEGIN INSERT OR IGNORE INTO log VALUES ('new'); END")
    sqlite.sql("CREATE TRIGGER u AFTER UPDATE ON things BEGIN INSERT INTO log VALUES (old.id), (new.n); END")
    definition = sqlite.define("id", "n:integer")
    assert sqlite.load(definition, [A, B], "one").letters == "CC"
    assert sqlite.load(definition, [A | {"n": 7}, B, {"id": "c", "n": 1}], "two").letters == "UNC"
    assert sqlite.sql("SELECT what FROM log ORDER BY what") == [("7",), ("a",), ("new",)]


@pytest.mark.parametrize(
    ("says", "detail"),
    [("ABORT, 'not b'", "not b"), ("FAIL, 'not b'", "not b"), ("IGNORE", "passed the record over")],
)
def test_trigger_that_refuses_a_row_costs_that_row(sqlite, says, detail):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    sqlite.sql(f"CREATE TRIGGER r BEFORE INSERT ON things WHEN new.id = 'b' BEGIN SELECT RAISE({says}); END")
    loaded = sqlite.load(sqlite.define("id", "n:integer"), [A, B, {"id": "c", "n": 3}])
    assert (loaded.letters, loaded.ids[1]) == ("CFC", None)
    assert detail in loaded.messages[0]
    assert sqlite.sql("SELECT id FROM things ORDER BY id") == [("a",), ("c",)]


def test_trigger_that_undoes_everything_is_refused_by_name(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    sqlite.sql("CREATE TRIGGER r BEFORE INSERT ON things BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    definition = sqlite.define("id", "n:integer")
    with pytest.raises(DestinationError, match="trigger 'r' says RAISE"):
        sqlite.open(definition).prepare(definition)


def test_trigger_of_another_table_that_undoes_everything_ends_the_load_in_words(sqlite):
    sqlite.sql("CREATE TABLE log (id TEXT)")
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    sqlite.sql("CREATE TRIGGER i AFTER INSERT ON things BEGIN INSERT INTO log VALUES (new.id); END")
    sqlite.sql("CREATE TRIGGER r BEFORE INSERT ON log BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    with pytest.raises(DestinationError, match="ended the whole transaction"):
        sqlite.load(sqlite.define("id", "n:integer"), [A])
    assert sqlite.sql("SELECT count(*) FROM things") == [(0,)]


def test_trigger_that_is_broken_ends_the_load_and_blames_no_row(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    sqlite.sql("CREATE TRIGGER i AFTER INSERT ON things BEGIN INSERT INTO nowhere VALUES (new.id); END")
    with pytest.raises(DestinationError, match="nowhere"):
        sqlite.load(sqlite.define("id", "n:integer"), [A])


def test_defaults_of_the_table_fill_what_the_definition_does_not_know(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT, state TEXT NOT NULL DEFAULT 'new')")
    definition = sqlite.define("id", "n:integer")
    assert sqlite.load(definition, [A], "one").letters == "C"
    sqlite.sql("UPDATE things SET state = 'seen'")
    assert sqlite.load(definition, [A | {"n": 3}, B], "two").letters == "UC"
    assert sqlite.sql("SELECT id, state FROM things ORDER BY id") == [("a", "seen"), ("b", "new")]


@pytest.mark.parametrize("kind", ["TEXT", "INTEGER"])
def test_statistics_gone_stale_do_not_make_a_load_scan_the_table(sqlite, kind):
    sqlite.sql(f"CREATE TABLE things (id {kind} PRIMARY KEY, n INT)")
    sqlite.sql("INSERT INTO things VALUES (-1, 1)")
    sqlite.sql("ANALYZE")
    definition = sqlite.define("id:integer" if kind == "INTEGER" else "id", "n:integer")
    rows = [{"id": n if kind == "INTEGER" else str(n), "n": n} for n in range(10_000)]
    sqlite.load(definition, rows, "one")
    destination = sqlite.open(definition)
    destination.begin("two", 1)
    steps = []
    destination._connection.set_progress_handler(lambda: steps.append(1), 1_000)
    destination.load("two", 1, definition, sqlite.chunks(definition, [r | {"n": -1} for r in rows]))
    assert [set(p.letters) for p in destination.pages("two")] == [{"U"}] * 10
    assert len(steps) < 3_000
