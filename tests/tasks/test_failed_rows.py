"""The file of failed rows, from the job that wrote it to the job that takes it."""

import datetime as dt
import gzip
import json
import re
import sqlite3
import threading
import zipfile
from contextlib import closing
from decimal import Decimal

import fastexcel
import polars as pl
import psutil
import pytest
import xlsxwriter

from schemas.errors import FatalError, RetriableError
from store.database import Store
from tasks import report
from tasks.failed_rows import failed_rows
from tasks.reader_process import end_idle_readers, have_a_reader_ready
from tests.formats.ods_writer import ods_cell, ods_text, write_ods

FIELDS = [
    {"name": "id", "header": "Id"},
    {"name": "day", "header": "Day", "type": "date", "format": "%d/%m/%Y"},
    {"name": "price", "header": "Price", "type": "decimal"},
    {"name": "amount", "header": "Amount", "type": "integer"},
]


@pytest.fixture
def write_failed(lading, tmp_path):
    """Writes the failed rows of a job; gives their path."""

    def write(job_id, name="failed.csv"):
        path = tmp_path / name
        with Store.opened(lading.settings) as store:
            failed_rows(lading.settings, store, job_id, path)
        return path

    return write


@pytest.fixture
def errors_of(lading):
    """What failed in a job and why, wherever in the file."""

    def errors(job_id):
        return sorted((e.code, e.field or "", e.column or "", e.value or "") for e in lading.errors(job_id))

    return errors


def _rows(path):
    return pl.read_csv(path, infer_schema=False).rows()


def _typed(path):
    """The cells of a workbook below its header, as numbers, dates and text."""
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=None, skip_rows=1)
    return sheet.to_polars().rows()


def _mend(path, **cells):
    """Put other values into cells of a workbook, by address, as XML."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for address, value in cells.items():
        form = ' t="inlineStr"' if "<is>" in value else ""
        sheet, count = re.subn(rf'<c r="{address}".*?</c>', f'<c r="{address}"{form}>{value}</c>', sheet)
        assert count == 1
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_failed_rows_of_a_workbook_are_a_workbook_that_can_be_mended_and_sent_again(
    lading, make_definition, write_failed, errors_of, tmp_path
):
    path = tmp_path / "things.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Data")
        sheet.write_row(2, 1, ["Id", "Day", "Price", "Amount", "Note"])
        sheet.write_row(3, 1, ["00123"])
        sheet.write_datetime(3, 2, dt.datetime(2024, 2, 29), workbook.add_format({"num_format": 14}))  # noqa: DTZ001 - Excel has no zones
        sheet.write_formula(3, 3, "=0.1+0.2", None, "0.30000000000000004")
        sheet.write_string(3, 4, "many")
        sheet.write_formula(3, 5, "=NA()", None, "#N/A")
        sheet.write_row(4, 1, ["00124", None, 1.5, 3, "=1+1"])
    definition = make_definition(
        fields=[*FIELDS, {"name": "note", "header": "Note"}], file={"sheet": "data", "header_row": 3}
    )
    first = lading.run(path, definition)
    assert lading.counts(first) == {"created": 1, "failed": 1}
    failed = write_failed(first, "failed.xlsx")
    assert _typed(failed)[0][:4] == ("00123", dt.datetime(2024, 2, 29), "0.30000000000000004", "many")  # noqa: DTZ001
    same = lading.run(failed, definition)
    assert errors_of(same) == errors_of(first)
    assert {error.row for error in lading.errors(same)} == {2}
    assert fastexcel.read_excel(failed).sheet_names == ["Data"]
    _mend(failed, E2="<v>7</v>", F2="<is><t>mended</t></is>")
    assert lading.counts(lading.run(failed, definition)) == {"created": 1}
    row = lading.table().rows(named=True)[0]
    assert (row["id"], row["day"], Decimal(row["price"]), row["amount"], row["note"]) == (
        "00123",
        "2024-02-29",
        Decimal("0.3"),
        7,
        "mended",
    )


def test_failed_json_lines_keep_their_values_and_a_broken_line_its_text(
    lading, make_definition, write_failed, errors_of, tmp_path
):
    path = tmp_path / "things.jsonl.gz"
    lines = [
        '{"Id": "a", "Amount": 1.50, "Name": "=1+1", "more": {"x": [1e400, true]}}',
        '{"Id": "b", "Amount": 2}',
        '{"Id": "c", "Amount": 3,}',
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    first = lading.run(path, make_definition())
    assert lading.counts(first) == {"created": 1, "failed": 2}
    failed = write_failed(first, "failed.jsonl")
    mistake = "amount: not a whole number"
    expected = (
        f'{{"Id":"a","Amount":1.50,"Name":"=1+1","more":{{"x":[1e400,true]}},"lading_errors":"{mistake}"}}'
    )
    assert failed.read_text().splitlines() == [expected, lines[2]]
    same = lading.run(failed, make_definition())
    assert errors_of(same) == errors_of(first)
    failed.write_text(failed.read_text().replace("1.50", "1").replace("3,}", "3}"))
    assert lading.counts(lading.run(failed, make_definition())) == {"created": 2}
    assert json.loads(failed.read_text().splitlines()[0])["Name"] == lading.table()["name"][0]


def test_a_nested_value_comes_back_in_its_object_with_the_reason(
    lading, make_definition, write_failed, tmp_path
):
    path = tmp_path / "things.jsonl"
    path.write_text('{"Id": "a"}\n{"Id": "b", "Name": {"x": 1.50}, "Amount": 7}\n{"Id": "c"}\n')
    job_id = lading.run(path, make_definition(file={"flat": True}))
    reason = "the key 'Name' holds an object; text, a number, true, false or null is needed"
    (line,) = write_failed(job_id, "failed.jsonl").read_text().splitlines()
    assert line.startswith('{"Id":"b","Name":{"x":1.50},"Amount":7,')
    assert reason in json.loads(line)["lading_errors"]


@pytest.mark.parametrize(
    ("codec", "delimiter"), [("cp1252", ";"), ("utf-16", "\t"), ("utf-8", "|"), ("shift_jis", "^")]
)
def test_failed_csv_rows_come_in_the_same_delimiter_and_encoding(
    lading, make_definition, write_failed, errors_of, tmp_path, codec, delimiter
):
    path = tmp_path / "things.csv"
    name = "\u65e5" if codec == "shift_jis" else "J\u00fcrgen"
    rows = [["Title"], ["Id", "Name", "Amount"], ["01", name, "x"], ["02", name, "2"]]
    path.write_text("\n".join(map(delimiter.join, rows)) + "\n", codec)
    options = {"header_row": 2, "delimiter": delimiter if delimiter == "^" else None}
    options |= {"encoding": codec} if codec == "shift_jis" else {}
    definition = make_definition(file=options)
    first = lading.run(path, definition)
    assert lading.counts(first) == {"created": 1, "failed": 1}
    same = lading.run(write_failed(first), definition)
    assert errors_of(same) == errors_of(first)
    found = lading.job(same).detected
    assert (found["encoding"], found["delimiter"]) == (codec.replace("16", "16-le"), delimiter)


def test_a_malformed_row_is_brought_whole_and_quoted_in_part(lading, make_definition, write_failed, write_csv):
    text = f"1,{'x' * 5_000},y,z"
    job_id = lading.run(write_csv("Id,Name,Amount", text, "2,b,3"), make_definition())
    assert [row[0] for row in _rows(write_failed(job_id))] == [text]
    assert [error.value for error in lading.errors(job_id)] == [text[:500]]


def test_a_malformed_row_sent_back_as_it_is_fails_again_and_mended_it_is_taken(
    lading, make_definition, write_csv
):
    fields = [{"name": "name", "header": "Name", "required": True}, {"name": "city", "header": "City"}]
    definition = make_definition(key=["name"], fields=fields)
    first = lading.run(write_csv("Name,City", "ann,Berlin", "bob,Rome,x"), definition)
    path = lading.settings.report_path(first) / "failed-rows.csv"
    again = lading.run(path, definition)
    assert lading.counts(again) == {"failed": 1}
    assert [(e.code, e.row, e.value) for e in lading.errors(again)] == [("row.unmended", 2, "bob,Rome,x")]
    twice = lading.settings.report_path(again) / "failed-rows.csv"
    assert twice.read_text().splitlines()[1].startswith('"bob,Rome,x",,unreadable row: ')
    twice.write_text("Name,City,lading_errors\nbob,Rome,\n")
    assert lading.counts(lading.run(twice, definition)) == {"created": 1}


def test_a_spreadsheet_with_values_that_are_none_of_their_kind_gives_them_back_as_text(
    lading, make_definition, tmp_path
):
    path = tmp_path / "things.ods"
    wrong = [
        ods_text("a"),
        ods_cell("time", "12:75", time_value="12:75:00"),
        ods_cell("float", "1.5", value="1,5x"),
        ods_cell("float", "1.5", value="1,5"),
    ]
    write_ods(path, [[ods_text(name) for name in ("Id", "Day", "Price", "Amount")], wrong])
    job_id = lading.run(path, make_definition(fields=FIELDS))
    assert lading.counts(job_id) == {"failed": 1}
    assert lading.job(job_id).warnings == []
    failed = lading.settings.report_path(job_id) / "failed-rows.xlsx"
    assert _typed(failed)[0][:4] == ("a", "12:75:00", "1,5x", "1,5")


def test_a_report_ends_without_the_failed_rows_where_they_can_not_be_written(
    lading, make_definition, write_csv, monkeypatch
):
    def fail(*_):
        raise FatalError("a fault inside Lading: ValueError")

    monkeypatch.setattr(report, "failed_rows", fail)
    job = lading.job(lading.run(write_csv("Id,Amount", "a,x"), make_definition()))
    assert job.reported_at is not None
    assert job.warnings[-1] == "the failed rows can't be given back: a fault inside Lading: ValueError"


def test_a_report_is_repeated_where_nothing_is_decided(lading, make_definition, write_csv, monkeypatch):
    job_id = lading.run(write_csv("Id,Amount", "a,x"), make_definition())

    def fail(*_):
        raise RetriableError("the disk is full")

    monkeypatch.setattr(report, "failed_rows", fail)
    with pytest.raises(RetriableError):
        report.report_job(lading.settings, job_id)


def test_the_store_is_left_alone_while_the_failed_rows_are_written(
    lading, make_definition, write_failed, write_csv, tmp_path
):
    job_id = lading.run(write_csv("Id,Amount", "a,x"), make_definition())
    end_idle_readers()
    have_a_reader_ready()
    (reader,) = [child for child in psutil.Process().children() if "tasks.reader_child" in child.cmdline()]
    reader.suspend()
    writing = threading.Thread(target=write_failed, args=[job_id])
    writing.start()
    try:
        while writing.is_alive() and not list(tmp_path.glob(".failed-rows-*/errors.jsonl")):
            pass
        with closing(sqlite3.connect(lading.settings.store_path, timeout=10)) as store:
            store.execute("UPDATE job SET warnings = '[]'")
            store.commit()
            busy, *_ = store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert writing.is_alive()
    finally:
        reader.resume()
        writing.join()
    assert not busy
    assert [row[0] for row in _rows(tmp_path / "failed.csv")] == ["a"]
