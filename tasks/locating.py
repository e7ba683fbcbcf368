"""Gives what a destination says of a row the place where the user finds it in the file."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import polars as pl

from schemas.chunk import BLOCK_ROWS
from schemas.definition import Definition
from schemas.errors import NotFoundError
from schemas.headers import known_headers, normalise
from schemas.row_error import RowError
from schemas.text_table import Detected
from store.tables import Job
from tasks.mapped_columns import mapped_columns
from tasks.reading import DETECTED
from tasks.staging import LINE, ORDINAL, RAW


def detected_of(job: Job) -> Detected:
    """What the job's file turned out to be.

    Raises:
        NotFoundError: it never became a table.
    """
    if job.detected is None:
        raise NotFoundError(f"the file of job {job.id} was not read as a table")
    return DETECTED.validate_python(job.detected)


def _letters(definition: Definition, detected: Detected) -> dict[str, str | None]:
    """Field → the letter of the column that it comes from; None where there is none."""
    if definition.mapping is not None:
        columns = mapped_columns(definition, detected.columns)
        return {f.name: column.letter for f, column in zip(definition.fields, columns, strict=True)}
    known, letters = known_headers(definition), dict[str, str | None]()
    for column in detected.columns:
        if (name := known.get(normalise(column.header))) is not None:
            letters.setdefault(name, column.letter)
    return letters


class Locator:
    """Knows the columns of one file and, where the rows are still at hand, their lines and values.

    Args:
        block: gives the checked rows of the block with this 0-based number; None where they are gone.
    """

    def __init__(
        self, definition: Definition, detected: Detected, block: Callable[[int], pl.DataFrame] | None
    ) -> None:
        self._letters = _letters(definition, detected)
        self._sheet = detected.sheet
        self._block = block

    def locate(self, errors: Iterable[RowError]) -> list[RowError]:
        """The same errors with sheet, line, column letter and value."""
        found = list(errors)
        rows = self._rows([error.ordinal for error in found if error.ordinal is not None])
        return [self._located(error, rows.get(error.ordinal or 0, {})) for error in found]

    def _rows(self, ordinals: list[int]) -> dict[int, dict[str, object]]:
        """Ordinal → the staged row."""
        rows: dict[int, dict[str, object]] = {}
        if self._block is None:
            return rows
        for block in sorted({ordinal // BLOCK_ROWS for ordinal in ordinals}):
            frame = self._block(block)
            for row in frame.filter(pl.col(ORDINAL).is_in(ordinals)).iter_rows(named=True):
                rows[row[ORDINAL]] = row
        return rows

    def _located(self, error: RowError, row: dict[str, object]) -> RowError:
        line = row.get(LINE)
        value = row.get(f"{RAW}{error.field}", row.get(error.field or ""))
        return replace(
            error,
            line=line if isinstance(line, int) else None,
            sheet=self._sheet,
            column=self._letters.get(error.field or ""),
            value=None if value is None else str(value),
        )
