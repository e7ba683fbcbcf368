"""The quick way through delimited text: windows in which every record is well formed, told by byte positions.

A window that is irregular in any way is none of this module's business: `formats.csv_records` splits it
exactly. What is regular is split by polars, which would take the whole file down with one bad record.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from formats.csv_records import OPEN_QUOTE_CHARS

_QUOTE, _LF = ord('"'), ord("\n")
_MARK = "\ufeff"
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RegularRecords:
    """Records of one width, one after the other.

    Attributes:
        cells: (n_records, width) String, named by position; null or `""` where a cell is blank.
        lines: (n_records,) physical lines of the window before the one where the record begins.
        line_ends: physical lines that the records take in all.
        rest: the text behind them: a record that the next window may complete.
    """

    cells: pl.DataFrame
    lines: pl.Series
    line_ends: int
    rest: str


def regular_records(text: str, delimiter: str, width: int) -> RegularRecords | None:
    """The records of a window of whole physical lines; None where one of them is not regular.

    Regular is: `width` cells, none longer than a reader should take, quotes around whole cells only and
    doubled inside them, no CR but before an LF; and no mark of byte order at its beginning, which polars drops.
    """
    if not delimiter.isascii() or text.startswith(_MARK) or text.count("\r") != text.count("\r\n"):
        return None
    data = text.encode()
    array = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(array == _QUOTE)
    line_ends = np.flatnonzero(array == _LF)
    if not data.endswith(b"\n"):
        line_ends = np.append(line_ends, len(array))
    ends = line_ends[_outside(quotes, line_ends)]
    if not len(ends) or len(array) - ends[-1] > OPEN_QUOTE_CHARS:
        return None
    end = int(ends[-1]) + 1
    quotes = quotes[quotes < end]
    separators = np.flatnonzero(array[:end] == ord(delimiter))
    separators = separators[_outside(quotes, separators)]
    if not _have_width(separators, ends, width) or not _are_well_placed(array, quotes, ord(delimiter)):
        return None
    return _split(data, end, ends, line_ends, delimiter, width, quoted=bool(len(quotes)))


def _outside(quotes: Positions, positions: Positions) -> npt.NDArray[np.bool_]:
    """Which of the positions stand outside of quotes."""
    if not len(quotes):
        return np.ones(len(positions), dtype=np.bool_)
    outside: npt.NDArray[np.bool_] = np.searchsorted(quotes, positions) % 2 == 0
    return outside


def _have_width(separators: Positions, ends: Positions, width: int) -> bool:
    """Whether each record has one separator less than cells, and is no longer than a cell may be."""
    if len(separators) != (width - 1) * len(ends):
        return False
    if np.diff(ends, prepend=-1).max() > OPEN_QUOTE_CHARS:
        return False
    if width == 1:
        return True
    by_record = separators.reshape(len(ends), width - 1)
    starts = np.append(0, ends[:-1])
    return bool((by_record[:, 0] >= starts).all() and (by_record[:, -1] < ends).all())


def _are_well_placed(array: npt.NDArray[np.uint8], quotes: Positions, separator: int) -> bool:
    """Whether quotes open only where a cell begins and close only where it ends, but for doubled ones."""
    if not len(quotes):
        return True
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, array[opening - 1], _LF)
    after = array[np.minimum(closing + 1, len(array) - 1)]
    at_end = closing + 1 >= len(array)
    begins = np.isin(before, (separator, _LF, _QUOTE))
    ends = at_end | np.isin(after, (separator, _LF, _QUOTE, ord("\r")))
    return bool(begins.all() and ends.all())


def _split(
    data: bytes, end: int, ends: Positions, line_ends: Positions, delimiter: str, width: int, *, quoted: bool
) -> RegularRecords | None:
    cells = pl.read_csv(
        data[:end],
        has_header=False,
        separator=delimiter,
        quote_char='"' if quoted else None,
        schema={str(index): pl.String for index in range(width)},
    )
    if cells.height != len(ends):
        return None
    starts = np.append(0, ends[:-1] + 1)
    lines = pl.Series(np.searchsorted(line_ends, starts)).cast(pl.UInt32)
    taken = int(np.searchsorted(line_ends, end))
    return RegularRecords(cells, lines, taken, data[end:].decode())
