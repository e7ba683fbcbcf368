"""Workbooks of Excel and its kin (xlsx, xlsm): one sheet as text, at its true coordinates, in flat memory."""

import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from formats.archive import open_archive
from formats.blocks import finished_cells, resized
from formats.escape import is_failed_rows, unescape
from formats.header_row import HEAD_ROWS, find_header_row
from formats.sheet_extent import extent
from formats.sheet_markup import PIECE_BYTES
from formats.sheet_stream import SheetRows, sheet_rows
from formats.sheet_strings import SharedStrings
from formats.sheet_workbook import Frame, Sheet
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.row_error import column_index
from schemas.text_table import Column, Detected, ErrorCell, TextBlock


@dataclass(frozen=True)
class Xlsx:
    """A workbook in a ZIP archive.

    Attributes:
        piece_bytes: how much XML of a sheet is taken apart at once.
    """

    kind: str = "xlsx"
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm")
    piece_bytes: int = PIECE_BYTES

    def matches(self, head: bytes) -> bool:
        """True for a ZIP archive; whether a workbook is in it shows when it is opened."""
        return head.startswith(b"PK\x03\x04")

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """The sheet, its header row and its columns, from the first that has a cell."""
        n_rows = max(options.header_row or 0, HEAD_ROWS)
        with _refused_when_broken(), open_archive(path, limits) as archive:
            frame = Frame(archive)
            sheet, columns, notes = _chosen_sheet(archive, frame, options, limits)
            with closing(SharedStrings(archive, frame, limits)) as texts:
                parts = sheet_rows(archive, frame, sheet, texts, columns, self.piece_bytes)
                rows = _first_rows(parts, n_rows)
        header = find_header_row(rows, options.header_row, known_headers)
        headers = rows[header.row]
        if is_failed_rows(headers):
            headers = [unescape(text) for text in headers]
        found = tuple(Column.at(text, index) for text, index in zip(headers, columns, strict=True))
        notes = (*notes, *header.notes)
        return Detected(self.kind, found, header.row, sheet=sheet.name, notes=notes, canonical=True)

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All rows below the header that have a cell; rows keep the numbers that the sheet shows."""
        with _refused_when_broken(), open_archive(path, limits) as archive:
            frame = Frame(archive)
            sheet = _named(frame.sheets, detected.sheet or "")
            first = column_index(detected.columns[0].letter or "A")
            columns = range(first, first + len(detected.columns))
            with closing(SharedStrings(archive, frame, limits)) as texts:
                parts = sheet_rows(archive, frame, sheet, texts, columns, self.piece_bytes)
                yield from resized(_blocks(parts, detected))


def _chosen_sheet(
    archive: zipfile.ZipFile, frame: Frame, options: FileOptions, limits: Limits
) -> tuple[Sheet, range, tuple[str, ...]]:
    """The sheet that is asked for, else the first visible one with a cell; its columns; and notes."""
    asked = [_named(frame.sheets, options.sheet)] if options.sheet is not None else frame.sheets
    for sheet in asked:
        if sheet.visible or options.sheet is not None:
            found = extent(archive, sheet.part, limits)
            if found.cells:
                return sheet, found.columns, _note_of_others(sheet, asked)
    which = f"the sheet {options.sheet!r} has" if options.sheet is not None else "the visible sheets have"
    raise FileRefusedError("file.empty", f"{which} no cell with a value")


def _named(sheets: tuple[Sheet, ...], wanted: str) -> Sheet:
    """The sheet of this name; case does not tell sheets apart."""
    for sheet in sheets:
        if sheet.name.casefold() == wanted.casefold():
            return sheet
    names = ", ".join(repr(sheet.name) for sheet in sheets)
    raise FileRefusedError("file.sheet", f"the workbook has no sheet {wanted!r}; its sheets are {names}")


def _note_of_others(chosen: Sheet, sheets: Sequence[Sheet]) -> tuple[str, ...]:
    others = [repr(other.name) for other in sheets if other != chosen]
    if not others:
        return ()
    return (f"the sheet {chosen.name!r} was read; the workbook has others: {', '.join(others)} (file: sheet)",)


def _first_rows(parts: Generator[SheetRows, None, None], n_rows: int) -> dict[int, list[str]]:
    """The first rows by number (1-based) with blanks as `""` and error cells as the sheet shows them."""
    rows: dict[int, list[str]] = {}
    with closing(parts):
        for part in parts:
            head = part.cells.head(n_rows)
            rows |= {
                number: [cell or "" for cell in cells]
                for number, cells in zip(part.rows, head.iter_rows(), strict=False)
                if number <= n_rows
            }
            for number, column, text in part.errors.filter(pl.col("row") <= n_rows).iter_rows():
                rows[number][column] = text
            if len(part.rows) and part.rows[-1] >= n_rows:
                break
    return rows


def _blocks(parts: Iterator[SheetRows], detected: Detected) -> Iterator[TextBlock]:
    """The data rows of each part; none has the size of a block."""
    first = 0
    for part in parts:
        cells = finished_cells(part.cells, detected).with_columns(part.rows)
        has_error = pl.col("row").is_in(part.errors["row"].unique().implode())
        is_blank = pl.all_horizontal(pl.exclude("row").is_null()) & ~has_error
        table = cells.filter((pl.col("row") > (detected.header_row or 0)) & ~is_blank)
        errors = table.select("row").with_row_index("ordinal", offset=first).join(part.errors, on="row")
        error_cells = errors.select("ordinal", "column", "text").sort("ordinal", "column").iter_rows()
        yield TextBlock(
            first_ordinal=first,
            cells=table.drop("row"),
            rows=table["row"],
            error_cells=tuple(ErrorCell(*error) for error in error_cells),
        )
        first += table.height


@contextmanager
def _refused_when_broken() -> Iterator[None]:
    """Any failure to take the workbook apart as a FileRefusedError (`file.unreadable`)."""
    try:
        yield
    except (FileRefusedError, MemoryError):
        raise
    except BaseException as e:
        # A panic of the reader (Rust) derives from BaseException and has no importable class.
        if not isinstance(e, Exception) and type(e).__name__ != "PanicException":
            raise
        raise FileRefusedError("file.unreadable", f"the workbook can't be read: {_reason(e)}") from e


def _reason(error: BaseException) -> str:
    """Why the workbook can't be read, in words where the reader's own would not help."""
    told = str(error).split("\n", 1)[0].removeprefix("calamine error: ").removeprefix("Xlsx error: ")
    if isinstance(error, zipfile.BadZipFile) or "Cannot detect" in told:
        return f"it is cut off or broken ({told})"
    return f"{told}; correct it in Excel and save it anew"


FORMAT = Xlsx()
