"""The file of failed rows, written from the file that they came in; only the reader's process does this."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from formats import FailedRow, reopened, write_failed_rows
from schemas.headers import UNREADABLE
from schemas.limits import Limits
from schemas.row_error import RowError
from schemas.text_table import Detected, TextBlock


def write_errors(path: Path, errors: Iterable[RowError]) -> None:
    """Keep the errors for `read_errors`, one a line, those of the file as a whole left out."""
    with path.open("w", encoding="utf-8") as out:
        for error in errors:
            if error.ordinal is not None:
                json.dump(list(vars(error).values()), out)
                out.write("\n")


def read_errors(path: Path) -> Iterator[RowError]:
    """The errors in the order in which they were kept."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield RowError(*json.loads(line))


def write_failed(
    source: Path, detected: Detected, out: Path, errors: Iterator[RowError], limits: Limits
) -> int:
    """Write the rows that have an error, in the kind of file that they came in; gives how many.

    Args:
        errors: of rows, in order of ordinal.

    Raises:
        FileRefusedError: the bytes can't be read any more.
    """
    with reopened(source, detected, limits, out.parent) as file:
        return write_failed_rows(out, file, _merged(detected, file.blocks(), errors))


def _merged(detected: Detected, blocks: Iterator[TextBlock], errors: Iterator[RowError]) -> Iterator[FailedRow]:
    """Each row with errors, in order."""
    positions = {column.letter: index for index, column in enumerate(detected.columns) if column.letter}
    read: _Read | None = None
    for ordinal, group in groupby((e for e in errors if e.ordinal is not None), key=lambda e: e.ordinal or 0):
        while read is None or ordinal >= read.end:
            block = next(blocks, None)
            if block is None:
                return
            read = _Read(block)
        found = list(group)
        wrong = {positions[e.column]: e.message for e in found if e.column in positions}
        yield read.row(ordinal, "; ".join(map(_reason, found)), wrong)


class _Read:
    """One block, with what stands in its error cells and malformed rows at hand."""

    def __init__(self, block: TextBlock) -> None:
        self.end = block.first_ordinal + block.cells.height
        self._block = block
        self._malformed = {row.ordinal: row.text for row in block.malformed}
        self._shown: dict[int, dict[int, str]] = defaultdict(dict)
        for cell in block.error_cells:
            self._shown[cell.ordinal][cell.column] = cell.text

    def row(self, ordinal: int, reasons: str, wrong: dict[int, str]) -> FailedRow:
        """The row with this ordinal."""
        index = ordinal - self._block.first_ordinal
        number = int(self._block.rows[index])
        if ordinal in self._malformed:
            return FailedRow(number, (self._malformed[ordinal],), reasons, malformed=True)
        shown = self._shown.get(ordinal, {})
        cells = [shown.get(position, text) for position, text in enumerate(self._block.cells.row(index))]
        return FailedRow(number, cells, reasons, wrong, frozenset(shown))


def _reason(error: RowError) -> str:
    if error.code.startswith("row."):
        return f"{UNREADABLE}{error.message}"
    return f"{error.field}: {error.message}" if error.field else error.message
