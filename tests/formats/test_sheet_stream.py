"""A sheet read in pieces gives what the reader gives for the sheet as a whole."""

import datetime as dt
import re
import tempfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings, strategies as st

from formats.workbook import Workbook
from formats.xlsx import Xlsx
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError

PIECES = [200, 4 * 2**20]
MOMENT = dt.datetime.fromisoformat


class Whole(Workbook):
    """The same workbooks, read as those of other kinds are."""

    kind = "xlsx"


def in_pieces(path, piece_bytes, **options):
    """Cells and error cells below the header by row and letter."""
    return _read(Xlsx(piece_bytes=piece_bytes), path, options)[:2]


def _read(reader, path, options):
    """Cells, error cells and how the cells are stored, by row and letter."""
    detected = reader.detect(path, FileOptions.model_validate(options), frozenset())
    cells, errors, forms = {}, {}, {}
    letters = [column.letter for column in detected.columns]
    stored = reader.stored_cells(path, detected)
    for block in reader.read(path, detected):
        for row, values in zip(block.rows, block.cells.iter_rows(), strict=True):
            cells |= {(row, letter): value for letter, value in zip(letters, values, strict=True) if value}
            forms |= {(row, letter): form for letter, form in zip(letters, stored.of(row), strict=True)}
        for error in block.error_cells:
            errors[block.rows[error.ordinal - block.first_ordinal], letters[error.column]] = error.text
    return cells, errors, forms


def as_a_whole(path, header_row):
    """The same from one call of the reader."""
    return _read(Whole(), path, {"header_row": header_row})[:2]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12) | st.sampled_from(
    [
        "a & b <c> 'd' \"e\"",
        "_x000D_",
        "two\nlines",
        ' t="s"><v>1',
        '<c r="A9">',
        "]]>",
        "&amp;",
        " lead",
        "1:2",
    ]
)
CELLS = st.one_of(
    st.none(),
    TEXTS,
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.dates(dt.date(1904, 1, 2), dt.date(9999, 12, 31)),
    st.datetimes(MOMENT("1904-01-02"), MOMENT("9999-12-31")),
    st.times(),
    st.timedeltas(dt.timedelta(), dt.timedelta(days=9_000)),
    st.floats(-1, 1).map(lambda number: number / 1e6),
    st.sampled_from([ValueError("#N/A"), ValueError("#DIV/0!"), ("text", "of a formula"), ("number", 7.5)]),
)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12)


def write(path, table, first_row, first_column, options):
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet()
        forms = {
            dt.date: book.add_format({"num_format": "dd/mm/yyyy"}),
            dt.datetime: book.add_format({"num_format": 22}),
            dt.time: book.add_format({"num_format": "hh:mm:ss.000"}),
            dt.timedelta: book.add_format({"num_format": "[h]:mm:ss"}),
        }
        sheet.write_row(first_row, first_column, ["w", "x", "y", "z"])
        for row, cells in enumerate(table, first_row + 1):
            for column, cell in enumerate(cells, first_column):
                match cell:
                    case dt.date() | dt.time() | dt.timedelta():
                        sheet.write_datetime(row, column, cell, forms[type(cell)])
                    case ValueError():
                        sheet.write_formula(row, column, "=NA()", None, str(cell))
                    case (str(), value):
                        sheet.write_formula(row, column, "=A1", None, value)
                    case str():
                        sheet.write_string(row, column, cell)
                    case _:
                        sheet.write(row, column, cell)


@settings(max_examples=30, deadline=None)
@given(TABLES, st.integers(0, 9), st.integers(0, 27), st.booleans(), st.booleans(), st.sampled_from(PIECES))
def test_any_workbook_reads_the_same_in_pieces(table, first_row, first_column, is_1904, is_shared, piece_bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "book.xlsx")
        options = {"constant_memory": not is_shared, "date_1904": is_1904}
        write(path, table, first_row, first_column, options)
        header = {"header_row": first_row + 1}
        assert _read(Xlsx(piece_bytes=piece_bytes), path, header) == _read(Whole(), path, header)


def test_a_real_workbook_reads_the_same_in_pieces():
    path = Path("examples/housing.xlsx")
    assert in_pieces(path, 500_000) == as_a_whole(path, 1)


HEAD = '<row r="1"><c r="A1" t="str"><v>x</v></c><c r="B1" t="str"><v>y</v></c></row>'
ODD_ROWS = {
    "comment": ('<row r="2"><c r="A2"><!-- </row><row r="9"> --><v>1</v></c></row>', {(2, "A"): "1"}),
    "instruction": ('<row r="2"><?x </row> ?><c r="A2"><v>1</v></c></row>', {(2, "A"): "1"}),
    "cdata": ('<row r="2"><c r="A2" t="str"><v><![CDATA[</row>&]]></v></c></row>', {(2, "A"): "</row>&"}),
    "quotes": ("<row r='2'><c t='str' r='A2'><v>1</v></c><c r = 'B2'><v>2</v></c></row>", None),
    "order": ('<row spans="1:2" r="2"><c s="0" r="A2"><v>1</v></c></row>', {(2, "A"): "1"}),
    "nowhere": ("<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>", None),
    "next": ('<row r="2"><c r="B2"><v>1</v></c></row><row r="7"/><row><c/><c><v>2</v></c></row>', None),
    "rich": (
        (
            '<row r="2"><c r="A2" t="inlineStr"><is><r><rPr><b/></rPr><t>a</t></r>'
            '<r><t xml:space="preserve"> b</t></r>'
            '<rPh sb="0" eb="1"><t>skipped</t></rPh></is></c></row>'
        ),
        {(2, "A"): "a b"},
    ),
    "digits": ('<row r="2"><c r="A2"><v>12345678.901234567</v></c><c r="B2"><v>0.15</v></c></row>', None),
    "no value": ('<row r="2"><c r="A2"><f>B2</f></c><c r="B2"><v>2</v></c></row>', {(2, "B"): "2"}),
    "serial 60": ('<row r="2"><c r="A2" s="1"><v>60</v></c><c r="B2" s="1"><v>61</v></c></row>', None),
}


@pytest.mark.parametrize("piece_bytes", PIECES)
@pytest.mark.parametrize("name", ODD_ROWS)
def test_odd_xml_reads_as_it_means(name, piece_bytes, raw_workbook):
    rows, meant = ODD_ROWS[name]
    path = raw_workbook(f"<sheetData>{HEAD}{rows}</sheetData>")
    cells, errors = in_pieces(path, piece_bytes)
    assert (cells, errors) == ((meant, {}) if meant else as_a_whole(path, 1))
    assert cells


def test_prefixes_of_names_are_no_hindrance(raw_workbook):
    plain = "<sheetData>" + HEAD + '<row r="2"><c r="A2"><v>1</v></c></row></sheetData>'
    path = raw_workbook(re.sub(r"<(/?)(?=\w)", r"<\1x:", plain))
    assert in_pieces(path, 200) == ({(2, "A"): "1"}, {})


@pytest.mark.parametrize(
    ("number", "shown"),
    [("1.5", "36:00:00"), ("0.5", "12:00:00"), ("-0.25", "-06:00:00"), ("0.0000057870370370", "00:00:00.500")],
)
def test_hours_beyond_a_day_are_shown_as_hours(number, shown, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "book") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["name", "hours"])
        sheet.write_string(1, 0, "x")
        sheet.write_formula(1, 1, "=A1*2", book.add_format({"num_format": "[h]:mm"}), float(number))
    assert in_pieces(tmp_path / "book", 200)[0] == {(2, "A"): "x", (2, "B"): shown}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>', "rows out of order"),
        ('<row r="2"><c r="A9"><v>1</v></c></row>', "stands in another row"),
        ('<row r="2"><c x="<t>" r="XFD9"><v>1</v></c></row>', "stands in another row"),
        ('<row r="2"><y:c r="XFD2"><v>1</v></y:c></row>', "can't be told apart"),
        ('<row r="2"><c r="$A$2"><v>1</v></c></row>', "without a place"),
    ],
)
def test_cells_that_are_not_where_they_seem_are_refused(rows, reason, raw_workbook):
    path = raw_workbook(f"<sheetData>{HEAD}{rows}</sheetData>")
    with pytest.raises(FileRefusedError, match=reason) as refused:
        in_pieces(path, 4 * 2**20)
    assert refused.value.code == "file.unreadable"


def test_a_far_cell_behind_a_bracket_in_quotes_is_seen(raw_workbook):
    path = raw_workbook(
        f'<sheetData>{HEAD}<row r="1048576"><c r="XFD1048576" x="/>"><v>1</v></c></row></sheetData>'
    )
    with pytest.raises(FileRefusedError, match="spans") as refused:
        in_pieces(path, 4 * 2**20)
    assert refused.value.code == "file.sheet_cells"


def test_rows_far_apart_take_no_memory_between_them(raw_workbook):
    path = raw_workbook(f'<sheetData>{HEAD}<row r="1000000"><c r="B1000000"><v>1</v></c></row></sheetData>')
    assert in_pieces(path, 4 * 2**20) == ({(1_000_000, "B"): "1"}, {})
