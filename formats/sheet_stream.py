"""The cells of one sheet as text, a few thousand rows at a time, at their true coordinates."""

import re
import zipfile
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa
from fastexcel import CellError

from formats.sheet_addresses import addressed
from formats.sheet_durations import spell_durations
from formats.sheet_markup import PIECE_BYTES, pieces
from formats.sheet_strings import SharedStrings, mark_shared
from formats.sheet_workbook import Frame, Sheet
from schemas.row_error import column_letter

CELLS_AT_ONCE = 1_000_000
"""The reader makes room for every cell of the rectangle that it is given, filled or not."""

_THREADS = 2
_AHEAD = 3
_ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}
_ERROR_DETAIL = re.compile(r"Error\((\w+)\)")
_DATE_DETAIL = re.compile(r"ExcelDateTime \{ value: ([-\d.eE+]+)")
_MIDNIGHT = r"^\d{4}-\d{2}-\d{2} 00:00:00$"
_TIME = r"^.{10} \d{2}:\d{2}:\d{2}(\.\d+)?$"


@dataclass(frozen=True)
class SheetRows:
    """Consecutive rows of a sheet.

    Attributes:
        cells: (n_rows, n_columns) String; named by position among the columns that were asked for; null
            where there is no cell.
        rows: (n_rows,) UInt32, 1-based, ascending by one.
        errors: error cells; `row` 1-based, `column` 0-based in `cells`, `text` as the sheet shows it.
    """

    cells: pl.DataFrame
    rows: pl.Series
    errors: pl.DataFrame


def sheet_rows(
    archive: zipfile.ZipFile,
    frame: Frame,
    sheet: Sheet,
    texts: SharedStrings,
    columns: range,
    piece_bytes: int = PIECE_BYTES,
) -> Generator[SheetRows, None, None]:
    """All rows of the sheet that may have a cell, in order; blank ones may be left out.

    Args:
        columns: 0-based; cells in others are not given.

    Raises:
        FileRefusedError: the sheet can't be taken apart, or cells share a text that is not there.
    """
    waiting: deque[Future[SheetRows]] = deque()
    most_rows = max(CELLS_AT_ONCE // max(len(columns), 1), 1)
    found = pieces(archive, sheet.part, "sheetData", "row", piece_bytes)
    with closing(found), ThreadPoolExecutor(_THREADS) as pool:
        for first_row, rows in _parts(found, most_rows):
            waiting.append(pool.submit(_read, frame, sheet, columns, first_row, rows))
            if len(waiting) > _AHEAD:
                yield _with_texts(waiting.popleft().result(), texts)
        while waiting:
            yield _with_texts(waiting.popleft().result(), texts)


def _parts(found: Iterator[bytes], most_rows: int) -> Iterator[tuple[int, bytes]]:
    """The rows of the sheet as XML, no more than `most_rows` at once, and the number of the first of them."""
    row = 0
    for piece in found:
        rows, addresses = addressed(piece, row)
        if not addresses.rows.size:
            continue
        row = int(addresses.rows[-1])
        group = (addresses.rows - addresses.rows[0]) // most_rows
        begins = np.flatnonzero(np.diff(group, prepend=-1))
        places = addresses.row_places[begins].tolist()
        for begin, place, end in zip(begins, places, [*places[1:], len(rows)], strict=True):
            yield int(addresses.rows[begin]), rows[place:end]


def _read(frame: Frame, sheet: Sheet, columns: range, first_row: int, rows: bytes) -> SheetRows:
    """These rows, with marks where texts are shared."""
    rows = mark_shared(spell_durations(rows, frame.duration_styles), frame.mark)
    reader = frame.holding(sheet, _anchor(first_row - 1, columns) + rows)
    # The reader begins with the first row that has a cell; what it is told to skip, it would make room for.
    skip = 0 if first_row == 1 else None
    found = reader.load_sheet(sheet.name, header_row=None, skip_rows=skip, dtypes="string")
    places = [column.absolute_index for column in found.available_columns()]
    batch, failures = found.to_arrow_with_errors()
    cells = _placed(pl.DataFrame(pa.Table.from_batches([batch])), places, columns)
    above = 0 if first_row == 1 else 1
    cells = _canonical(cells.slice(above), frame.day_zero)
    numbers = pl.int_range(first_row, first_row + cells.height, dtype=pl.UInt32, eager=True).alias("row")
    errors = _errors(failures.errors if failures else [], first_row - above, places, columns)
    return SheetRows(cells, numbers, errors)


def _anchor(row: int, columns: range) -> bytes:
    """A row with one cell, so that the reader begins there; nothing above the first row of the sheet."""
    if not row:
        return b""
    cell = f"{column_letter(columns[0])}{row}"
    return f'<row r="{row}"><c r="{cell}" t="str"><v>-</v></c></row>'.encode()


def _placed(cells: pl.DataFrame, places: list[int], columns: range) -> pl.DataFrame:
    """The cells in the columns that were asked for, whichever of them have one here."""
    found = dict(zip(places, cells.iter_columns(), strict=True))
    blank = pl.Series([None], dtype=pl.String).new_from_index(0, cells.height)
    return pl.DataFrame([found.get(column, blank).alias(str(i)) for i, column in enumerate(columns)])


def _errors(failures: list[CellError], origin: int, places: list[int], columns: range) -> pl.DataFrame:
    """The cells that could not be read as text; `origin` is the number of the reader's first row."""
    found = [
        (origin + row, columns.index(places[column]), _shown(failure.detail))
        for failure in failures
        for row, column in [failure.offset_position]
        if places[column] in columns
    ]
    return pl.DataFrame(found, schema={"row": pl.UInt32, "column": pl.Int64, "text": pl.String}, orient="row")


def _shown(detail: str) -> str:
    """What the sheet shows in a cell of which the reader says this."""
    if error := _ERROR_DETAIL.search(detail):
        return _ERRORS.get(error[1], f"#{error[1].upper()}!")
    if date := _DATE_DETAIL.search(detail):
        return f"##### ({date[1]} is no date)"
    return detail


def _canonical(cells: pl.DataFrame, day_zero: str) -> pl.DataFrame:
    """Dates without the midnight, and times without the day, that the reader gives them."""
    cell = pl.all()
    return cells.with_columns(
        pl.when(cell.str.starts_with(day_zero) & cell.str.contains(_TIME))
        .then(cell.str.slice(len(day_zero) + 1))
        .when(cell.str.contains(_MIDNIGHT))
        .then(cell.str.head(len("2024-02-29")))
        .otherwise(cell)
    )


def _with_texts(found: SheetRows, texts: SharedStrings) -> SheetRows:
    return replace(found, cells=texts.put_into(found.cells))
