"""How far the cells of a sheet stand apart: the reader makes room for all between the outermost two.

A file of 1.4 KB can put one cell in A1 and one in XFD1048576; when the memory ends, the process is aborted,
which nothing can catch.
"""

import zipfile
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from formats.sheet_addresses import LAST_COLUMN, Addresses, addressed, filled_cells
from formats.sheet_markup import pieces
from schemas.errors import FileRefusedError
from schemas.limits import Limits


@dataclass(frozen=True)
class Extent:
    """The rectangle of a sheet's filled cells, from row 1 on.

    Attributes:
        first_column, last_column: 0-based, both included.
        last_row: 1-based; 0 where no cell is filled.
    """

    first_column: int = LAST_COLUMN
    last_column: int = -1
    last_row: int = 0

    @property
    def columns(self) -> range:
        """Those that it covers, 0-based."""
        return range(self.first_column, self.last_column + 1)

    @property
    def cells(self) -> int:
        """How many cells lie in it."""
        return len(self.columns) * self.last_row

    def with_cells(self, addresses: Addresses, filled: npt.NDArray[np.bool_]) -> "Extent":
        """The rectangle that has room for these cells below, too."""
        if not filled.any():
            return self
        columns = addresses.cell_columns[filled]
        first, last = int(columns.min()), int(columns.max())
        row = int(addresses.cell_rows[filled][-1])
        return Extent(min(self.first_column, first), max(self.last_column, last), row)


def extent(archive: zipfile.ZipFile, part: str, limits: Limits) -> Extent:
    """Look at the addresses of all cells of this sheet, in flat memory, without reading any value.

    Raises:
        FileRefusedError: the cells span more than the limit (`file.sheet_cells`), or stand where none can
            (`file.unreadable`).
    """
    seen, row = Extent(), 0
    with closing(pieces(archive, part, "sheetData", "row")) as found:
        for piece in found:
            xml, addresses = addressed(piece, row)
            row = int(addresses.rows[-1]) if addresses.rows.size else row
            seen = seen.with_cells(addresses, filled_cells(xml, addresses))
            if seen.cells > limits.sheet_cells:
                raise _refusal(seen, limits)
    return seen


def _refusal(seen: Extent, limits: Limits) -> FileRefusedError:
    return FileRefusedError(
        "file.sheet_cells",
        f"the sheet spans {seen.last_row:,} rows and {len(seen.columns):,} columns; {limits.sheet_cells:,} "
        "cells are allowed; delete the cells that stand far away from the others",
    )
