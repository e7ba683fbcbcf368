"""The file of failed rows: safe to open, and the original text when it comes back."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st

import formats
from formats.failed_rows.as_xlsx import write_xlsx
from schemas.definition import FileOptions
from schemas.escape import escape, unescape
from schemas.text_table import Column, Detected, StoredAs, StoredCells


def _detected(*headers):
    columns = tuple(Column.at(header, index) for index, header in enumerate(headers))
    return Detected("csv", columns, 1, encoding="utf-8", delimiter=",")


def _write(path, detected, rows):
    """Write rows of cells (those of a malformed row in a list) and reasons."""
    failed = (
        formats.FailedRow(number, cells, reasons, malformed=isinstance(cells, list))
        for number, (cells, reasons) in enumerate(rows, 2)
    )
    with formats.reopened(Path(__file__), detected) as file:
        return formats.write_failed_rows(path, file, failed)


def _written(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream, strict=True))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "failed.csv"


def test_columns_stay_in_order_and_reasons_come_last(path):
    rows = [(("1", None, "Ünal"), "name: required"), (("2", "b", "x,y"), "city: too long")]
    assert _write(path, _detected("ID", "Name", "City"), iter(rows)) == 2
    assert _written(path) == [
        ["ID", "Name", "City", "lading_errors"],
        ["1", "", "Ünal", "name: required"],
        ["2", "b", "x,y", "city: too long"],
    ]


def test_file_begins_with_a_mark_so_that_excel_reads_umlauts(path):
    _write(path, _detected("id"), [])
    assert path.read_bytes() == b"\xef\xbb\xbfid,lading_errors\r\n"


def test_nothing_is_left_beside_the_file(path):
    _write(path, _detected("id"), [])
    assert list(path.parent.iterdir()) == [path]


def test_a_malformed_row_brings_its_text_in_the_first_column(path):
    _write(path, _detected("id", "name"), [(['1,"abc'], "the quote is open")])
    assert _written(path)[1] == ['1,"abc', "", "the quote is open"]


def test_a_column_of_reasons_is_replaced_and_not_doubled(path):
    detected = _detected("id", "Lading_Errors ", "name")
    _write(path, detected, [(("1", "old", "a"), "new"), (["raw"], "split")])
    assert _written(path) == [["id", "name", "lading_errors"], ["1", "a", "new"], ["raw", "", "split"]]


@pytest.mark.parametrize(
    "text", ["=1+1", "=cmd|'/C calc'!A0", "+1-1", "-2+3", "@SUM(A1)", "\tx", "\rx", "-", "'=x"]
)
def test_dangerous_cells_get_an_apostrophe(text):
    assert escape(text) == f"'{text}"
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("text", ["-5.00", "+49", "-1E5", "-,5", "12", "a=b", "'quoted'", "", " =1", "-5e-3"])
def test_numbers_and_harmless_text_stay(text):
    assert escape(text) == text
    assert unescape(text) == text


def test_text_of_a_file_that_is_not_ours_keeps_its_apostrophes(table):
    assert table("id,v\n'=1,'-x\n").cells == [("'=1", "'-x")]


def test_headers_are_escaped_and_come_back(path, read_table):
    _write(path, _detected("=id", "@name"), [(("1", "a"), "why")])
    assert _written(path)[0] == ["'=id", "'@name", "lading_errors"]
    assert read_table(path).headers == ["=id", "@name", "lading_errors"]


def test_a_workbook_made_from_our_file_brings_the_original_text(tmp_path, writers, read_table):
    path = tmp_path / "upload"
    writers["xlsx"](path, ["id", "lading_errors"], [("'=1+1", "why")])
    assert read_table(path).cells == [("=1+1", "why")]


def test_a_failed_file_fails_again_into_the_same_file(path, read_table):
    rows = [(("=1", "-5.00", None), "bad"), (("'=1", "x\ny", '"'), "worse")]
    _write(path, _detected("a", "b", "c"), rows)
    first = path.read_bytes()
    table = read_table(path)
    _write(path, table.detected, [(row, row[3]) for row in table.cells])
    assert path.read_bytes() == first


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text(
    st.sampled_from("'=+-@\t\r\n1.5eE,\"x"), max_size=6
)
cells = st.none() | text.filter(lambda value: value.strip() != "")


@given(rows=st.lists(st.tuples(cells, cells), max_size=10))
@settings(max_examples=250, deadline=None)
def test_any_rows_sent_back_bring_the_original_text(rows, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "sent-back.csv"
    _write(path, _detected("first", "second"), [(row, "=why") for row in rows])
    options = FileOptions(header_row=1, delimiter=",")
    with formats.opened(path, options, frozenset({"first"})) as file:
        back = [row for block in file.blocks() for row in block.cells.iter_rows()]
    assert back == [(*row, "=why") for row in rows]


@given(value=text)
@settings(max_examples=250, deadline=None)
def test_escape_is_undone_exactly(value):
    assert unescape(escape(value)) == value


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1,5", StoredAs.NUMBER),
        ("nan", StoredAs.NUMBER),
        ("12:75:00", StoredAs.MOMENT),
        (f"{9**30}:00:00", StoredAs.MOMENT),
        ("2024-02-30", StoredAs.MOMENT),
    ],
)
def test_what_a_workbook_can_not_hold_as_it_was_stored_is_written_as_text(tmp_path, read_table, text, stored):
    path = tmp_path / "failed.xlsx"
    detected = Detected("ods", (Column.at("id", 0), Column.at("x", 1)), 1, sheet="Sheet1")
    file = SimpleNamespace(detected=detected, stored_cells=lambda: StoredCells(["", f"t{stored.value}"]))
    assert write_xlsx(path, file, [formats.FailedRow(2, ("a", text), "x: wrong")]) == 1
    assert read_table(path).cells == [("a", text, "x: wrong")]
