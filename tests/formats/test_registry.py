"""What a file is, told by its bytes."""

import gzip
import io
import zipfile

import pytest
import xlwt

import formats
from schemas.errors import FileRefusedError


def _zip(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def _ole(name):
    """An OLE file whose only stream has this name."""
    book, stream = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("Sheet1")
    book.save(stream)
    named = f"{name}\0".encode("utf-16-le")
    return stream.getvalue().replace("Workbook\0".encode("utf-16-le").ljust(len(named), b"\0"), named)


REFUSED = {
    "pdf": (b"%PDF-1.7\n", "a PDF document"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"id\n1\n")), "a gzip archive inside of another"),
    "zip": (_zip("rows.csv"), "a ZIP archive, but no workbook"),
    "docx": (_zip("word/document.xml"), "a Word document"),
    "odt": (_zip("mimetype", "content.xml"), "an OpenDocument file, but no spreadsheet"),
    "doc": (_ole("WordDocument"), "a Word document"),
    "ole": (_ole("Anything"), "an old Microsoft Office document"),
    "html": (b"<html><table><tr><td>id</td></tr></table>", "a web page (HTML)"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?><rows/>', "an XML document"),
    "nul bytes": (bytes(range(256)) * 9, "it is full of NUL bytes"),
    "controls": (b"\x01\x02\x03\x04abc", "it is full of control characters"),
    "json array": (b'[\n  {"id": 1},\n  {"id": 2}\n]\n', "one object per line is needed"),
    "empty json array": (b"[]", "one object per line is needed"),
    "parquet": (b"PAR1" + bytes(40), "a Parquet file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_foreign_bytes_are_refused_by_what_they_seem_to_be(name, tmp_path, read_table):
    content, seems = REFUSED[name]
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefusedError) as refused:
        read_table(path)
    assert refused.value.code == "file.kind"
    assert seems in str(refused.value)
    assert "Lading reads csv (.csv, .tsv, .tab), jsonl (.jsonl, .ndjson, .json), ods (.ods), xls" in str(
        refused.value
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b" \t\r\n", b"\xef\xbb\xbf", b"\xff\xfe \x00\n\x00", "\u00a0\n".encode(), b" " * 200_000],
    ids=["no bytes", "line end", "blanks", "utf-8 mark", "utf-16 blanks", "nbsp", "many blanks"],
)
def test_blank_file_is_empty(content, tmp_path, read_table):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(FileRefusedError, match="the file is empty") as refused:
        read_table(path)
    assert refused.value.code == "file.empty"


def test_text_behind_many_blanks_is_no_empty_file(tmp_path, read_table):
    path = tmp_path / "upload"
    path.write_bytes(b"\n" * 200_000 + b"id\n1\n")
    assert read_table(path, header_row=200_001).cells == [("1",)]


def test_workbook_with_a_password_says_so(tmp_path, read_table):
    path = tmp_path / "upload"
    path.write_bytes(_ole("EncryptedPackage"))
    with pytest.raises(FileRefusedError, match="protected by a password") as refused:
        read_table(path)
    assert refused.value.code == "file.unreadable"


KINDS = {
    "csv": (b"id,name\n1,x\n", "csv"),
    "one column": (b"id\n1\n", "csv"),
    "utf-16 without mark": ("id;name\n1;x\n".encode("utf-16-le"), "csv"),
    "one nul": (b"id,name\n1,A\0B\n", "csv"),
    "brackets in the header": (b"[id],[name]\n1,x\n", "csv"),
    "braces in the header": (b"{id},{name}\n1,x\n", "csv"),
    "json lines": (b'{"id": 1}\n', "jsonl"),
    "json lines behind blanks and a mark": (b'\xef\xbb\xbf\n  {"id": 1}\n', "jsonl"),
    "broken first object": (b'{"id": 1,}\n{"id": 2}\n', "jsonl"),
    "no object first": (b'[1, 2]\n{"id": 2}\n', "jsonl"),
    "numbers alone": (b"1\n2\n", "csv"),
}


@pytest.mark.parametrize("name", KINDS)
def test_bytes_tell_the_kind(name, tmp_path, read_table):
    content, kind = KINDS[name]
    path = tmp_path / "upload.xlsx"
    path.write_bytes(content)
    assert read_table(path).kind == kind


def test_public_names_are_these():
    assert formats.__all__ == [
        "FailedRow",
        "OpenFile",
        "all_formats",
        "csv_template",
        "describe",
        "failed_rows_suffix",
        "opened",
        "reopened",
        "write_failed_rows",
        "write_template",
    ]
    assert [f.kind for f in formats.all_formats()] == ["csv", "jsonl", "ods", "xls", "xlsb", "xlsx"]
