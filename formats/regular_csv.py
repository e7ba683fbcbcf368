"""The quick way through delimited text: windows in which every record is well formed, told by byte positions.

A window that is irregular in any way is none of this module's business: `formats.csv_records` splits it
exactly. What is regular is split by polars, which would take the whole file down with one bad record.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from formats.csv_records import OPEN_QUOTE_CHARS

_QUOTE, _LF, _CR = ord('"'), ord("\n"), ord("\r")
_MARK = "\ufeff".encode()

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MAY_BEGIN_BLANK: Flags = np.isin(np.arange(256), (*range(0x21), _QUOTE, 0xC2, 0xE1, 0xE2, 0xE3))
"""By the first byte inside a cell: False where the cell is not blank for certain."""


@dataclass(frozen=True)
class RegularRecords:
    """Records of one width, one after the other, at the beginning of a window.

    Attributes:
        data: the window, in UTF-8.
        cell_ends: (n_records, width) 0-based positions of what stands behind each cell: a separator, and behind
            the last one a line end or the end of the window.
        inner_line_ends: positions of the line ends inside quotes.
        is_quoted: False where no record has a quote.
    """

    data: bytes
    delimiter: str
    cell_ends: Positions
    inner_line_ends: Positions
    is_quoted: bool

    @property
    def height(self) -> int:
        """How many records there are."""
        return len(self.cell_ends)

    @property
    def line_ends(self) -> int:
        """Physical lines that the records take in all."""
        return self.height + len(self.inner_line_ends)

    @property
    def rest(self) -> bytes:
        """The text behind the records: one that the next window may complete."""
        return self.data[self._end :]

    @property
    def lines(self) -> pl.Series:
        """(n_records,) physical lines of the window before the one where the record begins."""
        lines = pl.int_range(self.height, dtype=pl.UInt32, eager=True)
        if not len(self.inner_line_ends):
            return lines
        return lines + pl.Series(np.searchsorted(self.inner_line_ends, self._starts)).cast(pl.UInt32)

    @cached_property
    def cells(self) -> pl.DataFrame | None:
        """(n_records, width) String, named by position; null or `""` where a cell is blank.

        None where polars finds other records, or bytes that are no UTF-8.
        """
        try:
            cells = pl.read_csv(
                self.data[: self._end],
                has_header=False,
                separator=self.delimiter,
                quote_char='"' if self.is_quoted else None,
                schema={str(index): pl.String for index in range(self.cell_ends.shape[1])},
            )
        except pl.exceptions.ComputeError:
            return None
        return cells if cells.height == self.height else None

    @cached_property
    def may_have_blank_rows(self) -> bool:
        """False where every record has a cell that is not blank for certain."""
        doubtful = np.flatnonzero(self._may_be_blank(self._starts, self.cell_ends[:, 0]))
        for column in range(1, self.cell_ends.shape[1] if len(doubtful) else 0):
            starts, ends = self.cell_ends[doubtful, column - 1] + 1, self.cell_ends[doubtful, column]
            doubtful = doubtful[self._may_be_blank(starts, ends)]
        return bool(len(doubtful))

    @property
    def doubtful_columns(self) -> list[str]:
        """The columns of `cells` in which a blank cell may be something else than null."""
        starts = np.empty_like(self.cell_ends)
        starts[:, 0], starts[:, 1:] = self._starts, self.cell_ends[:, :-1] + 1
        doubtful = _MAY_BEGIN_BLANK[self._first_bytes(starts)] & (starts < self.cell_ends)
        return [str(column) for column in np.flatnonzero(doubtful.any(axis=0))]

    @property
    def _end(self) -> int:
        return int(self.cell_ends[-1, -1]) + 1

    @cached_property
    def _starts(self) -> Positions:
        """Where each record begins."""
        return np.append(0, self.cell_ends[:-1, -1] + 1)

    def _may_be_blank(self, starts: Positions, ends: Positions) -> Flags:
        flags: Flags = (starts == ends) | _MAY_BEGIN_BLANK[self._first_bytes(starts)]
        return flags

    def _first_bytes(self, starts: Positions) -> Bytes:
        """What stands first in the cells that begin there, inside the quotes; any byte for empty ones."""
        array = np.frombuffer(self.data, dtype=np.uint8)
        first = array.take(starts, mode="clip")
        if self.is_quoted:
            first = np.where(first == _QUOTE, array.take(starts + 1, mode="clip"), first)
        return first


def regular_records(data: bytes, delimiter: str, width: int) -> RegularRecords | None:
    """The records of a window of whole physical lines; None where one of them is not regular.

    Regular is: `width` cells, none longer than a reader should take, quotes around whole cells only and
    doubled inside them, no CR but before an LF; and no mark of byte order at its beginning, which polars drops.

    Args:
        data: in UTF-8.
    """
    if not data or not delimiter.isascii() or data.startswith(_MARK) or _has_bare_cr(data):
        return None
    array = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(array == _QUOTE)
    borders = _borders(array, ord(delimiter))
    inside = _inside(quotes, borders)
    outer, inner = borders[~inside], borders[inside]
    end_places = np.flatnonzero(array.take(outer, mode="clip") == _LF)
    if len(outer) and outer[-1] == len(array):
        end_places = np.append(end_places[end_places < len(outer) - 1], len(outer) - 1)
    if not len(end_places) or (np.diff(end_places, prepend=-1) != width).any():
        return None
    cell_ends = outer[: end_places[-1] + 1].reshape(-1, width)
    end = int(cell_ends[-1, -1]) + 1
    quotes = quotes[quotes < end]
    longest = max(int(np.diff(cell_ends[:, -1], prepend=-1).max()), len(array) - end)
    if longest > OPEN_QUOTE_CHARS or not _are_well_placed(array, quotes, ord(delimiter)):
        return None
    inner_line_ends = inner[(inner < end) & (array.take(inner, mode="clip") == _LF)]
    return RegularRecords(data, delimiter, cell_ends, inner_line_ends, is_quoted=bool(len(quotes)))


def _has_bare_cr(data: bytes) -> bool:
    return b"\r" in data and data.count(b"\r") != data.count(b"\r\n")


def _borders(array: Bytes, separator: int) -> Positions:
    """Where separators and line ends stand; the end of the window is the end of a line, too."""
    is_border = array == separator
    is_border |= array == _LF
    borders = np.flatnonzero(is_border)
    return borders if len(array) and array[-1] == _LF else np.append(borders, len(array))


def _inside(quotes: Positions, borders: Positions) -> Flags:
    """Which of the borders stand inside of quotes."""
    before = np.searchsorted(borders, quotes)
    if len(before) % 2:
        before = np.append(before, len(borders))  # never closed
    around = before[0::2] != before[1::2]
    if not around.any():
        return np.zeros(len(borders), dtype=np.bool_)
    depth = np.zeros(len(borders) + 1, dtype=np.int8)
    np.add.at(depth, before[0::2][around], 1)
    np.subtract.at(depth, before[1::2][around], 1)
    inside: Flags = np.cumsum(depth[:-1], dtype=np.int8).astype(np.bool_)
    return inside


def _are_well_placed(array: Bytes, quotes: Positions, separator: int) -> bool:
    """Whether quotes open only where a cell begins and close only where it ends, but for doubled ones."""
    if not len(quotes):
        return True
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, array.take(opening - 1, mode="clip"), _LF)
    after = np.where(closing + 1 < len(array), array.take(closing + 1, mode="clip"), _LF)
    begins = (before == separator) | (before == _LF) | (before == _QUOTE)
    ends = (after == separator) | (after == _LF) | (after == _QUOTE) | (after == _CR)
    return bool(begins.all() and ends.all())
