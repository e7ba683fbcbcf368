"""Archives that unpack to too much, or are not what they say, are refused before they are unpacked."""

import zipfile

import pytest
import xlsxwriter

from formats.archive import open_archive, refuse_false_sizes
from formats.xlsx import Xlsx
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits

GIB = 2**30


@pytest.fixture
def path(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "book") as book:
        book.add_worksheet().write_column(0, 0, ["id", "text of one"])
    return tmp_path / "book"


def with_part(path, name, content=b"", told_bytes=None):
    """Adds a part, and says in the directory that it holds so many bytes."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        if told_bytes is not None:
            archive.getinfo(name).file_size = told_bytes
    return path


def code(path, limits=DEFAULT_LIMITS):
    with pytest.raises(FileRefusedError) as refused:
        Xlsx().detect(path, FileOptions(), frozenset(), limits)
    return refused.value.code


def test_too_many_parts_are_refused(path):
    assert code(path, Limits(archive_entries=5)) == "file.archive_entries"


def test_parts_that_unpack_to_too_much_are_refused(path):
    assert code(with_part(path, "more", told_bytes=21 * GIB)) == "file.unpacked_limit"
    assert code(path, Limits(unpacked_bytes=100)) == "file.unpacked_limit"


def test_a_part_packed_too_tightly_is_refused(path):
    assert code(with_part(path, "blanks", b" " * (65 * 2**20))) == "file.unpacked_ratio"


def test_a_part_may_be_packed_tightly_when_it_is_small(path):
    with_part(path, "blanks", b" " * 2**20)
    assert Xlsx().detect(path, FileOptions(), frozenset()).header_row == 1


def test_shared_texts_that_would_fill_the_memory_are_refused(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo("xl/sharedStrings.xml").file_size = 60 * 2**20
        archive.writestr("more", b"")
    assert code(path, Limits(memory_bytes=100 * 2**20)) == "file.memory_limit"


def test_a_part_that_stands_twice_is_refused(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        with_part(path, "xl/workbook.xml", b"<workbook/>")
    assert code(path) == "file.unreadable"


def test_parts_that_share_their_bytes_are_refused(path):
    with zipfile.ZipFile(path, "a") as archive:
        shared = archive.getinfo("xl/styles.xml")
        archive.writestr("more", b"")
        archive.getinfo("more").header_offset = shared.header_offset
    assert code(path) == "file.unreadable"


@pytest.mark.parametrize("told_bytes", [10, 10_000])
def test_a_part_that_is_not_as_large_as_it_says_is_refused(path, told_bytes):
    content = b"x" * 5_000
    with_part(path, "lie", content, told_bytes)
    with (
        open_archive(path, DEFAULT_LIMITS) as archive,
        pytest.raises(FileRefusedError, match="says that lie holds") as refused,
    ):
        refuse_false_sizes(archive)
    assert refused.value.code == "file.unreadable"


def test_parts_that_are_as_large_as_they_say_pass(path):
    with open_archive(path, DEFAULT_LIMITS) as archive:
        refuse_false_sizes(archive)
        assert b"<workbook" in archive.read("xl/workbook.xml")


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_a_document_type_is_refused_in_every_part(tmp_path, path, name):
    copy = tmp_path / "copy"
    laughs = b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as changed:
        for part in archive.namelist():
            content = archive.read(part)
            changed.writestr(part, content.replace(b"?>", b"?>" + laughs, 1) if part == name else content)
    assert code(copy) == "file.unreadable"
