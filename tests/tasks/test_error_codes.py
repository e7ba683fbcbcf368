"""Every code of the catalogue is brought about by a file, and the page in the docs says what the code says."""

import gzip
import random
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from schemas.codes import CODES, FILE_CODES, JOB_CODES, ROW_CODES
from schemas.job import JobState

ROOT = Path(__file__).resolve().parents[2]
FIELD = {"name": "x", "header": "X"}
ID = {"name": "id", "header": "Id"}


def field_case(text, **field):
    """A file of one row whose column X holds `text`, and the definition of X."""
    return f"Id,X\n1,{text}\n".encode(), {"fields": [ID, FIELD | field]}


ROW_CASES = {
    "row.field_count": (b"Id,X\n1,2,3\n", {}),
    "row.quote": (b'Id,X\n1,"2\n', {}),
    "row.json": (b'{"Id": "1", "X": "2"}\n{"Id": 1,}\n', {}),
    "row.not_object": (b'{"Id": "1", "X": "2"}\n[1, 2]\n', {}),
    "row.nested": (b'{"Id": 1, "X": {"a": 2}}\n', {"file": {"flat": True}}),
    "row.identifier": (b"Id,:X\n1,a\n", {"file": {"identifiers": True}}),
    "row.unmended": (b"Id,X,lading_errors\n1,a,unreadable row: 9 cells\n", {}),
    "cell.nul": (b"Id,X\n1,A\0B\n", {}),
    "required": field_case("", required=True),
    "type.integer": field_case("12 apples", type="integer"),
    "type.integer_range": field_case("99999999999999999999", type="integer"),
    "type.number": field_case('"1,5"', type="number"),
    "type.decimal": field_case("1.2.3", type="decimal"),
    "type.boolean": field_case("perhaps", type="boolean"),
    "type.date": field_case("2024-02-30", type="date"),
    "type.time": field_case("25:00", type="time"),
    "type.datetime": field_case("yesterday", type="datetime"),
    "type.duration": field_case("36 hours", type="duration"),
    "type.json": field_case("{a: 1}", type="json"),
    "type.multichoice": field_case('"[1, 2]"', type="multichoice", choices=["A"]),
    "type.uuid": field_case("1234", type="uuid"),
    "type.email": field_case("jo at example.com", type="email"),
    "unique": (b"Id,X\n1,X1\n2,X1\n", {"fields": [ID, FIELD | {"unique": True}]}),
    "min": field_case("-1", type="integer", min=0),
    "max": field_case("11", type="integer", max=10),
    "min_length": field_case("ab", min_length=3),
    "max_length": field_case("abcd", max_length=3),
    "pattern": field_case("x9", pattern="[A-Z]+"),
    "choices": field_case("Maybe", type="choice", choices=["Yes", "No"]),
    "key.duplicate": (b"Id,X\nK1,a\nK1,b\n", {}),
    "load.missing": (b"Id,X\n1,a\n", {"mode": "update"}),
    "load.exists": (b"Id,X\nthere,a\n", {"mode": "insert"}),
    "load.constraint": (b"Id,X\n1,refused\n", {}),
}
FILE_CASES = {
    "file.empty": (b"", {}),
    "file.kind": (b"\x89PNG\r\n\x1a\n" + bytes(100), {}),
    "file.encoding": (b"Id,X\n1,\xe9\n", {"file": {"encoding": "utf-8"}}),
    "file.unpacked_ratio": (gzip.compress(bytes(70 * 2**20)), {}),
    "file.header": (b"Id,X\n1,a\n2,b\n", {"file": {"header_row": 9}}),
    "header.missing": (b"X\na\n", {}),
    "file.columns": (b"Id,X" + b"," * 20_000 + b"\n", {}),
    "header.duplicate": (b"Id,X,id\n1,a,2\n", {}),
    "header.unknown": (b"Id,X,Remark\n1,a,b\n", {"policies": {"unknown_columns": "error"}}),
    "atomic.failed_rows": (b"Id,X\n1,2,3\n", {"policies": {"atomic": True}}),
    "budget.exceeded": (b"Id,X\n1,2,3\n4,5,6\n", {"policies": {"max_errors": 1}}),
    "sync.no_valid_row": (b"Id,X\n", {"mode": "sync"}),
    "sync.key_unreadable": (b"Id,X\n1,a\n,b\n", {"mode": "sync"}),
}
JOB_CASES = {
    "job.atomic": (b"Id,X\nnew,a\nthere,a\n", {"mode": "insert", "policies": {"atomic": True}}),
    "job.sync": (b"Id,X\nnew,a\n", {"mode": "sync"}),
}


@pytest.fixture
def bring(lading, make_definition, tmp_path):
    """Imports these bytes with a definition of the fields Id and X, into a table that refuses one value."""

    def run(content: bytes, changes: dict) -> str:
        (tmp_path / "before.csv").write_bytes(b"Id,X\nthere,a\n")
        (tmp_path / "rows").write_bytes(content)
        base = {"fields": [ID, FIELD]} | changes
        lading.execute("CREATE TABLE things (id TEXT PRIMARY KEY, x CHECK (x <> 'refused'))")
        lading.run(tmp_path / "before.csv", make_definition(fields=[ID, FIELD]))
        lading.execute("CREATE TABLE uses (id REFERENCES things (id))")
        lading.execute("INSERT INTO uses VALUES ('there')")
        return lading.run(tmp_path / "rows", make_definition(**base))

    return run


@pytest.mark.parametrize("code", ROW_CASES)
def test_the_example_of_a_row_error_brings_it_about(lading, bring, code):
    job_id = bring(*ROW_CASES[code])
    errors = lading.errors(job_id)
    assert code in {error.code for error in errors}
    assert lading.job(job_id).state is JobState.FINISHED
    for error in errors:
        assert error.row is not None
        assert "{" not in error.message.replace(error.value or "", "")


@pytest.mark.parametrize("code", FILE_CASES)
def test_the_example_of_a_file_error_makes_the_job_invalid(lading, bring, code):
    job = lading.job(bring(*FILE_CASES[code]))
    assert (job.state, job.error_code) == (JobState.INVALID, code)


@pytest.mark.parametrize("code", JOB_CASES)
def test_the_example_of_a_refused_last_step_fails_the_job(lading, bring, code):
    job = lading.job(bring(*JOB_CASES[code]))
    assert (job.state, job.error_code) == (JobState.FAILED, code)


def test_an_error_cell_of_a_workbook_is_an_error(lading, make_definition, error_cell_workbook):
    job_id = lading.run(error_cell_workbook, make_definition(fields=[ID, FIELD]))
    assert [(e.code, e.row, e.column, e.value) for e in lading.errors(job_id)] == [
        ("cell.error", 2, "B", "#N/A")
    ]


def test_a_broken_workbook_and_a_missing_sheet_are_refused(
    lading, make_definition, tmp_path, error_cell_workbook
):
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(error_cell_workbook.read_bytes()[:-200])
    assert lading.job(lading.run(cut, make_definition())).error_code == "file.unreadable"
    absent = make_definition(fields=[ID, FIELD], file={"sheet": "Totals"})
    assert lading.job(lading.run(error_cell_workbook, absent)).error_code == "file.sheet"


def with_part(workbook, name, content=b"", told_bytes=None):
    """The workbook with one part more, of which its directory says that it holds so many bytes."""
    with zipfile.ZipFile(workbook, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        if told_bytes is not None:
            archive.getinfo(name).file_size = told_bytes


def many_parts(workbook):
    with zipfile.ZipFile(workbook, "a") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}", b"")


def far_cells(workbook):
    with xlsxwriter.Workbook(workbook) as book:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "Id")
        sheet.write_string(1_048_575, 16_383, "far")


def many_texts(workbook):
    with_part(workbook, "padding", random.Random(1).randbytes(3 * 2**20))
    with_part(workbook, "xl/sharedStrings.xml", b"<sst/>", told_bytes=600 * 2**20)


HOSTILE_WORKBOOKS = {
    "file.archive_entries": many_parts,
    "file.unpacked_limit": lambda workbook: with_part(workbook, "large", told_bytes=30 * 2**30),
    "file.unpacked_ratio": lambda workbook: with_part(workbook, "blanks", b" " * (65 * 2**20)),
    "file.sheet_cells": far_cells,
    "file.memory_limit": many_texts,
}


@pytest.mark.parametrize("code", HOSTILE_WORKBOOKS)
def test_a_workbook_that_would_cost_too_much_is_refused(lading, make_definition, tmp_path, code):
    workbook = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(workbook, {"constant_memory": True}) as book:
        book.add_worksheet().write_column(0, 0, ["Id", "1"])
    HOSTILE_WORKBOOKS[code](workbook)
    job = lading.job(lading.run(workbook, make_definition(fields=[ID, FIELD])))
    assert (job.state, job.error_code) == (JobState.INVALID, code)


def test_a_check_of_a_record_model_is_an_error(lading, make_definition, write_csv):
    numbers = [{"name": name, "type": "number"} for name in ("depth", "magnitude", "magnitude_error")]
    definition = make_definition(fields=[ID, {"name": "type"}, *numbers], record="earthquakes")
    job_id = lading.run(write_csv("Id,type,depth", "1,Explosion,33"), definition)
    assert [(e.code, e.row, e.column) for e in lading.errors(job_id)] == [("record", 2, None)]


def test_a_packed_file_that_holds_more_than_the_setting_allows_is_refused(lading, make_definition, tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"Id,Name\n" + b"1,a\n" * 300))
    lading.settings = lading.settings.model_copy(update={"unpacked_limit_bytes": 1_024})
    assert lading.job(lading.run(path, make_definition())).error_code == "file.unpacked_limit"


def test_every_code_is_tried_by_one_of_these_tests():
    elsewhere = {"cell.error", "file.unreadable", "file.sheet", "file.unpacked_limit", "record"}
    elsewhere |= {"file.memory_limit", "file.cpu_limit", "file.time_limit", "file.crash"}  # test_reader.py
    elsewhere |= {"mapping.type", "mapping.date", "mapping.lookup", "mapping.template"}  # test_mapper.py
    elsewhere |= HOSTILE_WORKBOOKS.keys() | {"vendor.refused"}  # test_vendor_jobs.py
    assert ROW_CASES.keys() | FILE_CASES.keys() | elsewhere == ROW_CODES.keys() | FILE_CODES.keys()


def test_the_other_codes_of_jobs_are_those_that_the_lifecycle_gives():
    lifecycle = (ROOT / "flows" / "lifecycle.py").read_text()
    of_vendors = {"vendor.failed", "vendor.deadline", "vendor.unknown"}  # test_vendor_jobs.py
    assert all(f'"{code}"' in lifecycle for code in JOB_CODES.keys() - JOB_CASES - of_vendors)
    assert set(CODES) == ROW_CODES.keys() | FILE_CODES.keys() | JOB_CODES.keys()
