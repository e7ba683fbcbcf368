"""Files for a definition with a mapping: rows are mapped before they are checked, and errors say where."""

import json

import pytest

from schemas.job import JobState
from store.database import Store
from tasks.failed_rows import failed_rows

RULES = [
    {"extract": "Order No", "generate": "id"},
    {"extract": "{{First}} {{Last}}", "generate": "name"},
    {"extract": "Amount", "generate": "amount", "discardIfEmpty": True},
    {"generate": "origin", "hardCodedValue": "file"},
]
FIELDS = [{"name": "id"}, {"name": "name"}, {"name": "amount", "type": "integer"}, {"name": "origin"}]


@pytest.fixture
def define(make_definition):
    def made(**changes):
        return make_definition(**{"fields": FIELDS, "mapping": {"fields": RULES}} | changes)

    return made


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_rows_of_every_kind_of_file_are_mapped(lading, write_as, define, kind):
    header = ["Order No", "First", "Last", "Amount"]
    if kind != "jsonl":
        header = ["ORDER  no", "First", "Last", "Amount"]
    job_id = lading.run(write_as(kind, [header, ["A1", "Jo", "Do", "3"], ["A2", "Al", "Be", ""]]), define())
    assert lading.letters(job_id) == "CC"
    assert lading.table().rows() == [("A1", "Jo Do", 3, "file"), ("A2", "Al Be", None, "file")]


def test_what_a_rule_leaves_out_stays_as_it_is(lading, write_csv, define):
    lading.run(write_csv("Order No,First,Last,Amount", "A1,Jo,Do,3", "A2,Jo,Do,4"), define())
    job_id = lading.run(
        write_csv("Order No,First,Last,Amount", "A1,Jo,Do,", "A2,Al,Do,", name="2.csv"), define()
    )
    assert lading.letters(job_id) == "NU"
    assert lading.table().rows() == [("A1", "Jo Do", 3, "file"), ("A2", "Al Do", 4, "file")]


def test_an_error_names_the_column_and_its_row_comes_back_as_it_came(lading, write_csv, define, tmp_path):
    path = write_csv(
        "Title", "", "x,Order No,First,Last,Amount", "1,A1,Jo,Do,many", "2,A2,Jo,Do,1", "3,,Jo,Do,1"
    )
    job_id = lading.run(path, define())
    found = [(e.row, e.column, e.field, e.code, e.value) for e in lading.errors(job_id)]
    assert found == [(4, "E", "amount", "type.integer", "many"), (6, "B", "id", "required", None)]
    assert lading.job(job_id).warnings == ["no rule reads the column 'x'; left out"]
    out = tmp_path / "failed.csv"
    with Store.opened(lading.settings) as store:
        assert failed_rows(lading.settings, store, job_id, out) == 2
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "x,Order No,First,Last,Amount,lading_errors"
    assert lines[1].startswith("1,A1,Jo,Do,many,")
    out.write_text("\n".join([lines[0], "1,A1,Jo,Do,7,"]) + "\n")
    assert lading.letters(lading.run(out, define())) == "C"


def test_what_the_table_refuses_has_the_column_and_the_value_too(lading, write_csv, define):
    lading.execute(
        "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT, amount INT NOT NULL UNIQUE, origin TEXT)"
    )
    rules = [*RULES[:2], {"extract": "Amount", "generate": "amount"}, RULES[3]]
    path = write_csv("Order No,First,Last,Amount", "A1,Jo,Do,", "A2,Jo,Do,5", "A3,Jo,Do,5")
    job_id = lading.run(path, define(mapping={"fields": rules}))
    assert [(e.code, e.row, e.line, e.column, e.field, e.value) for e in lading.errors(job_id)] == [
        ("load.constraint", 2, 2, "D", "amount", None),
        ("load.constraint", 4, 4, "D", "amount", "5"),
    ]


def test_json_lines_keep_their_types_for_the_mapping(lading, define, tmp_path):
    rules = [
        {"extract": "no", "generate": "id"},
        {"extract": "lines[*].sku", "generate": "name"},
        {"extract": "sum", "generate": "amount"},
        {"generate": "origin.ship", "extract": "ship.city"},
    ]
    kinds = {"name": "json", "amount": "decimal", "origin": "json"}
    fields = [{"name": "id"}, *({"name": name, "type": kind} for name, kind in kinds.items())]
    lines = [
        {"no": 7, "lines": [{"sku": "a"}], "sum": 1.50, "ship": {"city": "Köln"}},
        {"no": "x", "lines": [], "sum": "bad"},
    ]
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join([json.dumps(lines[0]), "{broken", json.dumps(lines[1])]) + "\n")
    job_id = lading.run(path, define(fields=fields, mapping={"fields": rules}))
    assert lading.letters(job_id) == "CFF"
    found = [(e.row, e.line, e.column, e.field, e.code) for e in lading.errors(job_id)]
    assert found == [(2, 2, None, None, "row.json"), (3, 3, None, "amount", "type.decimal")]
    ((key, skus, amount, origin),) = lading.table().rows()
    assert (key, skus, amount, json.loads(origin)) == ("7", '["a"]', "1.5", {"ship": "Köln"})


def test_a_fault_of_a_rule_is_an_error_of_its_row_with_its_place(lading, write_csv, define):
    lookups = [{"name": "sizes", "map": {"small": 1}, "allowFailures": False}]
    rules = [*RULES[:2], {"extract": "Amount", "generate": "amount", "lookupName": "sizes"}, RULES[3]]
    definition = define(mapping={"fields": rules}, lookups=lookups)
    job_id = lading.run(write_csv("Order No,First,Last,Amount", "A1,Jo,Do,small", "A2,Jo,Do,huge"), definition)
    (error,) = lading.errors(job_id)
    assert (error.row, error.line, error.column, error.field, error.value) == (3, 3, "D", "amount", "huge")
    assert lading.letters(job_id) == "CF"


def test_an_error_cell_is_an_error_whether_one_rule_reads_it_or_several_things_are_read(
    lading, error_cell_workbook, define
):
    fields = [{"name": "id"}, {"name": "name"}]
    rules = [{"extract": "Id", "generate": "id"}]
    for extract, field in (("X", "name"), ("{{X}}!", None)):
        mapping = {"fields": [*rules, {"extract": extract, "generate": "name"}]}
        job_id = lading.run(error_cell_workbook, define(fields=fields, mapping=mapping))
        (error,) = lading.errors(job_id)
        assert (error.code, error.column, error.field, error.value) == ("cell.error", "B", field, "#N/A")


def test_rows_with_the_same_mapped_key_are_duplicates_at_the_column_of_the_key(lading, write_csv, define):
    job_id = lading.run(write_csv("Order No,First,Last,Amount", "A1,Jo,Do,1", "A1,Al,Do,1"), define())
    assert {(e.code, e.row, e.column) for e in lading.errors(job_id)} == {
        ("key.duplicate", 2, "A"),
        ("key.duplicate", 3, "A"),
    }


@pytest.mark.parametrize(
    ("header", "policies", "code"),
    [
        ("First,Last,Amount", {}, "header.missing"),
        ("Order No,order no,First", {}, "header.duplicate"),
        ("Order No,First,Last,Amount,x", {"unknown_columns": "error"}, "header.unknown"),
    ],
)
def test_headers_are_judged_by_what_the_rules_read(lading, write_csv, define, header, policies, code):
    path = write_csv(header, ",".join("abcde"[: header.count(",") + 1]))
    job = lading.job(lading.run(path, define(policies=policies)))
    assert (job.state, job.error_code) == (JobState.INVALID, code)


def test_a_column_that_a_template_reads_by_a_name_with_blanks_is_a_known_one(
    lading, write_csv, make_definition
):
    rules = [
        {"extract": "Order No", "generate": "id"},
        {"extract": "{{trim [First Name]}}", "generate": "name"},
    ]
    definition = make_definition(
        fields=[{"name": "id"}, {"name": "name"}],
        mapping={"fields": rules},
        policies={"unknown_columns": "error"},
    )
    job_id = lading.run(write_csv("Order No,First Name", "A1, Jo "), definition)
    assert lading.table().rows() == [("A1", "Jo")]
    assert lading.letters(job_id) == "C"
