"""The cells of one sheet as text, a few thousand rows at a time, at their true coordinates."""

import zipfile
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import polars as pl

from formats.exact_numbers import long_columns
from formats.loaded_sheet import LoadedSheet, SheetSource
from formats.sheet_addresses import addressed
from formats.sheet_errors import mark_new_errors, with_new_errors
from formats.sheet_markup import PIECE_BYTES, pieces
from formats.sheet_rows import SheetRows, row_numbers
from formats.sheet_strings import SharedStrings, mark_shared
from formats.sheet_workbook import Frame, Sheet
from schemas.row_error import column_letter
from schemas.text_table import StoredAs

CELLS_AT_ONCE = 1_000_000
"""The reader makes room for every cell of the rectangle that it is given, filled or not."""

_THREADS = 2
_AHEAD = 3
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class _Piece:
    """Whole rows of the sheet as XML.

    Attributes:
        first_row: 1-based.
        long_columns: 0-based; those where a number has more decimals than the reader gives as text.
    """

    first_row: int
    xml: bytes
    long_columns: frozenset[int]


@dataclass(frozen=True)
class SheetStream:
    """A sheet of which no more is in memory than a few pieces.

    Attributes:
        columns: 0-based; cells in others are not given.
        piece_bytes: how much XML is taken apart at once.
    """

    archive: zipfile.ZipFile
    frame: Frame
    sheet: Sheet
    columns: range
    piece_bytes: int = PIECE_BYTES

    def rows(self, texts: SharedStrings) -> Generator[SheetRows, None, None]:
        """All rows that may have a cell, in order; blank ones may be left out.

        Raises:
            FileRefusedError: the sheet can't be taken apart, or cells share a text that is not there.
        """
        with closing(self._each(self._read)) as parts:
            for part in parts:
                yield replace(part, cells=texts.put_into(part.cells))

    def stored(self) -> Generator[tuple[int, list[str]], None, None]:
        """How the cells of these rows are stored: the number of the first, and the letters of each.

        Raises:
            FileRefusedError: the sheet can't be taken apart.
        """
        return self._each(self._stored)

    def _each(self, work: Callable[[_Piece], _Read]) -> Generator[_Read, None, None]:
        """What the work makes of each piece, in order, a few pieces ahead."""
        waiting: deque[Future[_Read]] = deque()
        found = pieces(self.archive, self.sheet.part, "sheetData", "row", self.piece_bytes)
        with closing(found), ThreadPoolExecutor(_THREADS) as pool:
            for piece in _parts(found, max(CELLS_AT_ONCE // max(len(self.columns), 1), 1)):
                waiting.append(pool.submit(work, piece))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _read(self, piece: _Piece) -> SheetRows:
        """These rows, with marks where texts are shared."""
        loaded = self._source(piece).load(piece.long_columns)
        above = _rows_above(piece)
        cells = self._placed(loaded.cells.slice(above), loaded.first_column)
        errors = self._errors(loaded, piece.first_row - above)
        rows = SheetRows(cells, row_numbers(piece.first_row, cells.height), errors)
        return with_new_errors(rows, self.frame.error_mark)

    def _stored(self, piece: _Piece) -> tuple[int, list[str]]:
        first, rows = self._source(piece).stored()
        before, width, blank = first - self.columns[0], len(self.columns), StoredAs.TEXT.value
        letters = (f"{blank * before}{row}".ljust(width, blank) for row in rows[_rows_above(piece) :])
        return piece.first_row, list(letters)

    def _source(self, piece: _Piece) -> SheetSource:
        """The piece as the reader takes it, with a row above it that begins in the first column."""
        rows = mark_new_errors(mark_shared(piece.xml, self.frame.mark), self.frame.error_mark)
        anchor = b""
        if _rows_above(piece):
            row = piece.first_row - 1
            cell = f"{column_letter(self.columns[0])}{row}"
            anchor = f'<row r="{row}"><c r="{cell}" t="str"><v>-</v></c></row>'.encode()
        # What the reader is told to skip, it would make room for.
        reader = self.frame.holding(self.sheet, anchor + rows)
        return SheetSource(reader, self.sheet.name, from_first_row=not anchor)

    def _placed(self, cells: pl.DataFrame, first_column: int) -> pl.DataFrame:
        """The cells in the columns that were asked for, whichever of them have one here."""
        found = dict(enumerate(cells.iter_columns(), first_column))
        blank = pl.Series([None], dtype=pl.String).new_from_index(0, cells.height)
        return pl.DataFrame([found.get(place, blank).alias(str(i)) for i, place in enumerate(self.columns)])

    def _errors(self, loaded: LoadedSheet, first_row: int) -> pl.DataFrame:
        """The error cells at their places in the sheet's rows and the columns that were asked for."""
        row = (pl.col("row") + first_row).cast(pl.UInt32)
        column = pl.col("column") + (loaded.first_column - self.columns[0])
        errors = loaded.errors.with_columns(row, column)
        return errors.filter(pl.col("column").is_between(0, len(self.columns) - 1))


def _rows_above(piece: _Piece) -> int:
    """How many rows are put above the piece so that the reader begins there; none above row 1."""
    return 0 if piece.first_row == 1 else 1


def _parts(found: Iterator[bytes], most_rows: int) -> Iterator[_Piece]:
    """The rows of the sheet, no more than `most_rows` at once."""
    row = 0
    for piece in found:
        rows, addresses = addressed(piece, row)
        if not addresses.rows.size:
            continue
        row = int(addresses.rows[-1])
        long = long_columns(rows, addresses)
        group = (addresses.rows - addresses.rows[0]) // most_rows
        begins = np.flatnonzero(np.diff(group, prepend=-1))
        places = addresses.row_places[begins].tolist()
        for begin, place, end in zip(begins, places, [*places[1:], len(rows)], strict=True):
            yield _Piece(int(addresses.rows[begin]), rows[place:end], long)
