"""What the workbooks have in common; and those of Excel that are read whole, at their true coordinates."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from formats.containers import locked
from formats.header_row import HEAD_ROWS, find_header_row
from formats.loaded_sheet import LoadedSheet, SheetSource, read_workbook
from formats.sheet_rows import SheetRows, head_rows, row_numbers, sheet_blocks
from schemas.chunk import BLOCK_ROWS
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.escape import is_failed_rows, unescape
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Column, Detected, StoredCells, TextBlock

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError)
"""Bytes that are missing, or not what they were."""


class Workbook:
    """Reads a workbook whole; a kind of it adds its name, how it is told from the others, and what it costs."""

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
        rows = head_rows(_in_parts(sheet), sheet.cells.height)
        return detected_sheet(self.kind, name, sheet.first_column, rows, options, known_headers, notes)

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All rows below the header that have a cell; rows keep the numbers that the sheet shows."""
        del limits
        with refused_when_broken():
            sheet = SheetSource(read_workbook(path), detected.sheet or "").load()
        yield from sheet_blocks(_in_parts(sheet), detected)

    def stored_cells(
        self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS
    ) -> StoredCells | None:
        """How the cells of the sheet are stored."""
        del limits
        with refused_when_broken():
            _, letters = SheetSource(read_workbook(path), detected.sheet or "").stored()
        return StoredCells(letters)


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


def _chosen_sheet(path: Path, options: FileOptions, n_rows: int) -> tuple[str, LoadedSheet, tuple[str, ...]]:
    """Name and first rows of the sheet that is asked for, else of the first visible one with a cell."""
    reader = read_workbook(path)
    names = reader.sheet_names
    wanted = [named_sheet(names, options.sheet)] if options.sheet is not None else names
    for name in wanted:
        sheet = SheetSource(reader, name, n_rows).load()
        if sheet.cells.width and (sheet.visible or options.sheet is not None):
            return name, sheet, note_of_others(name, wanted)
    raise no_cells(options.sheet)


def _in_parts(sheet: LoadedSheet) -> Iterator[SheetRows]:
    """The rows of a whole sheet, so many at a time as a block has."""
    errors = sheet.errors.with_columns(pl.col("row") + 1).sort("row")
    for first in range(1, sheet.cells.height + 1, BLOCK_ROWS):
        cells = sheet.cells.slice(first - 1, BLOCK_ROWS)
        inside = errors.filter(pl.col("row").is_between(first, first + BLOCK_ROWS - 1))
        yield SheetRows(cells, row_numbers(first, cells.height), inside)


@contextmanager
def refused_when_broken() -> Iterator[None]:
    """Any failure to take the workbook apart as a FileRefusedError (`file.unreadable`)."""
    try:
        yield
    except (FileRefusedError, MemoryError):
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
    said = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    told = said.split("\n", 1)[0].removeprefix("calamine error: ")
    told = told.partition(" error: ")[2] or told
    if isinstance(error, _BROKEN) or not isinstance(error, Exception) or "Cannot detect" in told:
        return f"it is cut off or broken ({told})"
    return f"{told}; correct it in the program that made it and save it anew"
