"""What the workbooks of Excel have in common: one sheet, read whole as text, at its true coordinates."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import numpy as np
import polars as pl
import pyarrow as pa

from formats.blocks import finished_cells
from formats.containers import locked
from formats.escape import is_failed_rows, unescape
from formats.exact_numbers import with_exact_numbers
from formats.header_row import HEAD_ROWS, find_header_row
from formats.moments import MISREAD, PLAIN_FORMS, moment_of, shown_error
from schemas.chunk import BLOCK_ROWS
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Column, Detected, ErrorCell, StoredAs, StoredCells, TextBlock

_LONG_NUMBER = r"^-?\d{16,}$"
_SAFE_INTEGER = 2**53
_ERRORS_SCHEMA = {"row": pl.UInt32, "column": pl.Int64, "text": pl.String}


@dataclass(frozen=True)
class Sheet:
    """A sheet as text, from its row 1 on.

    Attributes:
        cells: (n_rows, n_columns), columns named by position; n_columns is 0 where no cell has a value.
        first_column: 0-based, column A being 0.
        errors: error cells; `row` 1-based, `column` 0-based in `cells`, `text` as the sheet shows it.
        visible: False for a hidden one.
    """

    cells: pl.DataFrame
    first_column: int
    errors: pl.DataFrame
    visible: bool


class Workbook:
    """Reads a workbook with fastexcel; a kind of it adds its name and how it is told from the others."""

    kind: str
    suffixes: tuple[str, ...]
    of_text = False

    def examine(self, path: Path, limits: Limits) -> None:
        """Look at the file before it is parsed.

        Raises:
            FileRefusedError: reading it would cost too much.
        """

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """The sheet, its header row and its columns, from the first that has a cell."""
        with refused_when_broken():
            self.examine(path, limits)
            name, sheet, notes = _chosen_sheet(path, options, max(options.header_row or 0, HEAD_ROWS))
        return detected_sheet(
            self.kind, name, sheet.first_column, _rows_as_shown(sheet), options, known_headers, notes
        )

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All rows below the header that have a cell; rows keep the numbers that the sheet shows."""
        del limits
        with refused_when_broken():
            reader = fastexcel.read_excel(path)
            sheet = _load(reader, detected.sheet or "")
            lost = _lost_digits(reader, detected.sheet or "", sheet)
        yield from _blocks(sheet, lost, detected)

    def stored_cells(
        self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS
    ) -> StoredCells | None:
        """How the cells of the sheet are stored."""
        del limits
        with refused_when_broken():
            reader = fastexcel.read_excel(path)
            truths, durations, texts = (
                _frame(_loaded(reader, detected.sheet or "", dtype).to_arrow())
                for dtype in ("boolean", "duration", "string")
            )
        # The reader makes a truth value of numbers too, but of no text and no moment.
        words = texts.select(pl.all().is_in(["true", "false"]).fill_null(value=False)).to_numpy()
        truth = truths.select(pl.all().is_not_null()).to_numpy()
        moment = durations.select(pl.all().is_not_null()).to_numpy()
        kinds = [StoredAs.BOOLEAN.value, StoredAs.NUMBER.value, StoredAs.MOMENT.value]
        letters = np.select([truth & words, truth, moment], kinds, StoredAs.TEXT.value)
        whole, width = letters.astype("S1").tobytes().decode(), letters.shape[1]
        return StoredCells([whole[begin : begin + width] for begin in range(0, len(whole), width)])


def detected_sheet(
    kind: str,
    name: str,
    first_column: int,
    rows: dict[int, list[str]],
    options: FileOptions,
    known_headers: frozenset[str],
    notes: tuple[str, ...],
) -> Detected:
    """What is detected in a sheet of which the first rows are these.

    Args:
        rows: by number (1-based), blanks as `""`, from `first_column` (0-based) on.
    """
    header = find_header_row(rows, options.header_row, known_headers)
    headers = rows[header.row]
    if is_failed_rows(headers):
        headers = [unescape(text) for text in headers]
    columns = tuple(Column.at(text, first_column + i) for i, text in enumerate(headers))
    return Detected(kind, columns, header.row, sheet=name, notes=(*notes, *header.notes), canonical=True)


def named_sheet(names: list[str], wanted: str) -> str:
    """The sheet's name as the workbook spells it; case does not tell sheets apart.

    Raises:
        FileRefusedError: there is none of this name (`file.sheet`).
    """
    for name in names:
        if name.casefold() in {wanted.casefold(), excel_sheet_name(wanted).casefold()}:
            return name
    sheets = ", ".join(map(repr, names))
    raise FileRefusedError("file.sheet", f"the workbook has no sheet {wanted!r}; its sheets are {sheets}")


def excel_sheet_name(name: str) -> str:
    """The name as Excel allows it, which other programs are less strict about."""
    allowed = "".join("_" if character in "[]:*?/\\" else character for character in name)[:31].strip("'")
    return "_" if not allowed else f"{allowed}_"[:31] if allowed.casefold() == "history" else allowed


def note_of_others(name: str, names: list[str]) -> tuple[str, ...]:
    """What to say of the sheets that were not read."""
    others = [repr(other) for other in names if other != name]
    if not others:
        return ()
    return (f"the sheet {name!r} was read; the workbook has others: {', '.join(others)} (file: sheet)",)


def no_cells(wanted: str | None) -> FileRefusedError:
    """The refusal of a workbook that has nothing in the sheets that count."""
    which = f"the sheet {wanted!r} has" if wanted is not None else "the visible sheets have"
    return FileRefusedError("file.empty", f"{which} no cell with a value")


def _chosen_sheet(path: Path, options: FileOptions, n_rows: int) -> tuple[str, Sheet, tuple[str, ...]]:
    """Name and first rows of the sheet that is asked for, else of the first visible one with a cell."""
    reader = fastexcel.read_excel(path)
    names = reader.sheet_names
    wanted = [named_sheet(names, options.sheet)] if options.sheet is not None else names
    for name in wanted:
        sheet = _load(reader, name, n_rows)
        if sheet.cells.width and (sheet.visible or options.sheet is not None):
            return name, sheet, note_of_others(name, wanted)
    raise no_cells(options.sheet)


def _loaded(
    reader: fastexcel.ExcelReader,
    name: str,
    dtype: fastexcel.DType,
    n_rows: int | None = None,
    columns: list[int] | None = None,
) -> fastexcel.ExcelSheet:
    # Only without a header and with nothing skipped do the rows keep their numbers.
    return reader.load_sheet(
        name, header_row=None, skip_rows=0, n_rows=n_rows, dtypes=dtype, use_columns=columns
    )


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    cells = pl.DataFrame(pa.Table.from_batches([batch]))
    cells.columns = [str(index) for index in range(cells.width)]
    return cells


def _load(reader: fastexcel.ExcelReader, name: str, n_rows: int | None = None) -> Sheet:
    loaded = _loaded(reader, name, "string", n_rows)
    columns = loaded.available_columns()
    first_column = columns[0].absolute_index if columns else 0
    batch, cell_errors = loaded.to_arrow_with_errors()
    cells = with_exact_numbers(_frame(batch), lambda: _frame(_loaded(reader, name, "float", n_rows).to_arrow()))
    errors = [
        (e.position[0] + 1, e.position[1], shown_error(e.detail))
        for e in (cell_errors.errors if cell_errors else [])
    ]
    cells, no_dates = _with_true_moments(reader, name, n_rows, cells, first_column)
    frame = pl.DataFrame(errors + no_dates, schema=_ERRORS_SCHEMA, orient="row")
    return Sheet(cells, first_column, frame, loaded.visible == "visible")


def _with_true_moments(
    reader: fastexcel.ExcelReader, name: str, n_rows: int | None, cells: pl.DataFrame, first_column: int
) -> tuple[pl.DataFrame, list[tuple[int, int, str]]]:
    """The cells with every moment in its canonical form, and the dates that are none (row, column, text).

    The reader gives a duration as the date that lies so far behind the first day. Where a column has a date as
    early as that, the cells of the column are asked for their own type; anything else would cost too much.
    """
    early = cells.select(pl.all().str.contains(MISREAD).any())
    suspects = [int(column) for column in early.columns if early[column][0]]
    for pattern, replacement in PLAIN_FORMS:
        cells = cells.with_columns(pl.all().str.replace(pattern, replacement))
    if not suspects:
        return cells, []
    asked = _loaded(reader, name, "boolean", n_rows, [first_column + column for column in suspects])
    found = asked.to_arrow_with_errors()[1]
    corrected: dict[int, dict[int, str]] = {column: {} for column in suspects}
    no_dates = []
    for error in found.errors if found else []:
        row, column = error.position
        text, is_moment = moment_of(error.detail)
        if text is not None:
            corrected[column][row] = text if is_moment else ""
        if text is not None and not is_moment:
            no_dates.append((row + 1, column, text))
    series = [
        cells[str(column)].scatter(list(texts), list(texts.values())) for column, texts in corrected.items()
    ]
    return cells.with_columns(series), no_dates


def _lost_digits(reader: fastexcel.ExcelReader, name: str, sheet: Sheet) -> pl.DataFrame:
    """The whole numbers beyond 2^53 that are no text; `row` 1-based, `column` 0-based."""
    long = sheet.cells.select(pl.all().str.contains(_LONG_NUMBER).any())
    found: list[tuple[int, int]] = []
    for column in (int(c) for c in long.columns if long[c][0]):
        texts = sheet.cells[str(column)]
        numbers = texts.set(~texts.str.contains(_LONG_NUMBER).fill_null(value=False), None).cast(pl.Float64)
        # A truth value can be made of a number, but not of digits that stand as text.
        stored = _frame(_loaded(reader, name, "boolean", columns=[sheet.first_column + column]).to_arrow())["0"]
        beyond = (numbers.abs() >= _SAFE_INTEGER) & stored.is_not_null()
        found += [(row + 1, column) for row in beyond.fill_null(value=False).arg_true()]
    return pl.DataFrame(found, schema={"row": pl.UInt32, "column": pl.Int64}, orient="row")


def _rows_as_shown(sheet: Sheet) -> dict[int, list[str]]:
    """Rows by number (1-based) with blanks as `""` and error cells as the sheet shows them."""
    rows = {number: [cell or "" for cell in row] for number, row in enumerate(sheet.cells.iter_rows(), 1)}
    for number, column, text in sheet.errors.iter_rows():
        rows[number][column] = text
    return rows


def _blocks(sheet: Sheet, lost: pl.DataFrame, detected: Detected) -> Iterator[TextBlock]:
    cells = finished_cells(sheet.cells, detected).with_row_index("row", offset=1)
    has_error = pl.col("row").is_in(sheet.errors["row"].unique().implode())
    is_blank = pl.all_horizontal(pl.exclude("row").is_null()) & ~has_error
    table = cells.filter((pl.col("row") > (detected.header_row or 0)) & ~is_blank)
    ordinals = table.select("row").with_row_index("ordinal")
    errors = ordinals.join(sheet.errors, on="row").sort("ordinal", "column")
    lost = ordinals.join(lost, on="row").sort("ordinal", "column")
    for first in range(0, table.height, BLOCK_ROWS):
        block = table.slice(first, BLOCK_ROWS)
        inside = pl.col("ordinal").is_between(first, first + BLOCK_ROWS - 1)
        wrong = errors.filter(inside).select("ordinal", "column", "text")
        yield TextBlock(
            first_ordinal=first,
            cells=block.drop("row"),
            rows=block["row"].cast(pl.UInt32),
            error_cells=tuple(ErrorCell(o, c, t) for o, c, t in wrong.iter_rows()),
            lost_digits=tuple((o, c) for o, c in lost.filter(inside).select("ordinal", "column").iter_rows()),
        )


@contextmanager
def refused_when_broken() -> Iterator[None]:
    """Any failure to take the workbook apart as a FileRefusedError (`file.unreadable`)."""
    try:
        yield
    except FileRefusedError:
        raise
    except BaseException as e:
        # A panic of the reader (Rust) derives from BaseException and has no importable class.
        if not isinstance(e, Exception) and type(e).__name__ != "PanicException":
            raise
        if "password" in str(e).partition("\n")[0].lower():
            raise locked() from e
        raise FileRefusedError("file.unreadable", f"the workbook can't be read: {_reason(e)}") from e


def _reason(error: BaseException) -> str:
    """Why the workbook can't be read, in words where the reader's own would not help."""
    told = str(error).split("\n", 1)[0].removeprefix("calamine error: ")
    told = told.partition(" error: ")[2] or told
    if isinstance(error, zipfile.BadZipFile) or not isinstance(error, Exception) or "Cannot detect" in told:
        return f"it is cut off or broken ({told})"
    return f"{told}; correct it in the program that made it and save it anew"
