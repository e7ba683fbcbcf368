"""A row that the destination refuses costs itself alone, in bounded extra time, and its page says why."""

import pytest

from destinations.poison import RefusedError, apply_each
from schemas.errors import DestinationError

ROWS = [{"id": f"{n:05}", "n": n} for n in range(10_000)]


@pytest.fixture
def checked(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY NOT NULL, n INTEGER, CONSTRAINT positive CHECK (n >= 0))")
    return lab.define("id", "n:integer")


def _started(lab, definition, job="job"):
    destination = lab.open(definition)
    destination.prepare(definition)
    destination.begin(job, 1)
    return destination


@pytest.mark.parametrize("place", [0, 4_321, 9_999])
def test_one_bad_row_of_ten_thousand_costs_one_row_and_few_statements(lab, checked, place):
    destination = _started(lab, checked)
    rows = [*ROWS[:place], ROWS[place] | {"n": -1}, *ROWS[place + 1 :]]
    chunks = lab.chunks(checked, rows)
    used = lab.statements(destination, lambda: destination.load("job", 1, checked, chunks))
    pages = list(destination.pages("job"))
    letters = "".join(p.letters for p in pages)
    assert (letters.count("C"), letters.find("F"), letters.count("F")) == (9_999, place, 1)
    assert [(e.code, e.ordinal, e.row) for p in pages for e in p.errors] == [
        ("load.constraint", place, place + 2)
    ]
    assert [len(p.errors) for p in pages] == [int(n == place // 1_000) for n in range(10)]
    assert lab.sql("SELECT count(*), min(n) FROM things") == [(9_999, 0 if place else 1)]
    assert used < 300


def test_bad_updates_fail_as_updates_and_leave_the_record_as_it_was(lab, checked):
    lab.load(checked, ROWS, "first")
    destination = _started(lab, checked)
    chunks = lab.chunks(checked, [r | {"n": -1 if n in {7, 8, 5_000} else n + 1} for n, r in enumerate(ROWS)])
    used = lab.statements(destination, lambda: destination.load("job", 1, checked, chunks))
    letters = "".join(p.letters for p in destination.pages("job"))
    assert [n for n, letter in enumerate(letters) if letter != "U"] == [7, 8, 5_000]
    assert {letters[n] for n in (7, 8, 5_000)} == {"G"}
    assert lab.sql("SELECT n FROM things WHERE id IN ('00007', '00008', '05000')") == [(7,), (8,), (5_000,)]
    assert used < 500


def test_load_in_which_every_row_is_bad_ends_with_every_row_accounted_for(lab, checked):
    loaded = lab.load(checked, [r | {"n": -1} for r in ROWS[:2_000]])
    assert loaded.letters == "F" * 2_000
    assert len(loaded.errors) == 2_000
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]


def test_message_says_what_the_destination_said(lab, checked):
    loaded = lab.load(checked, [{"id": "a", "n": -1}])
    assert loaded.messages == [f"the destination refused the record: {lab.says_check}"]


def test_null_where_the_table_wants_a_value_names_the_field(lab):
    lab.sql("CREATE TABLE things (ID TEXT PRIMARY KEY, N INTEGER NOT NULL)")
    loaded = lab.load(lab.define("id", "n:integer"), [{"id": "a", "n": 1}, {"id": "b", "n": None}])
    assert (loaded.letters, loaded.errors) == ("CF", [("load.constraint", 1, 3, "n")])


def test_text_that_a_strict_table_can_not_take_names_the_field(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INTEGER) STRICT")
    loaded = sqlite.load(sqlite.define("id", "n:json"), [{"id": "a", "n": "12"}, {"id": "b", "n": "twelve"}])
    assert (loaded.letters, loaded.errors) == ("CF", [("load.constraint", 1, 3, "n")])


def test_text_in_a_numeric_key_is_refused_row_by_row(sqlite):
    sqlite.sql("CREATE TABLE things (id INTEGER PRIMARY KEY, n)")
    loaded = sqlite.load(sqlite.define("id:json", "n:integer"), [{"id": "1", "n": 1}, {"id": "one", "n": 1}])
    assert (loaded.letters, loaded.ids) == ("CF", ["[1]", None])


def test_missing_parent_costs_the_child_alone(lab):
    lab.sql("CREATE TABLE parents (id TEXT PRIMARY KEY)")
    lab.sql("INSERT INTO parents VALUES ('p')")
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, parent TEXT REFERENCES parents)")
    rows = [{"id": "a", "parent": "p"}, {"id": "b", "parent": "q"}, {"id": "c", "parent": None}]
    loaded = lab.load(lab.define("id", "parent"), rows)
    assert (loaded.letters, loaded.errors) == ("CFC", [("load.constraint", 1, 3, lab.blames_parent)])


@pytest.mark.parametrize("job", ["first", "again"])
def test_deferred_foreign_key_costs_the_child_alone(lab, job):
    lab.sql("CREATE TABLE parents (a TEXT, b TEXT, PRIMARY KEY (a, b))")
    lab.sql("INSERT INTO parents VALUES ('p', 'q')")
    lab.sql(
        "CREATE TABLE things (id TEXT PRIMARY KEY, x TEXT, y TEXT, "
        "FOREIGN KEY (x, y) REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
    )
    definition = lab.define("id", "x", "y")
    good = [{"id": str(n), "x": "p", "y": "q"} for n in range(500)]
    if job == "again":
        lab.load(definition, good[:100], "first")
    rows = [*good[:50], good[50] | {"y": "z"}, *good[51:499], good[499] | {"x": "z"}]
    loaded = lab.load(definition, rows, job)
    expected = "G" if job == "again" else "F"
    assert (loaded.letters[50], loaded.letters[499]) == (expected, "F")
    assert len(loaded.errors) == 2
    assert lab.sql("SELECT count(*) FROM things WHERE x = 'p' AND y = 'q'") == [(500 - (job == "first") - 1,)]


@pytest.mark.parametrize("deferred", ["", "DEFERRABLE INITIALLY DEFERRED"])
def test_child_before_its_parent_in_the_same_load_is_taken_even_beside_a_bad_row(lab, deferred):
    lab.sql(
        f"CREATE TABLE things (id TEXT PRIMARY KEY, up TEXT REFERENCES things {deferred}, n INT CHECK (n > 0))"
    )
    rows = [{"id": str(n), "up": str(n + 1) if n < 99 else None, "n": n - 49} for n in range(100)]
    rows[49]["n"], rows[20]["n"] = 1, -1
    for n in range(20):
        rows[n]["up"] = "99"
    for n in range(21, 100):
        rows[n]["n"] = 1
    for n in range(20):
        rows[n]["n"] = 1
    loaded = lab.load(lab.define("id", "up", "n:integer"), rows)
    assert loaded.letters == "C" * 20 + "F" + "C" * 79


def test_deferred_key_of_another_table_ends_the_job_in_words(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, code TEXT UNIQUE)")
    sqlite.sql("INSERT INTO things VALUES ('a', 'x')")
    sqlite.sql("CREATE TABLE children (code TEXT REFERENCES things (code) DEFERRABLE INITIALLY DEFERRED)")
    sqlite.sql("INSERT INTO children VALUES ('x')")
    with pytest.raises(DestinationError, match="only when all are there"):
        sqlite.load(sqlite.define("id", "code"), [{"id": "a", "code": "y"}])
    assert sqlite.sql("SELECT code FROM things") == [("x",)]


def test_malformed_json_in_a_computed_column_costs_its_row(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY, j TEXT, k AS (j ->> 'k') STORED)")
    rows = [{"id": "a", "j": '{"k": 1}'}, {"id": "b", "j": "{k"}, {"id": "c", "j": None}]
    assert sqlite.load(sqlite.define("id", "j"), rows).letters == "CFC"


def test_k_bad_rows_of_n_take_few_calls():
    calls = []

    def apply(part):
        calls.append(part)
        if bad := [r for r in part if r % 2_500 == 1_234]:
            raise RefusedError(f"bad {bad[0]}")

    refused = apply_each(apply, list(range(10_000)))
    assert sorted(refused) == [1_234, 3_734, 6_234, 8_734]
    assert len(calls) < 4 * 2 * 15


def test_records_are_applied_in_their_order_and_none_twice():
    applied = []

    def apply(part):
        if {3, 4, 11} & set(part):
            raise RefusedError("bad")
        applied.extend(part)

    assert apply_each(apply, list(range(16))).keys() == {3, 4, 11}
    assert applied == [n for n in range(16) if n not in {3, 4, 11}]


@pytest.mark.parametrize("trigger", [False, True], ids=["plain", "with a trigger"])
def test_bad_row_without_a_key_costs_one_row(lab, trigger):
    lab.sql("CREATE TABLE things (id TEXT, n INTEGER CHECK (n >= 0))")
    if trigger:
        lab.idle_trigger("things")
    definition = lab.define("id", "n:integer", key=(), mode="insert")
    loaded = lab.load(definition, [{"id": "a", "n": 1}, {"id": "a", "n": -1}, {"id": "a", "n": 1}])
    assert (loaded.letters, loaded.ids) == ("CFC", [None, None, None])
    assert lab.sql("SELECT id, n FROM things") == [("a", 1), ("a", 1)]
