"""A sheet, or a piece of one, as the reader of workbooks gives it, with all values in canonical form."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from formats.exact_numbers import with_exact_numbers
from formats.moments import HAS_PLAIN_FORM, MISREAD, PLAIN_FORMS, moment_of, shown_error
from schemas.text_table import StoredAs

if TYPE_CHECKING:
    import fastexcel
    import pyarrow as pa

_ERRORS_SCHEMA = {"row": pl.UInt32, "column": pl.Int64, "text": pl.String}


@dataclass(frozen=True)
class LoadedSheet:
    """Cells as text.

    Attributes:
        cells: (n_rows, n_columns), columns named by position; n_columns is 0 where no cell has a value.
        first_column: 0-based, column A being 0.
        errors: error cells; `row` and `column` 0-based in `cells`, `text` as the sheet shows it.
        visible: False for a hidden one.
    """

    cells: pl.DataFrame
    first_column: int
    errors: pl.DataFrame
    visible: bool


def read_workbook(source: Path | bytes) -> "fastexcel.ExcelReader":
    """The workbook, its sheets not read yet."""
    import fastexcel

    return fastexcel.read_excel(source)


@dataclass(frozen=True)
class SheetSource:
    """A sheet that the reader can be asked for again and again; each time it takes the XML or records anew.

    Attributes:
        n_rows: how many rows are wanted; None for all.
        from_first_row: True to begin with row 1, False with the first row that has a cell.
    """

    reader: "fastexcel.ExcelReader"
    name: str
    n_rows: int | None = None
    from_first_row: bool = True

    def load(self, long_columns: Collection[int] | None = None) -> LoadedSheet:
        """Load the cells.

        Args:
            long_columns: 0-based columns, counted from column A, where a number may have more than nine
                decimals; None where any may.
        """
        loaded = self._asked("string")
        first_column = _first_column(loaded)
        batch, found = loaded.to_arrow_with_errors()
        errors = [(*e.offset_position, shown_error(e.detail)) for e in (found.errors if found else [])]
        cells = self._with_exact_numbers(_frame(batch), first_column, long_columns)
        cells, no_dates = self._with_true_moments(cells, first_column)
        frame = pl.DataFrame(errors + no_dates, schema=_ERRORS_SCHEMA, orient="row")
        return LoadedSheet(cells, first_column, frame, loaded.visible == "visible")

    def stored(self) -> tuple[int, list[str]]:
        """The first column (0-based), and for each row a letter of `StoredAs` for each column of `load`."""
        # The reader makes a truth value of numbers too, but of no text and no moment.
        truth = _where(self._asked("boolean"), pl.all().is_not_null())
        moment = _where(self._asked("duration"), pl.all().is_not_null())
        texts = self._asked("string")
        word = _where(texts, pl.all().is_in(["true", "false"]).fill_null(value=False))
        kinds = [StoredAs.BOOLEAN.value, StoredAs.NUMBER.value, StoredAs.MOMENT.value]
        letters = np.select([truth & word, truth, moment], kinds, StoredAs.TEXT.value)
        whole, width = letters.astype("S1").tobytes().decode(), letters.shape[1]
        rows = [whole[begin : begin + width] for begin in range(0, len(whole), width or 1)]
        return _first_column(texts), rows

    def _asked(self, dtype: "fastexcel.DType", columns: list[int] | None = None) -> "fastexcel.ExcelSheet":
        """The sheet with every cell as this type; only without a header do the rows keep their numbers."""
        return self.reader.load_sheet(
            self.name,
            header_row=None,
            skip_rows=0 if self.from_first_row else None,
            n_rows=self.n_rows,
            dtypes=dtype,
            use_columns=columns,
        )

    def _with_exact_numbers(
        self, cells: pl.DataFrame, first_column: int, long_columns: Collection[int] | None
    ) -> pl.DataFrame:
        places = range(first_column, first_column + cells.width)
        names = [str(i) for i, place in enumerate(places) if long_columns is None or place in long_columns]

        def floats(numeric: list[str]) -> pl.DataFrame:
            asked = self._asked("float", [first_column + int(name) for name in numeric])
            return _frame_of(asked.to_arrow())

        return with_exact_numbers(cells, names, floats)

    def _with_true_moments(
        self, cells: pl.DataFrame, first_column: int
    ) -> tuple[pl.DataFrame, list[tuple[int, int, str]]]:
        """The cells with every moment in its canonical form, and the dates that are none (row, column, text).

        The reader gives a duration as the date that lies so far behind the first day. Where a column has a
        date as early as that, the cells of the column are asked for their own type; anything else would cost
        too much.
        """
        early = cells.select(pl.all().str.contains(MISREAD).any())
        suspects = [int(column) for column in early.columns if early[column][0]]
        cells = _in_plain_forms(cells)
        if not suspects:
            return cells, []
        found = self._asked("boolean", [first_column + column for column in suspects]).to_arrow_with_errors()[1]
        corrected: dict[int, dict[int, str]] = {column: {} for column in suspects}
        no_dates = []
        for error in found.errors if found else []:
            row, column = error.offset_position
            text, is_moment = moment_of(error.detail)
            if text is not None:
                corrected[column][row] = text if is_moment else ""
            if text is not None and not is_moment:
                no_dates.append((row, column, text))
        series = [
            cells[str(column)].scatter(list(texts), list(texts.values())) for column, texts in corrected.items()
        ]
        return cells.with_columns(series), no_dates


def _in_plain_forms(cells: pl.DataFrame) -> pl.DataFrame:
    replaced = [column for column in cells if column.str.contains(HAS_PLAIN_FORM).any()]
    for pattern, replacement in PLAIN_FORMS:
        replaced = [column.str.replace(pattern, replacement) for column in replaced]
    return cells.with_columns(replaced)


def _first_column(sheet: "fastexcel.ExcelSheet") -> int:
    return next((column.absolute_index for column in sheet.available_columns()), 0)


def _where(sheet: "fastexcel.ExcelSheet", holds: pl.Expr) -> npt.NDArray[np.bool_]:
    return _frame(sheet.to_arrow()).select(holds).to_numpy()


def _frame(batch: "pa.RecordBatch") -> pl.DataFrame:
    cells = _frame_of(batch)
    cells.columns = [str(index) for index in range(cells.width)]
    return cells


def _frame_of(batch: "pa.RecordBatch") -> pl.DataFrame:
    import pyarrow as pa

    return pl.DataFrame(pa.Table.from_batches([batch]))
