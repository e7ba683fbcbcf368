"""Which characters the bytes of a text file are, and what is said about it."""

import codecs

import pytest

from schemas.errors import FileRefusedError

TEXT = "id,name\n1,Žižek\n2,日本 🚀\n"
READ = [("1", "Žižek"), ("2", "日本 🚀")]


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_byte_order_mark_names_the_encoding_and_is_no_text(table, mark, codec):
    found = table(mark + TEXT.encode(codec))
    assert (found.detected.encoding, found.detected.notes) == (codec, ())
    assert (found.headers, found.cells) == (["id", "name"], READ)


def test_utf8_without_mark_is_told_by_every_byte(table):
    found = table(TEXT)
    assert (found.detected.encoding, found.detected.notes, found.cells) == ("utf-8", (), READ)


def test_what_is_not_utf8_is_guessed_and_the_guess_is_said(table):
    found = table("id,name\n1,Müller\n2,5 €\n".encode("cp1252"))
    assert found.cells == [("1", "Müller"), ("2", "5 €")]
    assert found.detected.encoding == "cp1252"
    assert found.detected.notes == (
        "the file is not UTF-8 (byte FC at offset 11, line 2); it was read as cp1252, which is a guess",
    )


def test_a_wrong_byte_far_behind_the_head_is_found(table):
    found = table(b"id,name\r\n" + b"1,x\r\n" * 300_000 + b"2,\xe9\r\n")
    assert found.detected.encoding == "cp1252"
    assert "byte E9 at offset 1500011, line 300002" in found.detected.notes[0]
    assert (found.cells[-1], found.lines[-1]) == (("2", "é"), 300_002)


def test_declared_encoding_is_taken_where_the_bytes_are_not_utf8(table):
    found = table("id,name\n1,Жук\n".encode("cp1251"), encoding="windows-1251")
    assert (found.cells, found.detected.encoding, found.detected.notes) == ([("1", "Жук")], "cp1251", ())


def test_utf8_overrules_a_declared_legacy_encoding_and_says_so(table):
    found = table(TEXT, encoding="cp1252")
    assert (found.cells, found.detected.encoding) == (READ, "utf-8")
    assert found.detected.notes == (
        "the definition says cp1252, but the file is utf-8 by its bytes; it was read as utf-8",
    )


def test_declared_utf16_without_mark_is_read(table):
    found = table("id,name\n1,x\n".encode("utf-16-le"), encoding="utf-16-le")
    assert found.cells == [("1", "x")]


def test_utf16_without_mark_is_guessed(table):
    found = table("id,name\r\n1,x\r\n".encode("utf-16-be"))
    assert found.cells == [("1", "x")]
    assert found.detected.notes == (
        "the file has no byte-order mark; it was read as utf-16-be, which is a guess",
    )


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_wide_text_of_other_scripts_is_told_by_its_line_ends(table, codec):
    found = table("id,name\n1,Παρασκευοπούλου Αλεξάνδρα\n2,日本語日本語日本語日本語\n".encode(codec))
    assert found.detected.encoding == codec
    assert found.cells == [("1", "Παρασκευοπούλου Αλεξάνδρα"), ("2", "日本語日本語日本語日本語")]


@pytest.mark.parametrize("text", ["id,name\n1,a\0b\n2,c\0d\n", "id,name\n1, (\0 a)\n2, (\0 b)\n"])
def test_narrow_text_with_a_few_nul_characters_is_not_taken_for_wide(table, text):
    assert table(text).detected.encoding == "utf-8"


def test_seven_bit_encodings_are_read_as_declared(table):
    found = table("id,name\n1,日本\n".encode("iso2022_jp"), encoding="iso-2022-jp")
    assert found.cells == [("1", "日本")]


REFUSED = {
    "declared utf-8": (b"id,name\n1,\xe9\n", "utf-8", "byte E9 at offset 10, line 2"),
    "declared ascii": (b"id,name\n1,\xe9\n", "ascii", "byte E9 at offset 10, line 2"),
    "declared cp1252": (b"id,name\n1,\xe9\r\n2,\x81\r\n", "cp1252", "byte 81 at offset 15, line 3"),
    "declared shift-jis": (b"id,name\n1,\xfd\xff\n", "shift_jis", "byte FD at offset 10, line 2"),
    "mark and other bytes": (b"\xef\xbb\xbfid\n\xe9\n", None, "byte E9 at offset 6, line 2"),
    "odd utf-16": (b"\xff\xfei\x00d\x00\n\x00x", None, "byte 78 at offset 8"),
    "no guess fits": (b"id,name\n1,\x81\n", None, "say in the definition which encoding it has"),
    "unknown codec": (b"id\n1\n", "klingon", "'klingon' is no encoding"),
    "codec of bytes": (b"id\n1\n", "base64", "'base64' is no encoding"),
    "half a pair": (b"id\n\\ud800\n", "unicode_escape", "can't be read as unicode"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bytes_that_are_no_text_are_refused_with_their_place(name, table):
    content, declared, reason = REFUSED[name]
    with pytest.raises(FileRefusedError) as refused:
        table(content, encoding=declared)
    assert refused.value.code == "file.encoding"
    assert reason in str(refused.value)
