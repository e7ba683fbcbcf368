"""Files packed with gzip, around every kind."""

import gzip
from dataclasses import replace

import pytest

import formats
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS

MIB = 2**20
RECORDS = [("00123", "Ünal"), ("2", None)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


def _pack(path):
    path.write_bytes(gzip.compress(path.read_bytes()))


def _refusal(path, limits=DEFAULT_LIMITS):
    with (
        pytest.raises(FileRefusedError) as refused,
        formats.opened(path, FileOptions(), frozenset(), limits=limits),
    ):
        pass
    return refused.value.code, str(refused.value)


def test_a_packed_file_reads_as_the_plain_one(kind, writers, read_table, path):
    writers[kind](path, ["id", "name"], RECORDS)
    plain = read_table(path)
    _pack(path)
    packed = read_table(path, name=f"rows.{kind}.gz")
    assert (packed.cells, packed.rows, packed.lines) == (plain.cells, plain.rows, plain.lines)
    assert packed.detected == replace(plain.detected, packing="gzip")


def test_nothing_stays_of_what_was_unpacked(path, tmp_path, writers):
    writers["csv"](path, ["id"], [("1",)])
    _pack(path)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with formats.opened(path, FileOptions(), frozenset(), folder=folder) as file:
        assert len(list(folder.iterdir())) == 1
        assert sum(block.cells.height for block in file.blocks()) == 1
    assert list(folder.iterdir()) == []
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(FileRefusedError), formats.opened(path, FileOptions(), frozenset(), folder=folder):
        pass
    assert list(folder.iterdir()) == []


def test_members_that_follow_each_other_are_one_file(path, read_table):
    path.write_bytes(gzip.compress(b"id,v\n1,a\n") + gzip.compress(b"2,b\n"))
    assert read_table(path).cells == [("1", "a"), ("2", "b")]


def test_a_packed_file_cut_off_is_refused_and_says_so(path):
    packed = gzip.compress("".join(f"{n},{n * n}\n" for n in range(100_000)).encode())
    path.write_bytes(packed[: len(packed) * 9 // 10])
    code, message = _refusal(path)
    assert code == "file.unreadable"
    assert message == "the gzip file is cut off: its end is missing; send it whole"


def test_a_broken_packed_file_is_refused(path):
    packed = bytearray(gzip.compress(b"id,v\n" + b"1,a\n" * 1_000))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    code, message = _refusal(path)
    assert (code, message.split(" (")[0]) == ("file.unreadable", "the gzip file is broken")


def test_what_is_behind_the_packed_file_is_no_part_of_it(path):
    path.write_bytes(gzip.compress(b"id\n1\n") + b"more")
    assert _refusal(path)[0] == "file.unreadable"


def test_a_bomb_is_refused_while_it_is_unpacked(path):
    path.write_bytes(gzip.compress(bytes(200 * MIB)))
    assert _refusal(path)[0] == "file.unpacked_ratio"
    generous = replace(DEFAULT_LIMITS, unpacked_ratio=10_000, unpacked_bytes=100 * MIB)
    code, message = _refusal(path, generous)
    assert (code, message.split(";")[0]) == ("file.unpacked_limit", "the gzip file holds more than 100 MiB")


def test_a_small_file_may_be_packed_as_well_as_can_be(path, read_table):
    path.write_bytes(gzip.compress(b"id\n" + b"1\n" * 5_000_000))
    assert len(read_table(path).rows) == 5_000_000


@pytest.mark.parametrize("content", [b"", b" \n\n"], ids=["nothing", "blanks"])
def test_a_packed_file_with_nothing_in_it_is_empty(path, content):
    path.write_bytes(gzip.compress(content))
    assert _refusal(path)[0] == "file.empty"


@pytest.mark.parametrize(
    ("name", "packed", "note"),
    [
        ("rows.csv.gz", True, None),
        ("ROWS.CSV.GZ", True, None),
        ("rows.gz", True, None),
        ("rows", True, None),
        ("rows.csv", True, "the file is named .csv, but its bytes are packed with gzip; it was unpacked"),
        ("rows.xlsx.gz", True, "the file is named .xlsx, but its bytes are csv; it was read as csv"),
        ("rows.csv.gz", False, "the file is named .gz, but its bytes are not packed; it was read as csv"),
    ],
)
def test_the_name_is_compared_with_the_packing_too(path, read_table, name, packed, note):
    path.write_bytes(b"id,v\n1,a\n")
    if packed:
        _pack(path)
    assert read_table(path, name=name).detected.notes == ((note,) if note else ())


@pytest.mark.parametrize("kind_declared", ["csv", "jsonl"])
def test_a_text_is_read_as_the_kind_that_is_declared(path, read_table, kind_declared):
    path.write_bytes(b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n')
    found = read_table(path, kind=kind_declared)
    assert found.kind == kind_declared
    assert found.headers == {"csv": ['{"a": 1', ' "b": 2}'], "jsonl": ["a", "b"]}[kind_declared]


@pytest.mark.parametrize(
    ("content", "declared", "says"),
    [
        (
            b"id,v\n1,a\n",
            "xlsx",
            "the definition says xlsx (file: kind), but its bytes are csv; Lading reads csv",
        ),
        (b"%PDF-1.7\n", "csv", "the definition says csv (file: kind), but this is a PDF document"),
        (b"id\n1\n", "parquet", "there is no kind 'parquet' (file: kind)"),
    ],
)
def test_a_declared_kind_that_the_bytes_can_not_be_is_refused(path, content, declared, says):
    path.write_bytes(content)
    options = FileOptions(kind=declared)
    with pytest.raises(FileRefusedError) as refused, formats.opened(path, options, frozenset()):
        pass
    assert refused.value.code == "file.kind"
    assert str(refused.value).startswith(says)


def test_one_workbook_in_place_of_another_is_read_and_noted(path, writers, read_table):
    writers["xlsx"](path, ["id"], [("1",)])
    found = read_table(path, kind="xls")
    assert found.kind == "xlsx"
    assert found.detected.notes == (
        "the definition says xls (file: kind), but its bytes are xlsx; they decide",
    )
