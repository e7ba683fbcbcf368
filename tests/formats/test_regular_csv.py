"""The quick way through a csv file and the exact one give the same."""

from itertools import pairwise

import pytest
from hypothesis import example, given, strategies as st

from formats.csv_records import RecordReader
from formats.delimited import _RowReader
from formats.physical_lines import lines_of
from formats.regular_csv import regular_records
from schemas.text_table import Column, Detected

WIDTH = 3
PLAIN = ("a", "é", " ", ",", ",", ",", '"', '""', ',"', '",', "\n", "\r\n", "\r")
PIECES = (*PLAIN, "\ufeff", "1,2,3\n", '"x\ny",b,c\n')
texts = st.lists(st.sampled_from(PIECES)).map("".join)


def reader():
    columns = tuple(Column.at(letter, index) for index, letter in enumerate("ABC"))
    return _RowReader(Detected("csv", columns, header_row=0, delimiter=","))


def shown(blocks):
    """What stands in the blocks, row by row, and what is malformed."""
    rows, malformed = [], []
    for block in blocks:
        rows += zip(block.rows, block.lines, block.cells.rows(), strict=True)
        malformed += [(m.ordinal, m.code, m.text, m.detail) for m in block.malformed]
    return rows, malformed


def exactly(text):
    rows = reader()
    return shown([rows._exact_block(RecordReader(",").split(lines_of(text), final=True))])


def windows_of(text, cuts):
    """The text in pieces of whole lines, cut after those lines, in UTF-8."""
    lines = lines_of(text)
    borders = [0, *sorted({cut % (len(lines) + 1) for cut in cuts}), len(lines)]
    return ["".join(lines[a:b]).encode() for a, b in pairwise(borders) if a < b]


@given(texts, st.lists(st.integers(0, 50), max_size=4))
@example('1,2,3\n"x\ny",b,c\n4,"5"\r\n', [2])
@example('a,"b""",c\n"""a""",b,\n', [])
@example('1,"2\n3,4\n5,6,7\n', [1])
@example("1,2,3\n\ufeff4,5,6\n", [1])
def test_the_quick_way_gives_what_the_exact_one_gives(text, cuts):
    assert shown(reader().blocks(windows_of(text, cuts))) == exactly(text)


@given(texts, st.lists(st.integers(0, 50), max_size=4))
@example('1,2,3\n"x\ny",b,c\n4,"5"\r\n', [2])
@example('1,2,3\n,"\u00a0", \r\n"""",,\n', [])
@example("1,2,3\n\n4,5,6\n", [])
def test_the_rows_are_counted_as_the_exact_way_splits_them(text, cuts):
    rows, malformed = exactly(text)
    counts = list(reader().counts(windows_of(text, cuts)))
    assert sum(count.rows for count in counts) == len(rows)
    placed = [(found.malformed.ordinal, found.row, found.line) for count in counts for found in count.malformed]
    assert placed == [(ordinal, *rows[ordinal][:2]) for ordinal, *_ in malformed]


@pytest.mark.parametrize(
    ("text", "records", "lines", "rest"),
    [
        ("1,2,3\n4,5,6\n", [("1", "2", "3"), ("4", "5", "6")], [0, 1], ""),
        ('"x\ny",b,c\r\n4,5,6', [("x\ny", "b", "c"), ("4", "5", "6")], [0, 2], ""),
        ('1,2,3\n"open,5,6\n', [("1", "2", "3")], [0], '"open,5,6\n'),
        ('"a ""b""",\u00e9,\n', [('a "b"', "\u00e9", "")], [0], ""),
    ],
)
def test_regular_records_are_split_with_the_lines_where_they_begin(text, records, lines, rest):
    found = regular_records(text.encode(), ",", WIDTH)
    assert [tuple(cell or "" for cell in row) for row in found.cells.rows()] == records
    assert found.lines.to_list() == lines
    assert found.rest == rest.encode()


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n",
        "1,2,3,4\n",
        '1,x"2",3\n',
        '1,"2"x,3\n',
        '1, "2",3\n',
        "1,2,3\r4,5,6\r",
        "\n1,2,3\n",
        '"open\n',
        "\ufeff1,2,3\n",
        "",
    ],
)
def test_what_is_irregular_in_any_way_is_left_to_the_exact_way(text):
    assert regular_records(text.encode(), ",", WIDTH) is None


def test_a_record_longer_than_a_quote_may_stay_open_is_left_to_the_exact_way():
    assert regular_records(b"1,2," + b"x" * 1_100_000 + b"\n", ",", WIDTH) is None
    assert regular_records(b'1,2,3\n"' + b"x\n" * 600_000, ",", WIDTH) is None
