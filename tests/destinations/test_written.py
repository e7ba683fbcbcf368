"""What a load leaves as it is: fields for create or update alone, and those that a row leaves out."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from schemas.definition import Mode

FIELDS = ("id", "n:integer", {"name": "born", "written": "on_create"}, {"name": "seen", "written": "on_update"})
TABLE = "SELECT id, n, born, seen FROM things ORDER BY id"
ATOMIC = pytest.mark.parametrize("atomic", [False, True], ids=["at once", "atomic"])


def row(key, n, born=None, seen=None, **more):
    return {"id": key, "n": n, "born": born, "seen": seen} | more


def loaded(lab, definition, rows, job):
    """The letters of a load that is brought to its end."""
    with closing(lab.open(definition)) as destination:
        destination.prepare(definition)
        destination.begin(job, 1)
        destination.load(job, 1, definition, lab.chunks(definition, rows))
        destination.complete(job, 1, definition, [])
        return "".join(page.letters for page in destination.pages(job))


@ATOMIC
def test_a_field_for_create_alone_is_written_once_and_one_for_update_alone_not_before(lab, atomic):
    definition = lab.define(*FIELDS, policies={"atomic": atomic})
    assert loaded(lab, definition, [row("a", 1, "b1", "s1"), row("b", 1, "b1", "s1")], "one") == "CC"
    assert lab.sql(TABLE) == [("a", 1, "b1", None), ("b", 1, "b1", None)]
    again = [row("a", 1, "b2", None), row("b", 1, "b2", "s2"), row("c", 1, "b2", "s2")]
    assert loaded(lab, definition, again, "two") == "NUC"
    assert lab.sql(TABLE) == [("a", 1, "b1", None), ("b", 1, "b1", "s2"), ("c", 1, "b2", None)]


def test_a_load_with_nothing_but_fields_for_create_changes_nothing(lab):
    definition = lab.define("id", {"name": "born", "written": "on_create"})
    lab.load(definition, [{"id": "a", "born": "x"}], "one")
    assert lab.load(definition, [{"id": "a", "born": "y"}], "two").letters == "N"
    assert lab.load(definition.in_mode(Mode.UPDATE), [{"id": "a", "born": "y"}], "three").letters == "N"
    assert lab.sql("SELECT id, born FROM things") == [("a", "x")]


@ATOMIC
def test_what_a_row_leaves_out_stays_and_makes_no_difference(lab, atomic):
    definition = lab.define("id", "n:integer", "t", policies={"atomic": atomic})
    before = [{"id": key, "n": 1, "t": "x"} for key in "abc"]
    loaded(lab, definition, before, "one")
    rows = [
        {"id": "a", "n": None, "t": "x", "_keep:n": True, "_keep:t": False},
        {"id": "b", "n": None, "t": "y", "_keep:n": True, "_keep:t": False},
        {"id": "c", "n": None, "t": None, "_keep:n": False, "_keep:t": True},
        {"id": "d", "n": None, "t": "z", "_keep:n": True, "_keep:t": False},
    ]
    assert loaded(lab, definition, rows, "two") == "NUUC"
    assert lab.sql("SELECT id, n, t FROM things ORDER BY id") == [
        ("a", 1, "x"),
        ("b", 1, "y"),
        ("c", None, "x"),
        ("d", None, "z"),
    ]


@ATOMIC
def test_what_a_new_row_leaves_out_is_the_tables_to_fill(lab, atomic):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 7, t TEXT)")
    definition = lab.define("id", "n:integer", {"name": "t", "default": "ours"}, policies={"atomic": atomic})
    rows = [
        {"id": "a", "n": 1, "t": "ours", "_keep:n": False, "_keep:t": True},
        {"id": "b", "n": None, "t": "x", "_keep:n": True, "_keep:t": False},
    ]
    assert loaded(lab, definition, rows, "one") == "CC"
    assert lab.sql("SELECT id, n, t FROM things ORDER BY id") == [("a", 1, "ours"), ("b", 7, "x")]


def test_rows_of_the_same_key_leave_out_what_the_one_before_wrote(lab):
    definition = lab.define("id", "n:integer", "t")
    rows = [
        {"id": "a", "n": 1, "t": None, "_keep:n": False, "_keep:t": True},
        {"id": "a", "n": None, "t": "x", "_keep:n": True, "_keep:t": False},
        {"id": "a", "n": None, "t": "x", "_keep:n": True, "_keep:t": False},
    ]
    assert lab.load(definition, rows).letters == "CUN"
    assert lab.sql("SELECT id, n, t FROM things") == [("a", 1, "x")]


def test_rows_without_a_key_leave_out_what_they_lack(lab):
    lab.sql("CREATE TABLE things (n BIGINT DEFAULT 7, t TEXT)")
    definition = lab.define("n:integer", "t", key=(), mode="insert")
    rows = [{"n": None, "t": "x", "_keep:n": True}, {"n": 1, "t": "y", "_keep:n": False}]
    assert lab.load(definition, rows).letters == "CC"
    assert lab.sql("SELECT n, t FROM things ORDER BY t") == [(7, "x"), (1, "y")]


def test_chunks_in_which_no_row_leaves_anything_out_need_not_say_so(lab):
    definition = lab.define("id", "n:integer")
    lab.load(definition, [{"id": "b", "n": 2}], "one")
    first = lab.chunks(definition, [{"id": "a", "n": 1}])
    second = lab.chunks(definition, [{"id": "b", "n": None, "_keep:n": True}], first=1_000)
    with closing(lab.open(definition)) as destination:
        destination.begin("two", 1)
        destination.load("two", 1, definition, [*first, *second])
        assert "".join(page.letters for page in destination.pages("two")) == "CN"


KEYS = st.sampled_from("abc")
NUMBERS = st.none() | st.integers(0, 2)
ROWS = st.fixed_dictionaries({"id": KEYS, "n": NUMBERS, "t": NUMBERS, "_keep:n": st.booleans()})


def outcome(table, mode, given_row):
    """The letter of one row, and its effect on the table: key → (n, t)."""
    key, keeps = given_row["id"], given_row["_keep:n"]
    before = table.get(key)
    if before is None and mode is Mode.UPDATE:
        return "G"
    if before is not None and mode is Mode.INSERT:
        return "F"
    kept = 7 if before is None else before[0]
    after = (kept if keeps else given_row["n"], given_row["t"] if before is None else before[1])
    table[key] = after
    return "C" if before is None else "N" if after == before else "U"


@pytest.mark.parametrize("lab", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(KEYS, unique=True), rows=st.lists(ROWS, max_size=8), mode=st.sampled_from(Mode))
def test_outcomes_and_table_are_those_of_a_program_that_takes_row_by_row(lab, records, rows, mode):
    lab.sql("DROP TABLE IF EXISTS things")
    lab.sql("DROP TABLE IF EXISTS lading_pages")
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT DEFAULT 7, t INT)")
    for key in records:
        lab.sql("INSERT INTO things VALUES (?, 0, 0)", key)
    definition = lab.define(
        "id", "n:integer", {"name": "t", "type": "integer", "written": "on_create"}, mode=mode
    )
    table = dict.fromkeys(records, (0, 0))
    expected = "".join(outcome(table, mode, each) for each in rows)
    with closing(lab.open(definition)) as destination:
        lab.hurry(destination)
        destination.prepare(definition)
        destination.begin("job", 1)
        destination.load("job", 1, definition, lab.chunks(definition, rows))
        assert "".join(page.letters for page in destination.pages("job")) == expected
    assert {key: (n, t) for key, n, t in lab.sql("SELECT id, n, t FROM things")} == table
