"""The file of failed rows, from the job that wrote it to the job that takes it."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
import xlsxwriter

from store.database import Store
from tasks.failed_rows import failed_rows

FIELDS = [
    {"name": "id", "header": "Id"},
    {"name": "day", "header": "Day", "type": "date", "format": "%d/%m/%Y"},
    {"name": "price", "header": "Price", "type": "decimal"},
    {"name": "amount", "header": "Amount", "type": "integer"},
]


@pytest.fixture
def write_failed(lading, tmp_path):
    """Writes the failed rows of a job; gives their path."""

    def write(job_id):
        path = tmp_path / "failed.csv"
        with Store.opened(lading.settings) as store, store.read() as session:
            failed_rows(lading.settings, session, job_id, path)
        return path

    return write


def _rows(path):
    return pl.read_csv(path, infer_schema=False).rows()


def test_failed_rows_of_a_workbook_can_be_mended_and_sent_again(
    lading, make_definition, write_failed, tmp_path
):
    path = tmp_path / "things.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["Id", "Day", "Price", "Amount"])
        sheet.write_row(1, 0, ["a"])
        sheet.write_datetime(1, 1, dt.datetime(2024, 2, 29), workbook.add_format({"num_format": 14}))  # noqa: DTZ001 - Excel has no zones
        sheet.write_formula(1, 2, "=0.1+0.2", None, "0.30000000000000004")
        sheet.write_string(1, 3, "many")
    definition = make_definition(fields=FIELDS)
    failed = write_failed(lading.run(path, definition))
    assert _rows(failed)[0][:4] == ("a", "2024-02-29", "0.30000000000000004", "many")
    failed.write_text(failed.read_text("utf-8-sig").replace("many", "7", 1))
    assert lading.counts(lading.run(failed, definition)) == {"created": 1}
    row = lading.table().rows(named=True)[0]
    assert (row["day"], Decimal(row["price"]), row["amount"]) == ("2024-02-29", Decimal("0.3"), 7)


def test_an_error_cell_brings_what_the_sheet_shows(lading, make_definition, write_failed, error_cell_workbook):
    fields = [{"name": "id", "header": "Id"}, {"name": "x", "header": "X"}]
    failed = write_failed(lading.run(error_cell_workbook, make_definition(fields=fields)))
    assert [row[:2] for row in _rows(failed)] == [("1", "#N/A")]


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
