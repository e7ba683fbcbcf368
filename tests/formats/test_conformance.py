"""Every format through the same table of promises."""

import polars as pl
import pytest

import formats
from schemas.chunk import BLOCK_ROWS

HEADERS = ["id", "Name", "remark"]
RECORDS = [
    ("00123", "Ada  Lovelace ", None),
    ("-5.00", "Ünal 🚀", "two\nlines"),
    ("=1+1", 'say "hi", twice', "1E5"),
    (None, None, "NA"),
    ("12345678901234567890", "null", " x"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


@pytest.fixture
def first_row(kind):
    """Number of the first data row: a header stands above it but in JSON Lines."""
    return 1 if kind == "jsonl" else 2


def test_each_format_has_a_writer_here(writers):
    assert {f.kind for f in formats.all_formats()} == set(writers)


def test_the_same_records_give_the_same_cells(kind, writers, read_table, path, first_row):
    writers[kind](path, HEADERS, RECORDS)
    table = read_table(path)
    assert (table.kind, table.headers, table.cells) == (kind, HEADERS, RECORDS)
    assert table.rows == [first_row + ordinal for ordinal in range(len(RECORDS))]
    assert (table.malformed, table.error_cells) == ([], [])


def test_cells_are_text_and_rows_are_numbers(kind, writers, read_table, path, text_dtypes):
    writers[kind](path, HEADERS, RECORDS)
    block = read_table(path).blocks[0]
    assert text_dtypes(block)
    assert block.rows.dtype == pl.UInt32


def test_lines_are_given_but_for_workbooks(kind, writers, read_table, path):
    writers[kind](path, HEADERS, RECORDS)
    expected = {"csv": [2, 3, 5, 6, 7], "jsonl": [1, 2, 3, 4, 5]}
    assert read_table(path).lines == expected.get(kind, [])


def test_blocks_are_full_but_for_the_last(kind, writers, read_table, path, first_row):
    writers[kind](path, ["id", "v"], [(f"k{n}", "x") for n in range(2 * BLOCK_ROWS + 1)])
    blocks = read_table(path).blocks
    assert [block.cells.height for block in blocks] == [BLOCK_ROWS, BLOCK_ROWS, 1]
    assert [block.first_ordinal for block in blocks] == [0, BLOCK_ROWS, 2 * BLOCK_ROWS]
    assert blocks[2].cells.row(0) == (f"k{2 * BLOCK_ROWS}", "x")
    assert blocks[1].rows[0] == BLOCK_ROWS + first_row


def test_exactly_one_block_leaves_no_empty_one(kind, writers, read_table, path):
    writers[kind](path, ["id"], [(f"k{n}",) for n in range(BLOCK_ROWS)])
    assert [block.cells.height for block in read_table(path).blocks] == [BLOCK_ROWS]


def test_white_space_is_blank_and_blank_is_null(kind, writers, read_table, path):
    writers[kind](path, HEADERS, [("1", "", " \t\u00a0\u2003"), ("2", "x", "\u3000")])
    assert read_table(path).cells == [("1", None, None), ("2", "x", None)]


def test_a_header_alone_is_a_table_without_rows(kind, writers, read_table, path):
    if kind == "jsonl":
        path.write_text('{"id": null}\n')
        assert read_table(path).cells == [(None,)]
        return
    writers[kind](path, HEADERS, [])
    table = read_table(path)
    assert (table.headers, table.blocks) == (HEADERS, [])


def test_reading_twice_gives_the_same(kind, writers, read_table, path):
    writers[kind](path, HEADERS, RECORDS)
    assert read_table(path).cells == read_table(path).cells


def test_a_bad_name_is_noted_and_the_bytes_decide(kind, writers, read_table, path):
    writers[kind](path, HEADERS, RECORDS)
    table = read_table(path, name="rows.docx")
    assert table.kind == kind
    assert (
        table.detected.notes[0] == f"the file is named .docx, but its bytes are {kind}; it was read as {kind}"
    )


@pytest.mark.parametrize("name", [None, "rows", "rows.dat", "rows.txt"])
def test_a_name_that_promises_nothing_is_not_noted(kind, writers, read_table, path, name):
    writers[kind](path, HEADERS, RECORDS)
    assert read_table(path, name=name).detected.notes == ()


def test_a_file_of_another_format_is_never_claimed(kind, writers, path, read_table):
    writers[kind](path, HEADERS, RECORDS)
    assert read_table(path).kind == kind


@pytest.mark.parametrize("cut", [1, 100, 500])
def test_a_file_cut_off_is_refused_where_that_can_be_told(kind, writers, refusal, path, cut):
    writers[kind](path, HEADERS, RECORDS * 10)
    path.write_bytes(path.read_bytes()[:-cut])
    # An xls ends with padding, which some programs leave out.
    told = {"csv": {None}, "jsonl": {None}, "xls": {None, "file.unreadable"}}
    assert refusal(path) in told.get(kind, {"file.unreadable"})
