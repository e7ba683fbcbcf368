"""Numbers of a workbook to the last digit: as text its reader gives them rounded to nine decimals."""

from collections.abc import Callable

import polars as pl

_NUMBER = r"^-?\d+(\.\d+)?$"


def with_exact_numbers(cells: pl.DataFrame, read_floats: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """The cells of a sheet, with as many digits of each number as tell its float from all others.

    Args:
        cells: (n_rows, n_columns) String, as the reader gives them.
        read_floats: gives the same cells as Float64, null where a cell is none; called where there are numbers.
    """
    numeric = [name for name in cells.columns if cells[name].str.contains(_NUMBER).any()]
    if not numeric:
        return cells
    floats = read_floats()
    floats.columns = cells.columns
    return cells.with_columns(_exact(cells[name], floats[name]) for name in numeric)


def _exact(shown: pl.Series, number: pl.Series) -> pl.Series:
    """The text, and the number's own where a number was rounded to it."""
    number = number.cast(pl.Float64)
    was_rounded = (shown.cast(pl.Float64, strict=False) != number) & shown.str.contains(_NUMBER)
    return number.cast(pl.String).zip_with(was_rounded.fill_null(value=False), shown)
