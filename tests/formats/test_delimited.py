"""Coordinates, broken rows and delimiters of delimited text."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import formats
from formats.delimited import FORMAT
from schemas.chunk import BLOCK_ROWS
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError

EARTHQUAKES = Path("examples/earthquakes.csv")


def _faults(table):
    """Row, line, code, text and detail of each malformed row."""
    rows, lines = table.rows, table.lines
    return [(rows[m.ordinal], lines[m.ordinal], m.code, m.text, m.detail) for m in table.malformed]


def test_title_rows_and_blank_rows_keep_the_numbers(table):
    found = table("Report 2024\n\nby Ada\n\nid,name,city\n1,a,x\n\n , ,\n2,b,y\n,,\n\n3,c,z\n\n")
    assert found.detected.header_row == 5
    assert found.detected.notes == ("the header was found in row 5; the rows above it are no data",)
    assert found.cells == [("1", "a", "x"), ("2", "b", "y"), ("3", "c", "z")]
    assert (found.rows, found.lines) == ([6, 9, 12], [6, 9, 12])


def test_data_from_column_c_has_the_letters_of_the_sheet(table):
    found = table(",,id,name\n,,1,a\n,,2,b\n")
    assert (found.letters, found.headers) == (["A", "B", "C", "D"], ["", "", "id", "name"])
    assert found.cells == [(None, None, "1", "a"), (None, None, "2", "b")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_newline_inside_quotes_makes_a_line_but_no_row(table, end):
    found = table(f'id,text{end}1,"a{end}b{end}c"{end}2,d{end}{end}3,"e"')
    assert found.cells == [("1", f"a{end}b{end}c"), ("2", "d"), ("3", "e")]
    assert (found.rows, found.lines) == ([2, 3, 5], [2, 5, 7])


def test_mixed_line_ends_are_all_line_ends(table):
    found = table("id,v\r\n1,a\r2,b\n3,c\r\r\n4,d")
    assert (found.rows, found.lines) == ([2, 3, 4, 6], [2, 3, 4, 6])
    assert [row[0] for row in found.cells] == ["1", "2", "3", "4"]


def test_separators_of_other_alphabets_are_no_line_ends(table):
    found = table("id,v\n1,a\u2028b\x0bc\x0c\x1cd\x85\n2,x\n")
    assert found.cells == [("1", "a\u2028b\x0bc\x0c\x1cd\x85"), ("2", "x")]


def test_rows_of_the_wrong_width_are_malformed_with_their_text(table):
    found = table('id,name,city,zip\n1,a,b,c\n2,a,"b"\n3,a,b,c,d\nx\n4,a,b,c\n')
    assert _faults(found) == [
        (3, 3, "row.field_count", '2,a,"b"', "3 cells where the header has 4"),
        (4, 4, "row.field_count", "3,a,b,c,d", "5 cells where the header has 4"),
        (5, 5, "row.field_count", "x", "1 cell where the header has 4"),
    ]
    assert [m.ordinal for m in found.malformed] == [1, 2, 3]
    assert found.cells == [("1", "a", "b", "c"), *[(None,) * 4] * 3, ("4", "a", "b", "c")]


def test_cells_below_trailing_blank_headers_may_be_left_out_but_no_others(table):
    found = table("id,name,,\n1,a\n2,b,c\n3,d,e,f\n4\n5,g,h,i,j\n", header_row=1)
    assert found.cells[:3] == [("1", "a", None, None), ("2", "b", "c", None), ("3", "d", "e", "f")]
    assert [m.ordinal for m in found.malformed] == [3, 4]


def test_a_malformed_row_is_kept_whole_with_its_line_ends_inside(table):
    found = table('id,v\n1,"a\nb",c\n2,"' + "x" * 600 + '",y\n', header_row=1)
    assert [m.text for m in found.malformed] == ['1,"a\nb",c', '2,"' + "x" * 600 + '",y']


def test_text_behind_a_closing_quote_is_malformed_and_reading_goes_on(table):
    found = table('id,v\n1,"a"b\n2,"c"\n3,"d" \n4,e\n')
    detail = "the line can't be split: text stands behind a closing quote"
    assert _faults(found) == [
        (2, 2, "row.quote", '1,"a"b', detail),
        (4, 4, "row.quote", '3,"d" ', detail),
    ]
    assert found.cells[1:4:2] == [("2", "c"), ("4", "e")]


def test_a_quote_inside_an_unquoted_cell_is_text(table):
    assert table('id,v\n1,5" pipe\n2,say "x"\n').cells == [("1", '5" pipe'), ("2", 'say "x"')]


def test_an_unclosed_quote_costs_one_row_and_not_the_file(table):
    rows = "".join(f"{n},v{n}\n" for n in range(3, 200_000))
    found = table(f'id,v\n1,"never closed\n2,v2\n{rows}')
    detail = "a quote that opens in this line is not closed within a million characters"
    assert _faults(found) == [(2, 2, "row.quote", '1,"never closed', detail)]
    assert len(found.cells) == 199_999
    assert found.cells[-1] == ("199999", "v199999")
    assert found.rows == list(range(2, 200_001))


def test_an_unclosed_quote_near_the_end_is_never_closed(table):
    found = table('id,v\n1,a\n2,"b\n3,c\n4,d')
    assert _faults(found) == [(3, 3, "row.quote", '2,"b', "a quote that opens in this line is never closed")]
    assert found.cells[2:] == [("3", "c"), ("4", "d")]


HOSTILE = {
    "each line closes and opens": 'x","\n',
    "each line opens": '"a\n',
    "a quoted line end a row": '1,"\n',
    "opened behind a stray quote": 'a""b,"\n',
    "odd runs": '"""a\n',
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_quotes_over_a_hundred_thousand_lines_lose_no_line(name, table):
    found = table("id,v\n" + HOSTILE[name] * 100_000, header_row=1, delimiter=",")
    spans = zip(found.lines, [*found.lines[1:], 100_002], strict=True)
    assert found.lines[0] == 2
    assert all(0 < after - line <= 2 for line, after in spans)


def test_a_quote_may_stay_open_over_many_lines_below_the_cap(table):
    text = "line\n" * 150_000
    found = table(f'id,v\n1,"{text}"\n2,b\n')
    assert found.cells == [("1", text), ("2", "b")]
    assert (found.rows, found.lines) == ([2, 3], [2, 150_003])


def test_a_cell_of_more_than_a_million_characters_is_malformed(table):
    found = table(f"id,v\n1,{'x' * 1_100_000}\n2,b\n")
    assert [(m.ordinal, m.code, len(m.text)) for m in found.malformed] == [(0, "row.quote", 2**20)]
    assert found.malformed[0].detail == "a cell is longer than a million characters"
    assert found.cells[1] == ("2", "b")


def test_a_line_without_end_is_cut_and_malformed(table):
    found = table(f"id,v\n1,{'x,' * 9_000_000}\n2,b\n")
    assert [m.detail for m in found.malformed] == ["the line is longer than 16 million characters"]
    assert found.cells[1] == ("2", "b")


def test_csv_settings_of_others_are_never_lowered(table):
    before = csv.field_size_limit(50_000_000)
    try:
        table("id,v\n1,a\n")
        assert csv.field_size_limit() == 50_000_000
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_detected(table, delimiter):
    text = "id,amount,when\n1,2.5,2024-01-01\n2,3.5,2024-01-02\n".replace(",", delimiter)
    found = table(text)
    assert found.detected.delimiter == delimiter
    assert found.cells[0] == ("1", "2.5", "2024-01-01")


def test_decimal_commas_do_not_pass_for_delimiters(table):
    found = table("id;amount;rate\n1;2,5;0,1\n2;3,5;0,2\n")
    assert (found.detected.delimiter, found.cells[0]) == (";", ("1", "2,5", "0,1"))


def test_known_headers_decide_between_delimiters(table):
    found = table("a,b;id\n1,2;3\n4,5;6\n", known=["id"])
    assert (found.detected.delimiter, found.headers) == (";", ["a,b", "id"])


def test_declared_delimiter_wins(table):
    assert table("a#b,c\n1#2,3\n", delimiter="#").cells == [("1", "2,3")]


def test_a_delimiter_that_can_part_nothing_is_refused(table):
    with pytest.raises(FileRefusedError, match="can't part cells"):
        table("a,b\n1,2\n", delimiter='"')


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;\r"])
def test_sep_line_is_honoured_and_counts_as_a_row(table, first):
    found = table(f"{first}\nid;a,b\n1;x,y\n")
    assert (found.detected.delimiter, found.detected.header_row) == (";", 2)
    assert (found.headers, found.cells, found.rows) == (["id", "a,b"], [("1", "x,y")], [3])


def test_declared_header_row_is_taken_whatever_it_looks_like(table):
    found = table("a,b\n1,2\n3,4\n", header_row=2)
    assert (found.headers, found.cells, found.rows) == (["1", "2"], [("3", "4")], [3])


def test_declared_header_row_may_stand_far_down(table):
    found = table("x\n" * 99 + "id,v\n1,a\n", header_row=100, delimiter=",")
    assert (found.headers, found.rows) == (["id", "v"], [101])


@pytest.mark.parametrize(
    ("row", "reason"), [(9, "the last row is 3"), (2, "blank or can't be split")], ids=["outside", "blank"]
)
def test_header_row_that_can_be_none_is_refused(table, row, reason):
    with pytest.raises(FileRefusedError, match=reason) as refused:
        table("a,b\n\n1,2\n", header_row=row)
    assert refused.value.code == "file.header"


def test_nul_characters_are_kept_for_validation_to_name(table):
    assert table("id,v\n1,A\0B\n2,c\n").cells == [("1", "A\0B"), ("2", "c")]


def test_earthquakes_have_their_rows_where_an_editor_shows_them(read_table):
    found = read_table(EARTHQUAKES)
    assert len(found.cells) == 23_412
    assert (len(found.headers), found.headers[0], found.letters[-1]) == (21, "Date", "U")
    for line in (3380, 7514, 20652):
        assert found.cells[line - 2][0].endswith("Z")
        assert (found.rows[line - 2], found.lines[line - 2]) == (line, line)
    assert sum(1 for row in found.cells if row[0].endswith("Z")) == 3
    assert sum(1 for row in found.cells if row[9] is None) == 3


def test_malformed_rows_keep_their_ordinals_across_blocks(table):
    rows = [f"{n},x" if n % 1000 else f"{n}" for n in range(1, BLOCK_ROWS + 5_001)]
    found = table("id,v\n" + "\n".join(rows))
    assert [m.ordinal for m in found.malformed] == list(range(999, BLOCK_ROWS + 5_000, 1000))
    assert [len(block.malformed) for block in found.blocks] == [20, 5]
    assert found.malformed[20].text == "21000"


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", '"', '""', ",", "\r", "\n", "\r\n", "a,b", " ", "'", "x"]
)


@given(records=st.lists(st.tuples(cells, cells, cells), max_size=12), end=st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_it_was_written(records, end, tmp_path_factory):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *records])
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(stream.getvalue().encode())
    detected = FORMAT.detect(path, FileOptions(delimiter=",", header_row=1, encoding="utf-8"), frozenset())
    found = [row for block in FORMAT.read(path, detected) for row in block.cells.iter_rows()]
    as_read = [tuple(cell if cell.strip() else None for cell in record) for record in records]
    assert found == [record for record in as_read if any(record)]


@given(text=st.text(st.sampled_from('ab ,;"\r\n\0é\u00a0'), max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_line_of_any_text_is_lost(text, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "lost.csv"
    path.write_bytes(f"a,b\n{text}".encode())
    detected = FORMAT.detect(path, FileOptions(delimiter=",", header_row=1, encoding="utf-8"), frozenset())
    kept = [row for block in FORMAT.read(path, detected) for row in block.cells.iter_rows()]
    faults = [m for block in FORMAT.read(path, detected) for m in block.malformed]
    found = "".join([cell or "" for row in kept for cell in row] + [m.text for m in faults])
    assert sum(1 for char in found if char in "abé") == sum(1 for char in text if char in "abé")


@given(text=st.text(st.sampled_from("ab ,\r\n\té\u00a0\x1c"), max_size=60), width=st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_the_quick_way_and_the_exact_way_agree(text, width, tmp_path_factory):
    header = ",".join("abc"[:width])
    outcomes = []
    for first in (header, f'"a"{header[1:]}'):
        path = tmp_path_factory.getbasetemp() / "ways.csv"
        path.write_bytes(f"{first}\n".encode() + text.encode())
        options = FileOptions(delimiter=",", header_row=1, encoding="utf-8")
        detected = FORMAT.detect(path, options, frozenset())
        blocks = list(FORMAT.read(path, detected))
        outcomes.append([(b.cells.rows(), b.rows.to_list(), b.lines.to_list(), b.malformed) for b in blocks])
    assert outcomes[0] == outcomes[1]


def test_a_format_reads_what_detect_gave_and_nothing_else(tmp_path):
    path = tmp_path / "upload"
    path.write_text("id;v\n1;a\n")
    with formats.opened(path, FileOptions(), frozenset()) as file:
        detected = file.detected
    path.write_text("id;v\n1;b\n2;c\n")
    with formats.reopened(path, detected) as file:
        rows = [row for block in file.blocks() for row in block.cells.iter_rows()]
    assert rows == [("1", "b"), ("2", "c")]
