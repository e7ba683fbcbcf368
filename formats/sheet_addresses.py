"""Where the cells of a piece of a sheet's XML stand: all addresses at once, as arrays."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import FileRefusedError
from schemas.row_error import column_index, column_letter

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384

_Places = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]
_PADDING = bytes(32)
_SLICE_BYTES = 512 * 1024  # what stays in the processor's cache
_ENDS_NAME = np.zeros(256, dtype=np.bool_)
_ENDS_NAME[list(b" \t\r\n/>")] = True
_KNOWN_TAGS = np.zeros(256, dtype=np.bool_)
_KNOWN_TAGS[list(b"cvft")] = True
_PREFIXED = re.compile(rb"<[^\s<>/:]+:(?:c|row)[\s/>]")
_TAG = re.compile(rb"""<(c|row)((?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/?)>""")
_ATTRIBUTE = re.compile(rb"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ADDRESS = re.compile(rb"([A-Za-z]+)([0-9]+)")


@dataclass(frozen=True)
class Addresses:
    """Rows and cells of a piece of XML, in their order.

    Attributes:
        row_places: (n_rows,) offsets in the XML where the rows begin.
        rows: (n_rows,) 1-based, ascending.
        cell_places: (n_cells,) offsets in the XML of the cells' tag names.
        cell_rows, cell_columns: (n_cells,) 1-based and 0-based.
    """

    row_places: _Places
    rows: _Places
    cell_places: _Places
    cell_rows: _Places
    cell_columns: _Places


def addressed(xml: bytes, row_before: int) -> tuple[bytes, Addresses]:
    """The piece of XML, with an address in each cell and row, and these addresses.

    Args:
        xml: whole rows.
        row_before: 1-based number of the last row above them; 0 at the top.

    Raises:
        FileRefusedError: an address is none, stands in another row, or out of order (`file.unreadable`).
    """
    found = None if b"='" in xml else _addresses(xml)
    if found is None:
        xml = _spelt_out(xml, row_before)
        found = _addresses(xml)
    if found is None:
        raise _refusal("cells that can't be told apart")
    if not (np.diff(found.rows, prepend=row_before) > 0).all():
        raise _refusal("rows out of order")
    return xml, found


def filled_cells(xml: bytes, addresses: Addresses) -> npt.NDArray[np.bool_]:
    """(n_cells,) False where a cell holds nothing but a format; in doubt, it holds something."""
    text = np.frombuffer(xml + _PADDING, dtype=np.uint8)
    cells = addresses.cell_places
    ends = np.append(np.flatnonzero(text == ord(">")), text.size - 3)
    end = ends[np.searchsorted(ends, cells)]
    blank: npt.NDArray[np.bool_] = (text[end - 1] == ord("/")) | (
        (text[end + 1] == ord("<")) & (text[end + 2] == ord("/"))
    )
    if blank.any():
        # The tag goes on behind a `>` that stands in quotes.
        quotes = np.cumsum(text == ord('"'), dtype=np.int32)
        blank &= (quotes[end] - quotes[cells]) % 2 == 0
    return ~blank


def _addresses(xml: bytes) -> Addresses | None:
    """The addresses; None where one is missing or not written the way that almost all programs do."""
    found: list[tuple[_Places, ...]] = []
    begin = 0
    while begin < len(xml) or not found:
        end = xml.rfind(b"<row", begin + 1, begin + _SLICE_BYTES) if len(xml) > begin + _SLICE_BYTES else -1
        end = end if end > 0 else len(xml)
        part = _addresses_of_slice(xml[begin:end], begin)
        if part is None:
            return None
        found.append(part)
        begin = end
    return Addresses(*map(np.concatenate, zip(*found, strict=True)))


def _addresses_of_slice(xml: bytes, begin: int) -> tuple[_Places, ...] | None:
    """What `Addresses` is made of, for whole rows that begin at this offset."""
    text = np.frombuffer(xml + _PADDING, dtype=np.uint8)
    names = np.flatnonzero(text == ord("<")) + 1
    first = text[names]
    names, first = names[first != ord("/")], first[first != ord("/")]
    second, third = text[names + 1], text[names + 2]
    is_cell = (first == ord("c")) & _ENDS_NAME[second]
    is_row = (first == ord("r")) & (second == ord("o")) & (third == ord("w"))
    is_inline = (first == ord("i")) & (second == ord("s")) & _ENDS_NAME[third]
    known = is_row | is_inline | (_KNOWN_TAGS[first] & _ENDS_NAME[second])
    if not known.all() and _PREFIXED.search(xml):
        raise _refusal("cells that can't be told apart")
    cells, rows = names[is_cell], names[is_row]
    numbers = _numbers(text, rows + 3)
    places = _cell_places(text, cells + 1)
    if numbers is None or places is None or (cells.size and not rows.size):
        return None
    cell_rows, cell_columns = places
    own = np.searchsorted(rows, cells) - 1
    if (own < 0).any() or (numbers[own] != cell_rows).any():
        return None
    return rows - 1 + begin, numbers, cells + begin, cell_rows, cell_columns


def _numbers(text: _Bytes, at: _Places) -> _Places | None:
    """The row numbers in `r` attributes that begin `at` these places."""
    digits = _values(text, at)
    return None if digits is None else _digits(text, digits)


def _cell_places(text: _Bytes, at: _Places) -> tuple[_Places, _Places] | None:
    """Row numbers and 0-based columns in `r` attributes that begin `at` these places."""
    letters = _values(text, at)
    if letters is None:
        return None
    columns, place = np.zeros(at.size, dtype=np.int64), letters
    for _ in range(3):
        value = text[place].astype(np.int64) - (ord("A") - 1)
        is_letter = (value >= 1) & (value <= 26)
        columns = np.where(is_letter, columns * 26 + value, columns)
        place = place + is_letter
    rows = _digits(text, place)
    if rows is None or (columns < 1).any() or (columns > LAST_COLUMN).any():
        return None
    return rows, columns - 1


def _values(text: _Bytes, at: _Places) -> _Places | None:
    """Where the values begin of attributes that must read ` r="`."""
    matches = [(text[at + offset] == letter).all() for offset, letter in enumerate(b' r="')]
    return at + 4 if all(matches) else None


def _digits(text: _Bytes, place: _Places) -> _Places | None:
    """The numbers that begin at these places and end with a quote."""
    numbers = np.zeros(place.size, dtype=np.int64)
    for _ in range(7):
        value = text[place] - np.uint8(ord("0"))
        is_digit = value < 10
        numbers = np.where(is_digit, numbers * 10 + value, numbers)
        place = place + is_digit
    whole = (text[place] == ord('"')) & (numbers >= 1) & (numbers <= LAST_ROW)
    return numbers if whole.all() else None


def _spelt_out(xml: bytes, row_before: int) -> bytes:
    """The XML with each row and cell tag in the usual form; positions count where no address stands."""
    row, column = row_before, 0

    def spell(tag: re.Match[bytes]) -> bytes:
        nonlocal row, column
        name, attributes, end = tag.groups()
        known = {key: double or single for key, double, single in _ATTRIBUTE.findall(attributes)}
        if name == b"row":
            row, column = _row_number(known.get(b"r"), row), 0
            return b'<row r="%d"%s>' % (row, end)
        column = _column_number(known.get(b"r"), row, column)
        kept = b"".join(b' %s="%s"' % (key, known[key]) for key in (b"s", b"t") if key in known)
        return b'<c r="%s%d"%s%s>' % (column_letter(column - 1).encode(), row, kept, end)

    return _TAG.sub(spell, xml)


def _row_number(told: bytes | None, before: int) -> int:
    if told is not None and not told.strip().isdigit():
        raise _refusal("a row without a number")
    row = before + 1 if told is None else int(told[:20])
    if row > LAST_ROW:
        raise _refusal("a cell below the last row that a sheet can have")
    return row


def _column_number(told: bytes | None, row: int, before: int) -> int:
    """1-based."""
    if told is None:
        number, column = row, before + 1
    elif address := _ADDRESS.fullmatch(told.strip()):
        number, column = int(address[2][:20]), column_index(address[1][:9].decode()) + 1
    else:
        raise _refusal("a cell without a place")
    if number > LAST_ROW:
        raise _refusal("a cell below the last row that a sheet can have")
    if column > LAST_COLUMN:
        raise _refusal("a cell behind the last column that a sheet can have")
    if number != row:
        raise _refusal("a cell that stands in another row")
    return column


def _refusal(what: str) -> FileRefusedError:
    return FileRefusedError("file.unreadable", f"the sheet has {what}; correct it in Excel and save it anew")
