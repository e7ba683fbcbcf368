"""A definition that gained fields: the table that Lading made gains columns, somebody else's stays as it is."""

import threading

import pytest

from schemas.errors import DestinationError

A, B = {"id": "a", "n": 1}, {"id": "b", "n": 2}


def test_new_fields_get_columns_and_old_records_keep_null_there(lab):
    lab.load(lab.define("id", "n:integer"), [A], "one")
    definition = lab.define(
        "id",
        "n:integer",
        {"name": "colour", "required": True},
        {"name": "state", "default": "new"},
        {"name": "mail", "unique": True},
    )
    rows = [
        B | {"colour": "red", "state": "old", "mail": "x"},
        {"id": "c", "n": 3, "colour": "red", "mail": "x"},
    ]
    loaded = lab.load(definition, rows[:1], "two")
    assert loaded.letters == "C"
    assert lab.sql("SELECT id, n, colour, state, mail FROM things ORDER BY id") == [
        ("a", 1, None, "new", None),
        ("b", 2, "red", "old", "x"),
    ]
    clash = lab.load(definition, rows[1:], "three")
    assert (clash.letters, clash.errors[0][3]) == ("F", "mail")


def test_table_grows_again_and_again(lab):
    for number in range(1, 4):
        definition = lab.define("id", *(f"f{n}:integer" for n in range(number)))
        row = {"id": str(number)} | {f"f{n}": number for n in range(number)}
        assert lab.load(definition, [row], f"job {number}").letters == "C"
    assert lab.sql("SELECT * FROM things ORDER BY id") == [
        ("1", 1, None, None),
        ("2", 2, 2, None),
        ("3", 3, 3, 3),
    ]


def test_definition_that_lost_a_field_leaves_its_column_alone(lab):
    lab.load(lab.define("id", "n:integer", "t"), [A | {"t": "x"}], "one")
    assert lab.load(lab.define("id", "n:integer"), [A | {"n": 2}, B], "two").letters == "UC"
    assert lab.sql("SELECT * FROM things ORDER BY id") == [("a", 2, "x"), ("b", 2, None)]


def test_table_of_somebody_else_is_refused_by_the_name_of_what_it_lacks(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT)")
    definition = lab.define("id", "n:integer", "colour")
    with pytest.raises(DestinationError, match="it has no column 'colour'"):
        lab.open(definition).prepare(definition)


def test_table_made_anew_by_somebody_else_is_theirs(lab):
    lab.load(lab.define("id", "n:integer"), [A], "one")
    lab.sql("DROP TABLE things")
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT)")
    definition = lab.define("id", "n:integer", "colour")
    with pytest.raises(DestinationError, match="it has no column 'colour'"):
        lab.open(definition).prepare(definition)


def test_field_of_another_type_is_refused_and_no_column_is_added(lab):
    lab.load(lab.define("id", "n:integer"), [A], "one")
    changed = lab.define("id", "n", "colour")
    with pytest.raises(DestinationError, match="its column 'n' is"):
        lab.open(changed).prepare(changed)
    assert lab.sql("SELECT * FROM things") == [("a", 1)]


def test_field_that_becomes_part_of_the_key_is_refused(lab):
    lab.load(lab.define("id", "n:integer"), [A], "one")
    changed = lab.define("id", "n:integer", "site", key=("id", "site"))
    with pytest.raises(DestinationError, match="covers exactly the key"):
        lab.open(changed).prepare(changed)
    assert lab.sql("SELECT * FROM things") == [("a", 1)]


def test_two_workers_that_meet_the_same_new_field_add_one_column(lab):
    lab.load(lab.define("id", "n:integer"), [A], "one")
    definition = lab.define("id", "n:integer", "colour")
    workers = [threading.Thread(target=lab.open(definition).prepare, args=(definition,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert lab.load(definition, [A | {"colour": "red"}], "two").letters == "U"


def test_table_made_before_it_was_written_down_is_known_by_its_declaration(sqlite):
    sqlite.load(sqlite.define("id", "n:integer"), [A], "one")
    sqlite.sql("DROP TABLE lading_tables")
    definition = sqlite.define("id", "n:integer", "colour")
    assert sqlite.load(definition, [B | {"colour": "red"}], "two").letters == "C"
