"""Rows of a sheet with their numbers: what any reading of a workbook goes through on its way to blocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from formats.blocks import finished_cells, resized
from schemas.text_table import Detected, ErrorCell, TextBlock


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


def row_numbers(first: int, count: int) -> pl.Series:
    """The 1-based numbers of so many rows from the first on."""
    return pl.int_range(first, first + count, dtype=pl.UInt32, eager=True).alias("row")


def head_rows(parts: Iterable[SheetRows], n_rows: int) -> dict[int, list[str]]:
    """The first rows by number (1-based) with blanks as `""` and error cells as the sheet shows them."""
    rows: dict[int, list[str]] = {}
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


def sheet_blocks(parts: Iterable[SheetRows], detected: Detected) -> Iterator[TextBlock]:
    """The rows below the header that have a cell, in blocks of the usual size."""
    yield from resized(_data_rows(parts, detected))


def _data_rows(parts: Iterable[SheetRows], detected: Detected) -> Iterator[TextBlock]:
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
