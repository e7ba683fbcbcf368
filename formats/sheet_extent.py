"""How far the cells of a sheet stand apart: the reader makes room for all between the outermost two.

A file of 1.4 KB can put one cell in A1 and one in XFD1048576; when the memory ends, the process is aborted,
which nothing can catch.
"""

import zipfile
from dataclasses import dataclass

from formats.sheet_addresses import LAST_COLUMN, addressed
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


def extent(archive: zipfile.ZipFile, part: str, limits: Limits) -> Extent:
    """Look at the addresses of all cells of this sheet, in flat memory, without reading any value.

    Raises:
        FileRefusedError: the cells span more than the limit (`file.sheet_cells`), or stand where none can
            (`file.unreadable`).
    """
    seen, row = Extent(), 0
    for piece in pieces(archive, part, "sheetData", "row"):
        _, found = addressed(piece, row)
        row = int(found.rows[-1]) if found.rows.size else row
        if not found.filled.any():
            continue
        columns = found.cell_columns[found.filled]
        seen = Extent(
            min(seen.first_column, int(columns.min())),
            max(seen.last_column, int(columns.max())),
            int(found.cell_rows[found.filled][-1]),
        )
        if seen.cells > limits.sheet_cells:
            raise _refusal(seen, limits)
    return seen


def _refusal(seen: Extent, limits: Limits) -> FileRefusedError:
    return FileRefusedError(
        "file.sheet_cells",
        f"the sheet spans {seen.last_row:,} rows and {len(seen.columns):,} columns; {limits.sheet_cells:,} "
        "cells are allowed; delete the cells that stand far away from the others",
    )
