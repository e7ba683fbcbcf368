"""Numbers of a workbook to the last digit: as text its reader gives them rounded to nine decimals."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from formats.sheet_addresses import Addresses

_NUMBER = r"^-?\d+(\.\d+)?$"
_DECIMALS = 9
_PADDING = bytes(_DECIMALS + 2)


def with_exact_numbers(
    cells: pl.DataFrame, names: Sequence[str], read_floats: Callable[[list[str]], pl.DataFrame]
) -> pl.DataFrame:
    """The cells of a sheet, with as many digits of each number as tell its float from all others.

    Args:
        cells: (n_rows, n_columns) String, as the reader gives them.
        names: columns where a number may have been rounded.
        read_floats: gives these columns as Float64, null where a cell is none; called where there are numbers.
    """
    numeric = [name for name in names if cells[name].str.contains(_NUMBER).any()]
    if not numeric:
        return cells
    floats = read_floats(numeric)
    floats.columns = numeric
    return cells.with_columns(_exact(cells[name], floats[name]) for name in numeric)


def long_columns(xml: bytes, addresses: Addresses) -> frozenset[int]:
    """0-based columns of a piece of a sheet where a number has more decimals than its reader gives.

    Most sheets have none, and need not be read a second time. A text may look like such a number.
    """
    text = np.frombuffer(_PADDING + xml + _PADDING, dtype=np.uint8)
    points = np.flatnonzero(text == ord("."))
    for offset in range(1, _DECIMALS + 2):
        points = points[text[points + offset] - np.uint8(ord("0")) < 10]
    signs = np.flatnonzero(text == ord("-"))
    powers = signs[(text[signs - 1] == ord("E")) | (text[signs - 1] == ord("e"))]
    found = np.concatenate([points, powers]) - len(_PADDING)
    cells = np.searchsorted(addresses.cell_places, found) - 1
    return frozenset(np.unique(addresses.cell_columns[cells[cells >= 0]]).tolist())


def _exact(shown: pl.Series, number: pl.Series) -> pl.Series:
    """The text, and the number's own where a number was rounded to it."""
    number = number.cast(pl.Float64)
    was_rounded = (shown.cast(pl.Float64, strict=False) != number) & shown.str.contains(_NUMBER)
    return number.cast(pl.String).zip_with(was_rounded.fill_null(value=False), shown)
