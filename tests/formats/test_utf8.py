"""Bytes of UTF-8 are told from others, in pieces that part no character."""

import pytest
from hypothesis import example, given, strategies as st

from formats.encoding import find_encoding
from formats.utf8 import verify_utf8, whole_characters

PIECES = (b"a", b"\n", "é".encode(), "€".encode(), "😀".encode(), b"\xe2\x82", b"\xf0\x9f", b"\x80", b"\xff")
contents = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4))).map(b"".join)


def fault_of(data):
    """Offset of the first byte that Python can't decode; None where there is none."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


@given(contents, st.integers(1, 6))
@example("€".encode() * 3, 1)
@example(b"a\xed\xa0\x80", 2)
def test_the_first_wrong_byte_is_found_whatever_the_pieces(tmp_path_factory, data, piece_bytes):
    path = tmp_path_factory.getbasetemp() / "some.txt"
    path.write_bytes(data)
    pieces = list(whole_characters(path, piece_bytes))
    done = 0
    fault = None
    for piece in pieces:
        try:
            verify_utf8(piece)
        except UnicodeDecodeError as error:
            fault = done + error.start
            break
        done += len(piece)
    assert fault == fault_of(data)
    assert b"".join(pieces) == data


@pytest.mark.parametrize("offset", [262_143, 262_144, 1_048_575])
def test_a_character_that_lies_across_two_pieces_is_no_fault(tmp_path, offset):
    path = tmp_path / "long.csv"
    path.write_bytes(b"x" * offset + "€\n".encode())
    assert find_encoding(path, None).codec == "utf-8"
    path.write_bytes(b"x" * offset + b"\xe2\x82\n")
    assert f"byte E2 at offset {offset}, line 1" in find_encoding(path, None).notes[0]
