"""What becomes of each row, in every mode and under every policy."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from schemas.field_types import FieldType

A, B, C = {"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 3}


@pytest.fixture
def fields():
    return ("id", "n:integer")


def test_first_upsert_creates_and_second_changes_nothing(lab, fields):
    definition = lab.define(*fields)
    first = lab.load(definition, [A, B], "one")
    second = lab.load(definition, [A, B], "two")
    assert (first.letters, second.letters) == ("CC", "NN")
    assert first.ids == second.ids == ['["a"]', '["b"]']
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 1), ("b", 2)]


def test_upsert_tells_created_updated_and_unchanged_apart(lab, fields):
    definition = lab.define(*fields)
    lab.load(definition, [A, B], "one")
    loaded = lab.load(definition, [C, A, B | {"n": 9}], "two")
    assert (loaded.letters, loaded.ids) == ("CNU", ['["c"]', '["a"]', '["b"]'])
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 1), ("b", 9), ("c", 3)]


@pytest.mark.parametrize(("policy", "letters"), [("fail", "FC"), ("ignore", "IC")])
def test_insert_of_an_existing_key_fails_or_is_ignored(lab, fields, policy, letters):
    lab.load(lab.define(*fields), [A], "one")
    definition = lab.define(*fields, mode="insert", policies={"existing": policy})
    loaded = lab.load(definition, [A | {"n": 7}, B], "two")
    assert loaded.letters == letters
    assert loaded.ids == [None if policy == "fail" else '["a"]', '["b"]']
    assert loaded.errors == ([("load.exists", 0, 2, "id")] if policy == "fail" else [])
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(("policy", "letters"), [("fail", "UGN"), ("ignore", "UIN")])
def test_update_of_a_missing_key_fails_or_is_ignored(lab, fields, policy, letters):
    lab.load(lab.define(*fields), [A, C], "one")
    definition = lab.define(*fields, mode="update", policies={"missing": policy})
    loaded = lab.load(definition, [A | {"n": 7}, B, C], "two")
    assert loaded.letters == letters
    assert loaded.ids == ['["a"]', None, '["c"]']
    assert loaded.errors == ([("load.missing", 1, 3, "id")] if policy == "fail" else [])
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 7), ("c", 3)]


def test_row_that_failed_validation_bears_the_action_that_was_intended(lab, fields):
    lab.load(lab.define(*fields), [A], "one")
    rows = [A | {"_verdict": 1}, B | {"_verdict": 1}, {"id": None, "n": 1, "_verdict": 1}, C | {"_verdict": 2}]
    assert lab.load(lab.define(*fields), rows, "upsert").letters == "GFFI"
    assert lab.load(lab.define(*fields, mode="insert"), rows, "insert").letters == "FFFI"
    assert lab.load(lab.define(*fields, mode="update"), rows, "update").letters == "GGGI"
    assert lab.sql("SELECT id, n FROM things") == [("a", 1)]


def test_without_a_key_every_good_row_is_created_without_an_id(lab):
    definition = lab.define("id", "n:integer", key=(), mode="insert")
    loaded = lab.load(definition, [A, A, B | {"_verdict": 1}])
    assert (loaded.letters, loaded.ids) == ("CCF", [None, None, None])
    assert lab.sql("SELECT id, n FROM things") == [("a", 1), ("a", 1)]


def test_change_from_and_to_null_is_an_update(lab, fields):
    definition = lab.define(*fields)
    lab.load(definition, [A, B | {"n": None}, C | {"n": None}], "one")
    loaded = lab.load(definition, [A | {"n": None}, B, C | {"n": None}], "two")
    assert loaded.letters == "UUN"
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", None), ("b", 2), ("c", None)]


def test_column_that_the_file_lacks_is_left_alone_on_update_and_defaulted_on_insert(lab):
    definition = lab.define("id", "n:integer", {"name": "state", "default": "new"})
    lab.load(definition, [A | {"state": "old"}], "one")
    loaded = lab.load(definition, [A, B], "two")
    assert loaded.letters == "NC"
    assert lab.sql("SELECT id, state FROM things ORDER BY id") == [("a", "old"), ("b", "new")]


def test_file_with_the_key_alone_changes_nothing(lab, fields):
    definition = lab.define(*fields)
    lab.load(definition, [A], "one")
    assert lab.load(definition, [{"id": "a"}, {"id": "b"}], "two").letters == "NC"
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 1), ("b", None)]


def test_every_type_is_stored_exactly_and_unchanged_the_second_time(lab):
    definition = lab.define("id", *(f"f_{t}:{t}" for t in FieldType))
    row = {
        "id": "a",
        "f_string": 'Žluťoučký "kůň"; DROP TABLE things',
        "f_integer": -(2**63),
        "f_number": 0.1,
        "f_decimal": Decimal("-0.000000000001"),
        "f_boolean": True,
        "f_date": date(2024, 2, 29),
        "f_time": time(7, 8, 9, 12),
        "f_datetime": datetime(2024, 2, 29, 23, 59, 59),  # noqa: DTZ001 - the frame is naive, in UTC
        "f_duration": timedelta(hours=36, microseconds=1),
        "f_choice": "red",
        "f_multichoice": '["red", "green"]',
        "f_json": '{"a": [1, null]}',
        "f_uuid": "123e4567-e89b-12d3-a456-426614174000",
        "f_email": "jo@example.com",
    }
    assert lab.load(definition, [row, {"id": "b"} | dict.fromkeys(list(row)[1:])], "one").letters == "CC"
    assert lab.load(definition, [row, {"id": "b"} | dict.fromkeys(list(row)[1:])], "two").letters == "NN"
    stored = lab.sql("SELECT * FROM things ORDER BY id")
    assert stored[1] == ("b", *[None] * (len(row) - 1))
    if lab.dialect == "sqlite":
        texts = {
            "f_decimal": "-0.000000000001",
            "f_boolean": 1,
            "f_date": "2024-02-29",
            "f_time": "07:08:09.000012",
            "f_datetime": "2024-02-29 23:59:59",
            "f_duration": 129_600.000001,
        }
    else:
        texts = {
            "f_duration": 129_600.000001,
            "f_json": {"a": [1, None]},
            "f_multichoice": ["red", "green"],
            "f_uuid": UUID(row["f_uuid"]),
        }
    assert stored[0] == tuple((row | texts).values())


@pytest.mark.parametrize(
    ("kind", "value", "target_id"),
    [
        ("string", 'a"\\\n\t\x01é\u2028😀', '["a\\"\\\\\\n\\t\\u0001é\u2028😀"]'),
        ("integer", 42, "[42]"),
        ("number", 2.0, "[2.0]"),
        ("decimal", Decimal("1.50"), '["1.5"]'),
        ("boolean", True, "[1]"),
        ("date", date(2024, 1, 2), '["2024-01-02"]'),
        ("datetime", datetime(2024, 1, 2, 3, 4, 5, 6), '["2024-01-02 03:04:05.000006"]'),  # noqa: DTZ001
        ("time", time(3, 4, 5), '["03:04:05"]'),
    ],
)
def test_id_is_the_stored_key_as_json_for_every_type(lab, kind, value, target_id):
    definition = lab.define(f"id:{kind}", "n:integer")
    first = lab.load(definition, [{"id": value, "n": 1}], "one")
    second = lab.load(definition, [{"id": value, "n": 2}], "two")
    assert (first.letters, first.ids) == ("C", [target_id])
    assert (second.letters, second.ids) == ("U", [target_id])


def test_id_of_several_fields_follows_the_order_of_the_key(lab):
    definition = lab.define("b:integer", "a", "n:integer", key=("a", "b"))
    assert lab.load(definition, [{"b": 1, "a": "x", "n": 1}]).ids == ['["x",1]']


@pytest.mark.parametrize(("mode", "letters"), [("upsert", "CUN"), ("insert", "CFF")])
def test_rows_of_the_same_key_take_turns_in_one_load(lab, fields, mode, letters):
    definition = lab.define(*fields, mode=mode)
    loaded = lab.load(definition, [A, A | {"n": 5}, A | {"n": 5}])
    assert loaded.letters == letters
    assert lab.sql("SELECT n FROM things") == [(5 if mode == "upsert" else 1,)]


def test_clash_of_a_unique_field_costs_one_row_and_names_the_field(lab):
    definition = lab.define("id", {"name": "mail", "unique": True})
    lab.load(definition, [{"id": "a", "mail": "x"}], "one")
    rows = [{"id": "b", "mail": "x"}, {"id": "c", "mail": None}, {"id": "d", "mail": None}]
    loaded = lab.load(definition, rows, "two")
    assert (loaded.letters, loaded.errors) == ("FCC", [("load.constraint", 0, 2, "mail")])
    assert lab.says_unique in loaded.messages[0]


def test_value_freed_by_an_update_may_be_taken_by_an_insert_of_the_same_load(lab):
    definition = lab.define("id", {"name": "mail", "unique": True})
    lab.load(definition, [{"id": "a", "mail": "x"}], "one")
    assert lab.load(definition, [{"id": "b", "mail": "x"}, {"id": "a", "mail": "y"}], "two").letters == "CU"


def test_row_numbers_and_letters_stand_for_every_row_of_every_chunk(lab, fields):
    definition = lab.define(*fields)
    rows = [{"id": str(n), "n": n, "_verdict": int(n % 7 == 0)} for n in range(2_345)]
    loaded = lab.load(definition, rows)
    assert [p.chunk for p in loaded.pages] == [0, 1, 2]
    assert [n for p in loaded.pages for n in p.row_numbers] == list(range(2, 2_347))
    assert loaded.letters == "".join("F" if n % 7 == 0 else "C" for n in range(2_345))


def test_load_of_no_chunk_and_of_an_empty_chunk_is_harmless(lab, fields):
    definition = lab.define(*fields)
    destination = lab.open(definition)
    destination.prepare(definition)
    destination.begin("job", 1)
    destination.load("job", 1, definition, [])
    chunk = lab.chunks(definition, [A])[0]
    destination.load("job", 1, definition, [type(chunk)(0, chunk.frame.clear())])
    assert [p.letters for p in destination.pages("job")] == [""]
