"""Tables that somebody else made: what is refused by name, and what is respected."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from schemas.errors import DestinationError

A, B = {"id": "a", "n": 1}, {"id": "b", "n": 2}


def test_every_difference_is_named_at_once_and_nothing_changes(lab):
    lab.sql(
        "CREATE TABLE things (id TEXT, n INT, twice AS (n * 2), owner TEXT NOT NULL, at INT NOT NULL DEFAULT 1)"
    )
    destination = lab.open(lab.define("id", "n:integer", "twice:integer", "colour"))
    with pytest.raises(DestinationError) as refused:
        destination.prepare(lab.define("id", "n:integer", "twice:integer", "colour"))
    message = str(refused.value)
    assert "no column 'colour'" in message
    assert "'twice' is generated" in message
    assert "no PRIMARY KEY or UNIQUE index covers exactly the key ('id')" in message
    assert "'owner' is NOT NULL without a default" in message
    assert "'at'" not in message
    assert lab.sql("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'lading%'") == [(0,)]


def test_update_may_leave_out_what_only_an_insert_needs(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT, owner TEXT NOT NULL)")
    lab.sql("INSERT INTO things VALUES ('a', 0, 'me')")
    assert lab.load(lab.define("id", "n:integer", mode="update"), [A, B]).letters == "UG"


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
def test_index_that_does_not_guard_exactly_the_key_is_not_enough(lab, guard):
    lab.sql("CREATE TABLE things (id TEXT, n INT)")
    lab.sql(guard)
    definition = lab.define("id", "n:integer")
    with pytest.raises(DestinationError, match="covers exactly the key"):
        lab.open(definition).prepare(definition)


def test_index_dropped_after_prepare_is_noticed_before_anything_is_loaded(lab):
    lab.sql("CREATE TABLE things (id TEXT, n INT)")
    lab.sql("CREATE UNIQUE INDEX u ON things (id)")
    definition = lab.define("id", "n:integer")
    destination = lab.open(definition)
    destination.prepare(definition)
    destination.begin("job", 1)
    lab.sql("DROP INDEX u")
    with pytest.raises(DestinationError, match="covers exactly the key"):
        destination.load("job", 1, definition, lab.chunks(definition, [A]))
    lab.sql("DROP TABLE things")
    with pytest.raises(DestinationError, match="is not in"):
        destination.load("job", 1, definition, lab.chunks(definition, [A]))


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("CREATE VIEW things AS SELECT 'a' AS id, 1 AS n", "a view"),
        ("CREATE VIRTUAL TABLE things USING fts5(id, n)", "a virtual"),
    ],
)
def test_view_and_virtual_table_are_refused(lab, statement, kind):
    lab.sql(statement)
    definition = lab.define("id", "n:integer")
    with pytest.raises(DestinationError, match=kind):
        lab.open(definition).prepare(definition)


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
def test_tables_of_every_make_tell_the_same_outcomes(lab, statement):
    lab.sql(statement)
    definition = lab.define("id", "n:integer")
    assert lab.load(definition, [A, B], "one").letters == "CC"
    assert lab.load(definition, [A | {"n": 5}, B, {"id": "c", "n": 1}], "two").letters == "UNC"
    assert (
        lab.load(lab.define("id", "n:integer", mode="insert"), [A, {"id": "d", "n": 1}], "three").letters
        == "FC"
    )
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 5), ("b", 2), ("c", 1), ("d", 1)]


def test_names_that_look_like_sql_are_only_names(lab):
    lab.sql('CREATE TABLE "select" ("id" TEXT PRIMARY KEY, "order" TEXT DEFAULT \'x"y\', "a""b; DROP" INT)')
    definition = lab.define("id", "order", table="Select")
    assert lab.load(definition, [{"id": '"; DROP TABLE "select', "order": "'"}]).letters == "C"
    assert lab.sql('SELECT * FROM "select"') == [('"; DROP TABLE "select', "'", None)]


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
def test_a_column_that_would_change_text_is_refused_for_text(lab, declared):
    lab.sql(f"CREATE TABLE things (id TEXT PRIMARY KEY, s {declared})")
    with pytest.raises(DestinationError, match="column 's' is declared for numbers and would change text"):
        lab.load(lab.define("id", "s"), [{"id": "a", "s": "007"}])


@pytest.mark.parametrize("declared", [d for d in ODD if d not in KEEPS_TEXT])
def test_a_column_that_would_make_floats_of_decimals_is_refused_for_decimals(lab, declared):
    lab.sql(f"CREATE TABLE things (id TEXT PRIMARY KEY, d {declared})")
    with pytest.raises(DestinationError, match="would keep decimals as floats; declare the field a number"):
        lab.load(lab.define("id", "d:decimal"), [{"id": "a", "d": Decimal("0.1")}])


@pytest.mark.parametrize("declared", ODD, ids=lambda d: d or "none")
def test_second_load_of_the_same_values_changes_nothing_whatever_the_columns_type(lab, declared):
    columns = ", ".join(f"f_{kind} {declared}" for kind in VALUES if fits(declared, kind))
    lab.sql(f"CREATE TABLE things (id {declared} PRIMARY KEY NOT NULL, {columns})")
    definition = lab.define("id:integer", *(f"f_{k}:{k}" for k in VALUES if fits(declared, k)))
    rows = [
        {"id": n} | {f"f_{k}": values[n % len(values)] for k, values in VALUES.items() if fits(declared, k)}
        for n in range(1, 13)
    ]
    first, second = lab.load(definition, rows, "one"), lab.load(definition, rows, "two")
    assert (first.letters, second.letters) == ("C" * 12, "N" * 12)
    assert first.ids == second.ids


@pytest.mark.parametrize(("declared", "kind"), [(d, k) for d in ODD for k in VALUES if fits(d, k)])
def test_key_is_found_again_whatever_its_columns_type(lab, declared, kind):
    lab.sql(f"CREATE TABLE things (id {declared} NOT NULL UNIQUE, n INT)")
    definition = lab.define(f"id:{kind}", "n:integer")
    rows = [{"id": value, "n": 1} for value in VALUES[kind]]
    first, second = lab.load(definition, rows, "one"), lab.load(definition, rows, "two")
    assert (first.letters, second.letters) == ("C" * len(rows), "N" * len(rows))
    assert first.ids == second.ids
    assert len(set(first.ids)) == len(rows)


def test_id_is_the_key_as_the_table_keeps_it(lab):
    lab.sql("CREATE TABLE things (id TEXT UNIQUE, n INT)")
    assert lab.load(lab.define("id:integer", "n:integer"), [{"id": 5, "n": 1}]).ids == ['["5"]']


def test_keys_that_the_table_takes_for_the_same_take_turns(lab):
    lab.sql("CREATE TABLE things (id TEXT COLLATE NOCASE PRIMARY KEY, n TEXT COLLATE NOCASE)")
    definition = lab.define("id", "n")
    loaded = lab.load(definition, [{"id": "a", "n": "x"}, {"id": "A", "n": "y"}, {"id": "A", "n": "Y"}])
    assert (loaded.letters, loaded.ids) == ("CUU", ['["a"]', '["a"]', '["a"]'])
    assert lab.sql("SELECT id, n FROM things") == [("a", "Y")]


def test_collation_of_the_index_goes_before_that_of_the_column(lab):
    lab.sql("CREATE TABLE things (id TEXT COLLATE NOCASE, n INT)")
    lab.sql("CREATE UNIQUE INDEX u ON things (id COLLATE BINARY)")
    assert lab.load(lab.define("id", "n:integer"), [A, A | {"id": "A"}]).letters == "CC"


def test_triggers_run_and_do_not_confuse_the_counts(lab):
    lab.sql("CREATE TABLE log (what TEXT UNIQUE)")
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    lab.sql("CREATE TRIGGER i AFTER INSERT ON things BEGIN INSERT OR IGNORE INTO log VALUES ('new'); END")
    lab.sql("CREATE TRIGGER u AFTER UPDATE ON things BEGIN INSERT INTO log VALUES (old.id), (new.n); END")
    definition = lab.define("id", "n:integer")
    assert lab.load(definition, [A, B], "one").letters == "CC"
    assert lab.load(definition, [A | {"n": 7}, B, {"id": "c", "n": 1}], "two").letters == "UNC"
    assert lab.sql("SELECT what FROM log ORDER BY what") == [("7",), ("a",), ("new",)]


@pytest.mark.parametrize(
    ("says", "detail"),
    [("ABORT, 'not b'", "not b"), ("FAIL, 'not b'", "not b"), ("IGNORE", "passed the record over")],
)
def test_trigger_that_refuses_a_row_costs_that_row(lab, says, detail):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    lab.sql(f"CREATE TRIGGER r BEFORE INSERT ON things WHEN new.id = 'b' BEGIN SELECT RAISE({says}); END")
    loaded = lab.load(lab.define("id", "n:integer"), [A, B, {"id": "c", "n": 3}])
    assert (loaded.letters, loaded.ids[1]) == ("CFC", None)
    assert detail in loaded.messages[0]
    assert lab.sql("SELECT id FROM things ORDER BY id") == [("a",), ("c",)]


def test_trigger_that_undoes_everything_is_refused_by_name(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    lab.sql("CREATE TRIGGER r BEFORE INSERT ON things BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    definition = lab.define("id", "n:integer")
    with pytest.raises(DestinationError, match="trigger 'r' says RAISE"):
        lab.open(definition).prepare(definition)


def test_trigger_of_another_table_that_undoes_everything_ends_the_load_in_words(lab):
    lab.sql("CREATE TABLE log (id TEXT)")
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    lab.sql("CREATE TRIGGER i AFTER INSERT ON things BEGIN INSERT INTO log VALUES (new.id); END")
    lab.sql("CREATE TRIGGER r BEFORE INSERT ON log BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    with pytest.raises(DestinationError, match="ended the whole transaction"):
        lab.load(lab.define("id", "n:integer"), [A])
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]


def test_trigger_that_is_broken_ends_the_load_and_blames_no_row(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT)")
    lab.sql("CREATE TRIGGER i AFTER INSERT ON things BEGIN INSERT INTO nowhere VALUES (new.id); END")
    with pytest.raises(DestinationError, match="nowhere"):
        lab.load(lab.define("id", "n:integer"), [A])


def test_defaults_of_the_table_fill_what_the_definition_does_not_know(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT, state TEXT NOT NULL DEFAULT 'new')")
    definition = lab.define("id", "n:integer")
    assert lab.load(definition, [A], "one").letters == "C"
    lab.sql("UPDATE things SET state = 'seen'")
    assert lab.load(definition, [A | {"n": 3}, B], "two").letters == "UC"
    assert lab.sql("SELECT id, state FROM things ORDER BY id") == [("a", "seen"), ("b", "new")]


@pytest.mark.parametrize("kind", ["TEXT", "INTEGER"])
def test_statistics_gone_stale_do_not_make_a_load_scan_the_table(lab, kind):
    lab.sql(f"CREATE TABLE things (id {kind} PRIMARY KEY, n INT)")
    lab.sql("INSERT INTO things VALUES (-1, 1)")
    lab.sql("ANALYZE")
    definition = lab.define("id:integer" if kind == "INTEGER" else "id", "n:integer")
    rows = [{"id": n if kind == "INTEGER" else str(n), "n": n} for n in range(10_000)]
    lab.load(definition, rows, "one")
    destination = lab.open(definition)
    destination.begin("two", 1)
    steps = []
    destination._connection.set_progress_handler(lambda: steps.append(1), 1_000)
    destination.load("two", 1, definition, lab.chunks(definition, [r | {"n": -1} for r in rows]))
    assert [set(p.letters) for p in destination.pages("two")] == [{"U"}] * 10
    assert len(steps) < 3_000
