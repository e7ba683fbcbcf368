"""Which row of a sheet or text file holds the headers; the rows above it are titles."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from schemas.errors import FileRefusedError
from schemas.headers import FAILED_ROWS_COLUMN, normalise

HEAD_ROWS = 50
_LABEL = re.compile(r"\W*[^\W\d]")


@dataclass(frozen=True)
class HeaderRow:
    """The row of the headers, 1-based as the user sees it, and what is to be said about it."""

    row: int
    notes: tuple[str, ...] = ()


def matching_headers(cells: Sequence[str], known_headers: frozenset[str]) -> int:
    """How many of the known headers stand in the row; the header of Lading's reasons is always known."""
    return len((known_headers | {FAILED_ROWS_COLUMN}).intersection(map(normalise, cells)))


def find_header_row(
    rows: Mapping[int, Sequence[str]], declared: int | None, known_headers: frozenset[str]
) -> HeaderRow:
    """The declared row; else the one with most known headers; else the first that looks like headers.

    In a file of failed rows it is the row with the header of Lading's reasons, whatever is declared: the
    titles above the original header are not in it.

    Args:
        rows: the first `HEAD_ROWS` rows, and as many more as `declared` asks for, by row number; rows
            that can't be split into cells are missing.

    Raises:
        FileRefusedError: no row can be the header (`file.header`).
    """
    filled = {row: cells for row, cells in rows.items() if any(map(str.strip, cells))}
    ours = [row for row, cells in filled.items() if FAILED_ROWS_COLUMN in map(normalise, cells)]
    if declared is not None:
        return HeaderRow(min(ours)) if ours else _declared_row(filled, declared)
    candidates = {row: cells for row, cells in filled.items() if row <= HEAD_ROWS}
    if not candidates:
        raise FileRefusedError(
            "file.header",
            f"none of the first {HEAD_ROWS} rows can be the header; say which row it is (file: header_row)",
        )
    best = max(candidates, key=lambda row: (matching_headers(candidates[row], known_headers), -row))
    if not matching_headers(candidates[best], known_headers):
        best = _likely_row(candidates)
    above = f"the header was found in row {best}; the rows above it are no data"
    return HeaderRow(best, (above,) if best > min(rows) else ())


def _declared_row(filled: Mapping[int, Sequence[str]], declared: int) -> HeaderRow:
    if declared in filled:
        return HeaderRow(declared)
    last = max(filled, default=0)
    what = f"the last row is {last}" if declared > last else "that row is blank or can't be split into cells"
    raise FileRefusedError("file.header", f"row {declared} can't be the header (file: header_row): {what}")


def _likely_row(rows: Mapping[int, Sequence[str]]) -> int:
    """The first row that is about as full as those below it and looks like labels; else the first as full."""
    numbers = sorted(rows)
    widths = [sum(1 for cell in rows[number] if cell.strip()) for number in numbers]
    full = [
        number
        for index, number in enumerate(numbers)
        if _header_width(rows[number]) >= _enough(median_low(widths[index + 1 :] or widths[index:]))
    ]
    return next((number for number in full if _looks_like_labels(rows[number])), full[0])


def _header_width(cells: Sequence[str]) -> int:
    """The cells that are filled; a blank one at the left counts, for it may stand above an index column."""
    return sum(1 for cell in cells if cell.strip()) + (0 if cells[0].strip() else 1)


def _enough(usual: int) -> int:
    """How full a header must be above rows that are so full: a few columns may go without a header."""
    return usual if usual < 3 else usual - max(1, usual // 4)


def _looks_like_labels(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return 2 * sum(1 for cell in filled if _LABEL.match(cell)) > len(filled)
