"""Coordinates, values and sheets of workbooks."""

import datetime as dt
import zipfile
from pathlib import Path
from string import ascii_uppercase

import pytest
import xlsxwriter

from schemas.errors import FileRefusedError

HOUSING = Path("examples/housing.xlsx")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


def _errors(table):
    """Row, letter and text of each error cell."""
    return [(table.rows[e.ordinal], table.letters[e.column], e.text) for e in table.error_cells]


def test_header_on_row_5_and_data_from_column_c_keep_their_places(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_blank(0, 0, None, book.add_format({"bold": True}))
        sheet.write_row(4, 2, ["id", "name", None, "city"])
        sheet.write_row(5, 2, ["1", "a", None, "x"])
        sheet.write_row(8, 2, ["2", "b", "extra", "y"])
        sheet.write_blank(99, 0, None, book.add_format({"bold": True}))
    found = read_table(path)
    assert (found.detected.header_row, found.headers) == (5, ["id", "name", "", "city"])
    assert found.letters == ["C", "D", "E", "F"]
    assert found.cells == [("1", "a", None, "x"), ("2", "b", "extra", "y")]
    assert found.rows == [6, 9]
    assert found.blocks[0].lines is None


def test_title_rows_are_no_data(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 1, "Report 2024")
        sheet.write_row(2, 1, ["id", "name", "city"])
        sheet.write_row(3, 1, ["1", "a", "x"])
    found = read_table(path)
    assert (found.detected.header_row, found.letters, found.rows) == (3, ["B", "C", "D"], [4])


def test_origin_is_found_where_dimension_lies_and_cells_have_no_address(raw_workbook, read_table):
    path = raw_workbook(
        '<dimension ref="A1:Z99"/><sheetData>'
        '<row r="3"><c s="1"/><c t="inlineStr"><is><t>id</t></is></c><c t="str"><v>v</v></c></row>'
        '<row r="7"><c r="B7"><v>1</v></c><c r="C7"><v>2.5</v></c></row></sheetData>'
    )
    found = read_table(path)
    assert (found.headers, found.letters, found.rows) == (["id", "v"], ["B", "C"], [7])
    assert found.cells == [("1", "2.5")]


def test_dates_times_and_numbers_are_canonical_text(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["day", "moment", "time", "fraction", "number", "flag", "text"])
        forms = [book.add_format({"num_format": f}) for f in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss")]
        sheet.write_datetime(1, 0, dt.date(2024, 2, 29), forms[0])
        sheet.write_datetime(1, 1, dt.datetime.fromisoformat("2024-02-29T12:30"), forms[1])
        sheet.write_datetime(1, 2, dt.time(12, 0), forms[2])
        sheet.write_datetime(1, 3, dt.time(1, 2, 3, 500_000), forms[2])
        sheet.write_number(1, 4, 1.5)
        sheet.write_boolean(1, 5, True)
        sheet.write_string(1, 6, "2024-02-29")
        sheet.write_number(2, 2, 0, forms[2])
        sheet.write_number(2, 4, 123, book.add_format({"num_format": "00000"}))
    assert read_table(path).cells == [
        ("2024-02-29", "2024-02-29 12:30:00", "12:00:00", "01:02:03.500", "1.5", "true", "2024-02-29"),
        (None, None, "00:00:00", None, "123", None, None),
    ]


def test_workbooks_that_count_from_1904_give_the_same_text(path, read_table):
    with xlsxwriter.Workbook(path, {"date_1904": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["day", "time"])
        sheet.write_datetime(1, 0, dt.date(2024, 2, 29), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_datetime(1, 1, dt.time(12, 0), book.add_format({"num_format": "hh:mm:ss"}))
    assert read_table(path).cells == [("2024-02-29", "12:00:00")]


def test_error_cells_are_named_as_the_sheet_shows_them(path, read_table):
    shown = ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "a title with an error")
        sheet.write_formula(0, 3, "=1/0", None, "#DIV/0!")
        sheet.write_row(2, 2, ["id", "value"])
        for index, text in enumerate(shown):
            sheet.write_string(4 + index, 2, f"k{index}")
            sheet.write_formula(4 + index, 3, "=NA()", None, text)
        sheet.write_formula(20, 3, "=NA()", None, "#N/A")
    found = read_table(path, header_row=3)
    assert _errors(found) == [(5 + i, "D", text) for i, text in enumerate(shown)] + [(21, "D", "#N/A")]
    assert [row[2:] for row in found.cells] == [(f"k{index}", None) for index in range(7)] + [(None, None)]


def test_a_date_beyond_all_calendars_is_an_error_cell(raw_workbook, read_table):
    path = raw_workbook(
        '<sheetData><row r="1"><c r="A1" t="str"><v>day</v></c></row>'
        '<row r="2"><c r="A2" s="1"><v>99999999</v></c></row></sheetData>'
    )
    assert _errors(read_table(path)) == [(2, "A", "##### (99999999.0 is no date)")]


def test_errors_that_are_newer_than_the_reader_are_error_cells_like_any_other(raw_workbook, read_table):
    path = raw_workbook(
        '<sheetData><row r="1"><c r="B1" t="str"><v>id</v></c><c r="C1" t="str"><v>v</v></c></row>'
        '<row r="2"><c r="B2" t="e" vm="1"><f t="array" ref="B2">A:A</f><v>#SPILL!</v></c>'
        '<c t="e" r="C2"><v>#N/A</v></c></row>'
        '<row r="4"><c r="B4"><v>1</v></c><c r="C4" s="0" t="e"><v>#CALC!</v></c></row></sheetData>'
    )
    found = read_table(path)
    assert found.cells == [(None, None), ("1", None)]
    assert _errors(found) == [(2, "B", "#SPILL!"), (2, "C", "#N/A"), (4, "C", "#CALC!")]


def test_texts_are_shared_however_the_cell_spells_it(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_column(0, 0, ["id", "one", "two"])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b't="s"><v>1<', b't="s" cm="1"><f>A9</f><v>1<')
    with zipfile.ZipFile(path, "w") as book:
        for part, content in parts.items():
            book.writestr(part, content)
    assert read_table(path).cells == [("one",), ("two",)]


def test_a_header_that_is_an_error_shows_it(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", None, "v"])
        sheet.write_formula(0, 1, "=A9", None, "#REF!")
        sheet.write_row(1, 0, ["1", "x", "2"])
    assert read_table(path).headers == ["id", "#REF!", "v"]


@pytest.fixture
def several_sheets(path):
    with xlsxwriter.Workbook(path) as book:
        for name in ("Cover", "Hidden", "Rows", "More"):
            sheet = book.add_worksheet(name)
            if name != "Cover":
                sheet.write_column(0, 0, ["id", f"in {name}"])
            if name == "Hidden":
                sheet.hide()
        book.add_chartsheet("Chart")
    return path


def test_first_visible_sheet_with_a_cell_is_read_and_the_others_are_noted(several_sheets, read_table):
    found = read_table(several_sheets)
    assert (found.detected.sheet, found.cells) == ("Rows", [("in Rows",)])
    assert found.detected.notes == (
        "the sheet 'Rows' was read; the workbook has others: 'Cover', 'Hidden', 'More', 'Chart' (file: sheet)",
    )


@pytest.mark.parametrize(("asked", "name"), [("More", "More"), ("hidden", "Hidden")])
def test_the_sheet_that_is_asked_for_is_read(several_sheets, read_table, asked, name):
    found = read_table(several_sheets, sheet=asked)
    assert (found.detected.sheet, found.cells, found.detected.notes) == (name, [(f"in {name}",)], ())


@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        ("Totals", "file.sheet", "its sheets are 'Cover', 'Hidden', 'Rows', 'More', 'Chart'"),
        ("Cover", "file.empty", "the sheet 'Cover' has no cell"),
    ],
)
def test_a_sheet_that_can_not_be_read_is_refused(several_sheets, read_table, asked, code, reason):
    with pytest.raises(FileRefusedError, match=reason) as refused:
        read_table(several_sheets, sheet=asked)
    assert refused.value.code == code


def test_a_workbook_without_a_cell_is_empty(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()
    with pytest.raises(FileRefusedError, match="no cell with a value") as refused:
        read_table(path)
    assert refused.value.code == "file.empty"


def test_declared_header_row_outside_is_refused(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_column(0, 0, ["id", "1"])
    with pytest.raises(FileRefusedError, match="the last row is 2") as refused:
        read_table(path, header_row=9)
    assert refused.value.code == "file.header"


BROKEN_SHEETS = {
    "cut off": '<sheetData><row r="1"><c r="A1"><v>1</v>',
    "entity": '<sheetData><row r="1"><c r="A1" t="str"><v>&boom;</v></c></row></sheetData>',
    "index outside": '<sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData>',
}


@pytest.mark.parametrize("name", BROKEN_SHEETS)
def test_broken_sheets_are_refused(name, raw_workbook, read_table):
    with pytest.raises(FileRefusedError) as refused:
        read_table(raw_workbook(BROKEN_SHEETS[name]))
    assert refused.value.code == "file.unreadable"
    assert "save it anew" in str(refused.value)


@pytest.mark.parametrize(
    ("address", "code", "reason"),
    [
        ("XFD1048576", "file.sheet_cells", "spans 1,048,576 rows and 16,384 columns"),
        ("CV1048576", "file.sheet_cells", "spans 1,048,576 rows and 100 columns"),
        ("A4294967295", "file.unreadable", "below the last row"),
        ("ZZZZZZZ9", "file.unreadable", "behind the last column"),
        ("ZZZZZZZ99999999999", "file.unreadable", "below the last row"),
    ],
)
def test_a_cell_in_the_far_corner_is_refused_before_it_fills_the_memory(
    raw_workbook, read_table, address, code, reason
):
    path = raw_workbook(
        '<sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        f'<row r="{address.lstrip(ascii_uppercase)}"><c r="{address}"><v>1</v></c></row></sheetData>'
    )
    with pytest.raises(FileRefusedError, match=reason) as refused:
        read_table(path)
    assert refused.value.code == code


def test_formats_of_blank_cells_far_away_do_no_harm(raw_workbook, read_table):
    path = raw_workbook(
        '<sheetData><row r="1"><c r="A1" t="str"><v>id</v></c></row><row r="2"><c r="A2"><v>7</v></c></row>'
        '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
    )
    assert read_table(path).cells == [("7",)]


def test_no_damage_brings_another_exception(path, refusal):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, ["id", "name", 1, 2])
    whole = path.read_bytes()
    for index in range(0, len(whole), 37):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 0xFF]) + whole[index + 1 :])
        assert refusal(path) in {None, "file.unreadable", "file.kind", "file.empty", "file.unpacked_ratio"}


def test_housing_is_whole(read_table):
    found = read_table(HOUSING)
    assert (len(found.cells), found.rows[-1]) == (20_640, 20_641)
    assert (found.headers[0], found.headers[-1], found.letters[-1]) == ("longitude", "median_house_value", "J")
    assert found.cells[0][:4] == ("-122.23", "37.88", "41", "880")
    assert sum(1 for row in found.cells if row[4] is None) == 207


@pytest.mark.parametrize(
    "number",
    [1 / 3, 1.2345678901234568e-10, 8e-279, 0.1 + 0.2, 999999.9999999999, 123.25, 1.7976931348623157e308],
)
def test_numbers_are_read_to_the_last_digit(tmp_path, read_table, number):
    path = tmp_path / "numbers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Amount", "Text"])
        sheet.write_row(1, 0, [12345, "0.33333333333333"])
    # The library that writes rounds numbers itself, Excel does not.
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet_name = "xl/worksheets/sheet1.xml"
    parts[sheet_name] = parts[sheet_name].replace(b"<v>12345</v>", f"<v>{number!r}</v>".encode())
    with zipfile.ZipFile(path, "w") as book:
        for name, part in parts.items():
            book.writestr(name, part)
    [(amount, text)] = read_table(path).cells
    assert (float(amount), text) == (number, "0.33333333333333")
