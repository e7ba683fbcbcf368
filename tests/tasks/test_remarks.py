"""What is said of values that are no errors: dates that read both ways, and numbers that lost digits."""

import pytest
import xlsxwriter

from tasks.summary import summary_markdown

COUNT = (
    "8,462 of the 23,409 dates of 'Date' would be another day with day and month swapped; read as %m/%d/%Y, "
)
NOTE = COUNT + "the rows never go back in time; with those swapped, they go back in time 1,096 times"
WARNING = (
    COUNT + "the rows go back in time 1,096 times; with those swapped, they never go back in time: they were "
    "probably swapped on the way, and the 14,208 dates with a day past 12 were not; mend them where the file "
    "was made"
)


@pytest.mark.parametrize(
    ("file", "notes", "warnings"),
    [("earthquakes.csv", [NOTE], []), ("earthquakes-mixed-dates.csv", [], [WARNING])],
)
def test_mixed_dates_are_warned_of_and_sound_ones_only_noted(
    lading, examples, earthquakes, file, notes, warnings
):
    job = lading.job(lading.run(examples / file, earthquakes, validate_only=True))
    assert (job.detected["notes"], job.warnings) == (notes, warnings)
    summary = summary_markdown(job, file, [], None)
    assert ("**Warning:**" in summary) == bool(warnings)
    assert "8,462 of the 23,409 dates" in summary


def test_a_wrong_format_is_named_where_every_date_reads_both_ways(lading, write_csv, make_definition):
    fields = [{"name": "id", "header": "Id"}, {"name": "day", "type": "date", "format": "%m/%d/%Y"}]
    days = ["11/01/2024", "12/01/2024", "01/02/2024", "02/02/2024"]
    path = write_csv("Id,day", *(f"{number},{day}" for number, day in enumerate(days)))
    [warning] = lading.job(lading.run(path, make_definition(fields=fields))).warnings
    assert warning.endswith(
        "the rows go back in time once; with those swapped, they never go back in time: "
        "the format is probably %d/%m/%Y"
    )


def workbook_of(path, numbers, texts):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Id", "Name", "Amount"])
        for row, (number, text) in enumerate(zip(numbers, texts, strict=True), 1):
            sheet.write_string(row, 0, str(row))
            sheet.write_string(row, 1, text)
            sheet.write_number(row, 2, number)
    return path


def test_long_numbers_of_a_workbook_are_said_to_have_lost_digits(lading, make_definition, tmp_path):
    # The text cells hold as many digits, and every one of them.
    numbers = [1234567890123450, 12345678901234567890 // 16, 999032320001885]
    texts = ["1234567890123457", "12345678901234569", "999032320001885"]
    path = workbook_of(tmp_path / "long.xlsx", numbers, texts)
    job = lading.job(lading.run(path, make_definition()))
    assert job.warnings == [
        (
            "2 values of 'Amount' look like numbers of more than 15 digits, which is all that the workbook "
            "keeps: their last digits are lost; format the column as text and enter them anew"
        )
    ]


def test_the_first_number_whose_neighbour_a_workbook_can_not_hold_is_warned_of(
    lading, make_definition, tmp_path
):
    path = workbook_of(tmp_path / "long.xlsx", [2**53 + 1], ["x"])
    job = lading.job(lading.run(path, make_definition()))
    assert lading.table()["amount"].to_list() == [2**53]
    [warning] = job.warnings
    assert "their last digits are lost" in warning


def test_long_numbers_in_text_files_are_exact_and_not_remarked_on(lading, write_csv, make_definition):
    path = write_csv("Id,Name,Amount", "1,x,9007199254740993", "2,x,1234567890123450000")
    job = lading.job(lading.run(path, make_definition()))
    assert (job.warnings, lading.table()["amount"].to_list()) == ([], [9007199254740993, 1234567890123450000])
