import csv
from itertools import islice

import pytest

from schemas.document import read_definition

pytestmark = pytest.mark.slow

ISO_ROWS = [3380, 7514, 20652]


def places(errors):
    return [(error.row, error.line, error.column, error.field, error.code) for error in errors]


def test_three_rows_of_the_earthquakes_fail_and_all_others_are_created_once(lading, examples, earthquakes):
    first = lading.run(examples / "earthquakes.csv", earthquakes)
    assert lading.counts(first) == {"created": 23_409, "failed": 3}
    assert lading.job(first).rows == 23_412
    assert places(lading.errors(first)) == [
        place
        for line in ISO_ROWS
        for place in [(line, line, "A", "date", "type.date"), (line, line, "B", "time", "type.time")]
    ]
    assert lading.errors(first)[0].value == "1975-02-23T02:58:41.000Z"

    again = lading.run(examples / "earthquakes.csv", earthquakes)
    assert lading.counts(again) == {"unchanged": 23_409, "failed": 3}
    assert lading.table("earthquakes").height == 23_409


def test_one_edited_magnitude_is_one_update(lading, examples, earthquakes, tmp_path):
    lading.run(examples / "earthquakes.csv", earthquakes)
    with (examples / "earthquakes.csv").open(newline="") as original:
        rows = list(csv.reader(original))
    rows[100][rows[0].index("Magnitude")] = "9.9"
    with (tmp_path / "edited.csv").open("w", newline="") as edited:
        csv.writer(edited).writerows(rows)
    job = lading.run(tmp_path / "edited.csv", earthquakes)
    assert lading.counts(job) == {"updated": 1, "unchanged": 23_408, "failed": 3}
    key = rows[100][rows[0].index("ID")]
    table = lading.table("earthquakes")
    assert table.filter(table["id"] == key)["magnitude"].to_list() == [9.9]


def test_a_workbook_without_a_key_is_inserted_row_by_row(lading, examples):
    job = lading.run(examples / "housing.xlsx", read_definition(examples / "housing.yaml"))
    assert lading.counts(job) == {"created": 20_640}
    assert lading.table("housing")["total_bedrooms"].null_count() == 207


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_the_same_records_have_the_same_outcomes_and_errors_in_every_format(
    lading, examples, earthquakes, write_as, kind
):
    with (examples / "earthquakes.csv").open(newline="") as original:
        rows = list(islice(csv.reader(original), 8_000))
    iso_rows = [line for line in ISO_ROWS if line <= len(rows)]
    job = lading.run(write_as(kind, rows), earthquakes)
    assert lading.counts(job) == {"created": 7_997, "failed": 2}
    assert [(error.ordinal, error.field, error.code) for error in lading.errors(job)] == [
        place
        for line in iso_rows
        for place in [(line - 2, "date", "type.date"), (line - 2, "time", "type.time")]
    ]
    letters = lading.letters(job)
    assert [ordinal for ordinal, letter in enumerate(letters) if letter != "C"] == [
        line - 2 for line in iso_rows
    ]
