"""Gives what a destination says of a row the place where the user finds it in the file."""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from schemas.chunk import BLOCK_ROWS
from schemas.definition import Definition
from schemas.errors import NotFoundError
from schemas.headers import bind
from schemas.row_error import RowError
from schemas.text_table import Detected
from store.tables import Job
from tasks.reading import DETECTED
from tasks.staging import LINE, ORDINAL, RAW, Stage


def detected_of(job: Job) -> Detected:
    """What the job's file turned out to be.

    Raises:
        NotFoundError: it never became a table.
    """
    if job.detected is None:
        raise NotFoundError(f"the file of job {job.id} was not read as a table")
    return DETECTED.validate_python(job.detected)


class Locator:
    """Knows the columns of one file and, where the rows are still staged, their lines and values."""

    def __init__(self, definition: Definition, detected: Detected, staged: Stage | None) -> None:
        columns = bind(definition, [column.header for column in detected.columns]).columns
        self._letters = {name: detected.columns[index].letter for name, index in columns.items()}
        self._sheet = detected.sheet
        self._staged = staged

    def locate(self, errors: Iterable[RowError]) -> list[RowError]:
        """The same errors with sheet, line, column letter and value."""
        found = list(errors)
        rows = self._rows([error.ordinal for error in found if error.ordinal is not None])
        return [self._located(error, rows.get(error.ordinal or 0, {})) for error in found]

    def _rows(self, ordinals: list[int]) -> dict[int, dict[str, object]]:
        """Ordinal → the staged row."""
        rows: dict[int, dict[str, object]] = {}
        if self._staged is None:
            return rows
        for block in sorted({ordinal // BLOCK_ROWS for ordinal in ordinals}):
            frame = self._staged.block(block)
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
