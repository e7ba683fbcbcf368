"""One failed row, as every kind of file of failed rows takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.headers import FAILED_ROWS_COLUMN, normalise
from schemas.text_table import Detected


@dataclass(frozen=True)
class FailedRow:
    """A row with errors.

    Attributes:
        row: 1-based, as the user sees it in the original file.
        cells: text by position in `Detected.columns`; of a malformed row the whole text as its only cell.
        reasons: all of them in one sentence.
        wrong: 0-based index into `Detected.columns` → what is wrong with that cell.
        error_cells: the indices of those that hold a spreadsheet error; their cell is what the sheet shows.
        malformed: True for a row that could not be split into cells.
    """

    row: int
    cells: Sequence[str | None]
    reasons: str
    wrong: Mapping[int, str] = field(default_factory=dict)
    error_cells: frozenset[int] = frozenset()
    malformed: bool = False


def kept_columns(detected: Detected) -> list[int]:
    """The columns that are written (0-based): all but the reasons that the file had already."""
    return [i for i, column in enumerate(detected.columns) if normalise(column.header) != FAILED_ROWS_COLUMN]


def kept_cells(row: FailedRow, kept: Sequence[int]) -> list[str]:
    """The texts of the kept columns; those of a malformed row begin with its text."""
    if row.malformed:
        return [row.cells[0] or "", *[""] * (len(kept) - 1)]
    return [row.cells[index] or "" for index in kept]
