"""The same values in every kind of workbook, each as its own programs store them."""

import datetime as dt
import struct
import zipfile

import pytest
import xlsxwriter
import xlwt

import formats
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import Limits
from schemas.text_table import StoredAs
from tests.formats.ods_writer import ods_cell, ods_text, write_ods
from tests.formats.xlsb_writer import write_xlsb

HEADERS = ["id", "day", "moment", "time", "duration", "share", "flag", "failed", "long", "number"]
DAYS = {False: 45_351.0, True: 43_889.0}
"""2024-02-29 by whether the workbook counts from 1904."""
EXPECTED = [
    ("00123", "2024-02-29", "2024-02-29 12:30:15", "12:30:15", "36:00:00", "0.15", "true", None, None, "1.5"),
    ("12345678901234567", None, None, "00:00:00", "06:00:00", None, "false", None, None, "-3"),
]
STORED = ["tmmmmnbtnn", "tttmmtbttn"]
LONG = 2**53 + 2


def _write_xlsx(path, *, date_1904=False):
    with xlsxwriter.Workbook(path, {"date_1904": date_1904}) as book:
        sheet = book.add_worksheet("S")
        forms = ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss", "[h]:mm")
        day, moment, time, hours = (book.add_format({"num_format": form}) for form in forms)
        share = book.add_format({"num_format": "0%"})
        sheet.write_row(4, 2, HEADERS)
        sheet.write_string(6, 2, "00123")
        sheet.write_number(6, 3, DAYS[date_1904], day)
        sheet.write_datetime(6, 4, dt.datetime.fromisoformat("2024-02-29T12:30:15"), moment)
        sheet.write_datetime(6, 5, dt.time(12, 30, 15), time)
        sheet.write_number(6, 6, 1.5, hours)
        sheet.write_number(6, 7, 0.15, share)
        sheet.write_boolean(6, 8, True)
        sheet.write_formula(6, 9, "=NA()", None, "#N/A")
        sheet.write_number(6, 10, LONG)
        sheet.write_number(6, 11, 1.5)
        sheet.write_string(8, 2, "12345678901234567")
        sheet.write_number(8, 5, 0, time)
        sheet.write_number(8, 6, 0.25, hours)
        sheet.write_boolean(8, 8, False)
        sheet.write_formula(8, 9, "=1/0", None, "#DIV/0!")
        sheet.write_number(8, 11, -3)


def _write_xls(path, *, date_1904=False):
    book = xlwt.Workbook()
    book.dates_1904 = date_1904
    sheet = book.add_sheet("S")
    forms = ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss", "[h]:mm", "0%")
    day, moment, time, hours, share = (xlwt.easyxf(num_format_str=form) for form in forms)
    for column, header in enumerate(HEADERS, 2):
        sheet.write(4, column, header)
    sheet.write(6, 2, "00123")
    sheet.write(6, 3, DAYS[date_1904], day)
    sheet.write(6, 4, dt.datetime.fromisoformat("2024-02-29T12:30:15"), moment)
    sheet.write(6, 5, dt.time(12, 30, 15), time)
    sheet.write(6, 6, 1.5, hours)
    sheet.write(6, 7, 0.15, share)
    sheet.write(6, 8, True)
    sheet.row(6).set_cell_error(9, 0x2A)
    sheet.write(6, 10, float(LONG))
    sheet.write(6, 11, 1.5)
    sheet.write(8, 2, "12345678901234567")
    sheet.write(8, 5, 0.0, time)
    sheet.write(8, 6, 0.25, hours)
    sheet.write(8, 8, False)
    sheet.row(8).set_cell_error(9, 0x07)
    sheet.write(8, 11, -3)
    book.save(str(path))


def _write_xlsb(path, *, date_1904=False):
    first = [(2, "00123", 0), (3, DAYS[date_1904], 1), (4, DAYS[date_1904] + 45_015 / 86_400, 2)]
    first += [(5, 45_015 / 86_400, 3), (6, 1.5, 4), (7, 0.15, 5), (8, True, 0), (9, b"\x2a", 0)]
    first += [(10, LONG, 0), (11, 1.5, 0)]
    second = [(2, "12345678901234567", 0), (5, 0, 3), (6, 0.25, 4), (8, False, 0), (9, b"\x07", 0), (11, -3, 0)]
    headers = [(column, header, 0) for column, header in enumerate(HEADERS, 2)]
    write_xlsb(path, {4: headers, 6: first, 8: second}, date_1904=date_1904)


def _write_ods(path):
    failed = {"table__formula": "of:=NA()", "calcext__value_type": "error"}
    first = [
        ods_text("00123"),
        ods_cell("date", "29.02.24", date_value="2024-02-29"),
        ods_cell("date", "29.02.24 12:30", date_value="2024-02-29T12:30:15"),
        ods_cell("time", "12:30", time_value="PT12H30M15S"),
        ods_cell("time", "36:00", time_value="PT36H00M00S"),
        ods_cell("percentage", "15%", value="0.15"),
        ods_cell("boolean", "TRUE", boolean_value="true"),
        ods_cell("string", "#N/A", string_value="", **failed),
        ods_cell("float", "9.0E+15", value=str(LONG)),
        ods_cell("currency", "1.50 €", value="1.5"),
    ]
    second = [ods_text("12345678901234567"), None, None, ods_cell("time", "0:00", time_value="PT00H00M00S")]
    second += [
        ods_cell("time", "6:00", time_value="PT6H"),
        None,
        ods_cell("boolean", "FALSE", boolean_value="false"),
    ]
    second += [ods_cell("float", "#DIV/0!", value="0", **failed), None, ods_cell("float", "-3", value="-3")]
    blank = [None, None]
    rows = [[], [], [], [], [*blank, *map(ods_text, HEADERS)], [], blank + first, [], blank + second]
    write_ods(path, rows)


WRITERS = {"ods": _write_ods, "xls": _write_xls, "xlsb": _write_xlsb, "xlsx": _write_xlsx}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


@pytest.mark.parametrize("kind", WRITERS)
def test_every_value_is_read_in_its_canonical_form_at_its_place(kind, path, read_table):
    WRITERS[kind](path)
    found = read_table(path)
    long = str(LONG)
    assert found.kind == kind
    assert found.cells == [(*EXPECTED[0][:8], long, "1.5"), EXPECTED[1]]
    assert (found.detected.header_row, found.rows, found.letters) == (5, [7, 9], list("CDEFGHIJKL"))
    assert [(e.ordinal, e.column, e.text) for e in found.error_cells] == [(0, 7, "#N/A"), (1, 7, "#DIV/0!")]


@pytest.mark.parametrize("kind", ["xls", "xlsb", "xlsx"])
def test_days_counted_from_1904_give_the_same_text(kind, path, read_table):
    WRITERS[kind](path, date_1904=True)
    found = read_table(path)
    assert [row[:7] for row in found.cells] == [row[:7] for row in EXPECTED]


@pytest.mark.parametrize("kind", WRITERS)
def test_it_is_told_how_each_cell_is_stored(kind, path):
    WRITERS[kind](path)
    with formats.opened(path, FileOptions(), frozenset()) as file:
        stored = file.stored_cells()
    assert ["".join(stored.of(row)) for row in (7, 9)] == STORED
    assert stored.of(6) in {None, tuple("t" * 10)}
    assert stored.of(10) is None


def test_a_value_of_a_spreadsheet_that_is_none_of_its_kind_is_text(path, read_table):
    wrong = [
        ods_cell("float", "1.5", value="1,5"),
        ods_cell("float", "1E5", value="1E5x"),
        ods_cell("float", "1E5", value="1e99999999999999999999"),
        ods_cell("boolean", "TRUE", boolean_value="yes"),
        ods_cell("date", "30.02.24", date_value="2024-02-30T00:00"),
        ods_cell("time", "12:75", time_value="12:75:00"),
    ]
    write_ods(path, [[ods_text(name) for name in "abcdef"], wrong])
    texts = ("1,5", "1E5x", "1e99999999999999999999", "yes", "2024-02-30", "12:75:00")
    assert read_table(path).cells == [texts]
    with formats.opened(path, FileOptions(), frozenset()) as file:
        assert set(file.stored_cells().of(2)) == {StoredAs.TEXT}


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (400.0, "9600:00:00"),
        (-0.5, "-12:00:00"),
        (1 + 1 / 86_400_000, "24:00:00.001"),
        (9_999.5, "239988:00:00"),
        (45_351.5, "2024-02-29 12:00:00"),
    ],
)
def test_a_duration_is_never_read_as_a_date_unless_it_must_be_one(path, read_table, days, text):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "hours"])
        sheet.write_string(1, 0, "1900-01-01 12:00:00")
        sheet.write_number(1, 1, days, book.add_format({"num_format": "[h]:mm:ss"}))
    assert read_table(path).cells == [("1900-01-01 12:00:00", text)]


def test_a_date_before_the_first_is_an_error_cell(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "day"])
        sheet.write_row(1, 0, ["1"])
        sheet.write_number(1, 1, -5, book.add_format({"num_format": "yyyy-mm-dd"}))
    found = read_table(path)
    assert found.cells == [("1", None)]
    assert [e.text for e in found.error_cells] == ["##### (-5.0 is no date)"]


def test_a_merged_header_names_its_first_column_alone(path, read_table):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 3, "A report")
        sheet.merge_range(1, 1, 1, 2, "name")
        sheet.write(1, 0, "id")
        sheet.write(1, 3, "city")
        sheet.write_row(2, 0, ["1", "a", "b", "x"])
    found = read_table(path)
    assert (found.detected.header_row, found.headers) == (2, ["id", "name", "", "city"])
    assert found.cells == [("1", "a", "b", "x")]


def test_repeated_rows_and_cells_of_a_spreadsheet_stand_for_as_many(path, read_table):
    row = "<table:table-row{}>{}</table:table-row>"
    cells = ods_text("x").replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="2"')
    rows = [
        row.format(
            ' table:number-rows-repeated="3"', '<table:table-cell table:number-columns-repeated="16384"/>'
        ),
        row.format("", ods_text("a") + ods_text("b")),
        row.format(' table:number-rows-repeated="2"', cells),
        row.format(
            ' table:number-rows-repeated="1048570"', '<table:table-cell table:number-columns-repeated="9"/>'
        ),
    ]
    write_ods(
        path, [[ods_text("other")]], tables=f'<table:table table:name="First">{"".join(rows)}</table:table>'
    )
    found = read_table(path)
    assert (found.headers, found.rows, found.cells) == (["a", "b"], [5, 6], [("x", "x")] * 2)
    assert found.detected.notes[0].startswith("the sheet 'First' was read; the workbook has others: 'Sheet1'")
    assert read_table(path, sheet="sheet1").headers == ["other"]


def test_a_table_inside_a_cell_or_beside_the_sheets_is_no_sheet(path, read_table):
    inner = f'<table:table table:name="Inner"><table:table-row>{ods_text("in")}</table:table-row></table:table>'
    holder = ods_text("2").replace("</table:table-cell>", f"{inner}</table:table-cell>")
    linked = f"<table:dde-links><table:dde-link>{inner}</table:dde-link></table:dde-links>"
    write_ods(
        path, [[ods_text("a"), ods_text("b")], [ods_text("1"), holder], [ods_text("3"), ods_text("4")]], linked
    )
    found = read_table(path)
    assert (found.headers, found.cells, found.rows) == (["a", "b"], [("1", "2"), ("3", "4")], [2, 3])
    assert found.detected.notes == ()


@pytest.mark.parametrize("count", ["0", "-3", "many", "9" * 5_000])
@pytest.mark.parametrize("element", ["table-row", "table-cell"])
def test_a_count_of_rows_or_cells_that_is_none_is_refused(path, read_table, element, count):
    attribute = "number-rows-repeated" if element == "table-row" else "number-columns-repeated"
    row = f"<table:table-row>{ods_text('x')}</table:table-row>"
    row = row.replace(f"<table:{element}", f'<table:{element} table:{attribute}="{count}"')
    write_ods(path, [], tables=f'<table:table table:name="S">{row}</table:table>')
    with pytest.raises(
        FileRefusedError, match=f"the workbook says {attribute}=.*, which is no count"
    ) as refused:
        read_table(path)
    assert refused.value.code == "file.unreadable"


def test_a_hidden_sheet_of_a_spreadsheet_is_read_only_where_it_is_named(path, read_table):
    style = (
        '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/>'
        "</style:style>"
    )
    hidden = f'<table:table table:name="Old" table:style-name="ta2"><table:table-row>{ods_text("old")}'
    write_ods(path, [[ods_text("new")]], tables=f"{hidden}</table:table-row></table:table>", styles=style)
    assert read_table(path).headers == ["new"]
    assert read_table(path, sheet="Old").headers == ["old"]


def test_what_a_cell_of_a_spreadsheet_shows_is_brought_whole(path, read_table):
    text = '<text:p>a<text:s text:c="2"/>b<text:tab/><text:span>c</text:span><text:line-break/>d</text:p>'
    note = "<office:annotation><text:p>a comment</text:p></office:annotation>"
    cell = f'<table:table-cell office:value-type="string">{note}{text}</table:table-cell>'
    covered = ods_text("hidden").replace("table:table-cell", "table:covered-table-cell")
    write_ods(path, [[ods_text("v"), ods_text("w"), ods_text("x")], [cell, covered, ods_text("y")]])
    assert read_table(path).cells == [("a  b\tc\nd", None, "y")]


def _locked_xls(path):
    _write_xls(path)
    # FILEPASS instead of INTERFACEHDR, which Excel does not need.
    content = path.read_bytes().replace(struct.pack("<HH", 0xE1, 2), struct.pack("<HH", 0x2F, 2), 1)
    path.write_bytes(content)


def _locked_ods(path):
    write_ods(path, [[ods_text("id")]], manifest="<manifest:encryption-data/>")


@pytest.mark.parametrize("lock", [_locked_xls, _locked_ods])
def test_a_workbook_behind_a_password_is_refused_by_that_name(path, read_table, lock):
    lock(path)
    with pytest.raises(FileRefusedError, match="the workbook is protected by a password") as refused:
        read_table(path)
    assert refused.value.code == "file.unreadable"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_sheet_that_is_not_there_is_refused_in_every_kind(kind, path, read_table):
    WRITERS[kind](path)
    with pytest.raises(
        FileRefusedError, match="the workbook has no sheet 'Totals'; its sheets are "
    ) as refused:
        read_table(path, sheet="Totals")
    assert refused.value.code == "file.sheet"


@pytest.mark.parametrize("kind", WRITERS)
def test_half_a_workbook_is_refused(kind, path, refusal):
    WRITERS[kind](path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(path) == "file.unreadable"


def _damaged_ods(path, signature, offset, bytes_there):
    """A spreadsheet that calls itself so in packed bytes, with others behind each signature."""
    write_ods(path, [[ods_text("id")]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    content, at = bytearray(path.read_bytes()), -1
    while (at := content.find(signature, at + 1)) >= 0:
        content[at + offset : at + offset + len(bytes_there)] = bytes_there
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        (b"PK\x05\x06", 16, struct.pack("<I", 0xFFFFFF00)),
        (b"PK\x05\x06", 12, struct.pack("<I", 0xFFFFFF00)),
        (b"PK\x01\x02", 42, struct.pack("<I", 0xFFFFFFF0)),
        (b"PK\x01\x02", 8, b"\x01\x00"),
        (b"PK\x01\x02", 10, b"\x63\x00"),
        (b"PK\x01\x02", 16, b"\xff\xff\xff\xff"),
        (b"PK\x03\x04", 26, b"\xff\xff"),
        (b"mimetype", 8, b"\xff" * 20),
    ],
    ids=["directory", "directory_size", "place", "locked", "method", "crc", "name_length", "packed"],
)
def test_a_damaged_spreadsheet_is_refused_and_no_fault(path, read_table, damage):
    _damaged_ods(path, *damage)
    with pytest.raises(FileRefusedError) as refused:
        read_table(path)
    assert refused.value.code == "file.unreadable"
    assert "Errno" not in str(refused.value)


def test_a_spreadsheet_of_a_few_bytes_that_spans_millions_of_cells_is_refused(path, refusal):
    far = '<table:table-row table:number-rows-repeated="1000000">{}</table:table-row>'
    wide = ods_text("x").replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="16000"')
    write_ods(path, [], tables=f'<table:table table:name="Far">{far.format(wide)}</table:table>')
    assert refusal(path) == "file.sheet_cells"


def test_a_binary_workbook_that_says_it_spans_too_much_is_refused(path, refusal):
    write_xlsb(path, {0: [(0, "id", 0)], 1_048_575: [(16_383, "far", 0)]})
    assert refusal(path) == "file.sheet_cells"
    write_xlsb(path, {0: [(0, "id", 0)], 1_048_575: [(19, "far", 0)]})
    assert refusal(path) == "file.memory_limit"


@pytest.mark.parametrize("kind", ["xls", "xlsb"])
def test_a_workbook_that_is_read_whole_is_refused_where_it_would_not_fit_into_the_memory(kind, path):
    WRITERS[kind](path)
    with pytest.raises(FileRefusedError, match="split it, or save it as csv") as refused:
        formats.opened(path, FileOptions(), frozenset(), limits=Limits(memory_bytes=1_000)).__enter__()
    assert refused.value.code == "file.memory_limit"


@pytest.mark.parametrize("kind", ["ods", "xlsb", "xlsx"])
def test_archives_of_every_kind_are_judged_before_they_are_unpacked(kind, path):
    WRITERS[kind](path)
    for limits in (Limits(archive_entries=1), Limits(unpacked_bytes=100)):
        with pytest.raises(FileRefusedError) as refused:
            formats.opened(path, FileOptions(), frozenset(), limits=limits).__enter__()
        assert refused.value.code in {"file.archive_entries", "file.unpacked_limit"}


def test_a_csv_named_as_a_workbook_is_read_as_csv(path, read_table):
    path.write_text("id,v\n1,a\n")
    found = read_table(path, name="export.xls")
    assert found.kind == "csv"
    assert found.detected.notes == ("the file is named .xls, but its bytes are csv; it was read as csv",)
