"""Workbooks of Excel and its kin (xlsx, xlsm): one sheet, read whole as text, at its true coordinates."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow as pa

from formats.blocks import finished_cells
from formats.escape import is_failed_rows, unescape
from formats.exact_numbers import with_exact_numbers
from formats.header_row import HEAD_ROWS, find_header_row
from formats.sheet_extent import refuse_impossible_sheets
from schemas.chunk import BLOCK_ROWS
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Column, Detected, ErrorCell, TextBlock

_ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_ERROR_DETAIL = re.compile(r"Error\((\w+)\)")
_DATE_DETAIL = re.compile(r"ExcelDateTime \{ value: ([-\d.eE+]+)")
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"
_DATE1904 = re.compile(rb"""\bdate1904\s*=\s*["'](1|true|on)["']""")
_MIB = 1024 * 1024


@dataclass(frozen=True)
class _Sheet:
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


@dataclass(frozen=True)
class Xlsx:
    """A workbook in a ZIP archive."""

    kind: str = "xlsx"
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm")

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
        del limits
        name, sheet, notes = _chosen_sheet(path, options, max(options.header_row or 0, HEAD_ROWS))
        rows = _rows_as_shown(sheet)
        header = find_header_row(rows, options.header_row, known_headers)
        headers = rows[header.row]
        if is_failed_rows(headers):
            headers = [unescape(text) for text in headers]
        columns = tuple(Column.at(text, sheet.first_column + i) for i, text in enumerate(headers))
        notes = (*notes, *header.notes)
        return Detected(self.kind, columns, header.row, sheet=name, notes=notes, canonical=True)

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All rows below the header that have a cell; rows keep the numbers that the sheet shows."""
        del limits
        with _refused_when_broken():
            sheet = _load(fastexcel.read_excel(path), detected.sheet or "", _is_1904(path))
        yield from _blocks(sheet, detected)


def _chosen_sheet(path: Path, options: FileOptions, n_rows: int) -> tuple[str, _Sheet, tuple[str, ...]]:
    """Name and first rows of the sheet that is asked for, else of the first visible one with a cell."""
    with _refused_when_broken():
        with zipfile.ZipFile(path) as archive:
            refuse_impossible_sheets(archive)
        reader = fastexcel.read_excel(path)
        names = reader.sheet_names
        is_1904 = _is_1904(path)
        wanted = [_named(names, options.sheet)] if options.sheet is not None else names
        for name in wanted:
            sheet = _load(reader, name, is_1904, n_rows)
            if sheet.cells.width and (sheet.visible or options.sheet is not None):
                return name, sheet, _note_of_others(name, wanted)
    which = f"the sheet {options.sheet!r} has" if options.sheet is not None else "the visible sheets have"
    raise FileRefusedError("file.empty", f"{which} no cell with a value")


def _named(names: list[str], wanted: str) -> str:
    """The sheet's name as the workbook spells it; case does not tell sheets apart."""
    for name in names:
        if name.casefold() == wanted.casefold():
            return name
    sheets = ", ".join(map(repr, names))
    raise FileRefusedError("file.sheet", f"the workbook has no sheet {wanted!r}; its sheets are {sheets}")


def _note_of_others(name: str, names: list[str]) -> tuple[str, ...]:
    others = [repr(other) for other in names if other != name]
    if not others:
        return ()
    return (f"the sheet {name!r} was read; the workbook has others: {', '.join(others)} (file: sheet)",)


def _load(reader: fastexcel.ExcelReader, name: str, is_1904: bool, n_rows: int | None = None) -> _Sheet:
    # Only without a header and with nothing skipped do the rows keep their numbers.
    sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=n_rows, dtypes="string")
    columns = sheet.available_columns()
    batch, cell_errors = sheet.to_arrow_with_errors()
    cells = pl.DataFrame(pa.Table.from_batches([batch]))
    cells.columns = [str(index) for index in range(cells.width)]
    cells = with_exact_numbers(cells, lambda: _floats(reader, name, n_rows))
    found = (
        [(e.position[0] + 1, e.position[1], _shown(e.detail)) for e in cell_errors.errors]
        if cell_errors
        else []
    )
    errors = pl.DataFrame(found, schema={"row": pl.UInt32, "column": pl.Int64, "text": pl.String}, orient="row")
    first_column = columns[0].absolute_index if columns else 0
    return _Sheet(_canonical(cells, is_1904), first_column, errors, sheet.visible == "visible")


def _floats(reader: fastexcel.ExcelReader, name: str, n_rows: int | None) -> pl.DataFrame:
    sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=n_rows, dtypes="float")
    return pl.DataFrame(pa.Table.from_batches([sheet.to_arrow_with_errors()[0]]))


def _canonical(cells: pl.DataFrame, is_1904: bool) -> pl.DataFrame:
    """Dates without the midnight, and times without the day, that the reader gives them."""
    day_zero = "1904-01-01" if is_1904 else "1899-12-31"
    time_only = rf"^{day_zero} (\d{{2}}:\d{{2}}:\d{{2}}(?:\.\d+)?)$"
    return cells.with_columns(pl.all().str.replace(time_only, "${1}").str.replace(_MIDNIGHT, "${1}"))


def _shown(detail: str) -> str:
    """What the sheet shows in a cell of which the reader says this."""
    if error := _ERROR_DETAIL.search(detail):
        return _ERRORS.get(error.group(1), f"#{error.group(1).upper()}!")
    if date := _DATE_DETAIL.search(detail):
        return f"##### ({date.group(1)} is no date)"
    return detail


def _rows_as_shown(sheet: _Sheet) -> dict[int, list[str]]:
    """Rows by number (1-based) with blanks as `""` and error cells as the sheet shows them."""
    rows = {number: [cell or "" for cell in row] for number, row in enumerate(sheet.cells.iter_rows(), 1)}
    for number, column, text in sheet.errors.iter_rows():
        rows[number][column] = text
    return rows


def _blocks(sheet: _Sheet, detected: Detected) -> Iterator[TextBlock]:
    cells = finished_cells(sheet.cells, detected).with_row_index("row", offset=1)
    has_error = pl.col("row").is_in(sheet.errors["row"].unique().implode())
    is_blank = pl.all_horizontal(pl.exclude("row").is_null()) & ~has_error
    table = cells.filter((pl.col("row") > (detected.header_row or 0)) & ~is_blank)
    errors = (
        table.select("row").with_row_index("ordinal").join(sheet.errors, on="row").sort("ordinal", "column")
    )
    for first in range(0, table.height, BLOCK_ROWS):
        block = table.slice(first, BLOCK_ROWS)
        inside = errors.filter(pl.col("ordinal").is_between(first, first + BLOCK_ROWS - 1))
        yield TextBlock(
            first_ordinal=first,
            cells=block.drop("row"),
            rows=block["row"].cast(pl.UInt32),
            error_cells=tuple(
                ErrorCell(o, c, t) for o, c, t in inside.select("ordinal", "column", "text").iter_rows()
            ),
        )


def _is_1904(path: Path) -> bool:
    """Whether the workbook counts its days from 1904, as old ones from a Macintosh do."""
    with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as stream:
        return _DATE1904.search(stream.read(_MIB)) is not None


@contextmanager
def _refused_when_broken() -> Iterator[None]:
    """Any failure to take the workbook apart as a FileRefusedError (`file.unreadable`)."""
    try:
        yield
    except FileRefusedError:
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
