"""The file of failed rows for people: their columns and the reasons, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from formats.escape import escape
from schemas.headers import FAILED_ROWS_COLUMN, normalise
from schemas.text_table import Detected


def write_failed_rows(path: Path, detected: Detected, rows: Iterable[tuple[Sequence[str | None], str]]) -> int:
    """Write the rows as csv with the columns of the original file and the reasons last; returns how many.

    The file is there as a whole or not at all. It begins with a byte-order mark, because people open it in
    Excel, which takes a csv file without one for another encoding and saves every umlaut broken; Lading
    reads it either way.

    Args:
        detected: of the original file; a column of reasons that it had already is replaced.
        rows: cells by position in `detected.columns` and the reasons; a malformed row brings its text as
            its only cell.
    """
    kept = [i for i, column in enumerate(detected.columns) if normalise(column.header) != FAILED_ROWS_COLUMN]
    headers = [detected.columns[index].header for index in kept]
    part = path.with_name(f"{path.name}.part")
    count = 0
    with part.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*map(escape, headers), FAILED_ROWS_COLUMN])
        for cells, reasons in rows:
            writer.writerow([*map(escape, _kept_cells(cells, kept)), escape(reasons)])
            count += 1
    part.replace(path)
    return count


def _kept_cells(cells: Sequence[str | None], kept: Sequence[int]) -> list[str]:
    """The cells of the kept columns; those of a malformed row end with its text."""
    if len(cells) == 1 and len(kept) > 1:
        return [cells[0] or "", *[""] * (len(kept) - 1)]
    return [cells[index] or "" for index in kept]
