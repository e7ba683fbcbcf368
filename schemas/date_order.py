"""Dates that read both ways: how many there are, and which reading the order of the rows speaks for."""

import re
from dataclasses import dataclass

import polars as pl

from schemas.casting import cast_column
from schemas.definition import Field
from schemas.text_table import Cells

DISTINCTLY = 10
"""The rows speak for the other reading where it puts so many times fewer of them out of order."""

_YEAR_MONTH_DAY = re.compile(r"%[Yy].*%m.*%[de]", re.DOTALL)


def swapped_format(form: str | None) -> str | None:
    """The form with day and month in each other's place; None where no date reads both ways.

    Names of months can't be taken for days, and nobody writes year, day and month where year, month and day
    are declared.
    """
    spelt = (form or "").replace("%D", "%m/%d/%y")
    if "%m" not in spelt or not re.search("%[de]", spelt) or _YEAR_MONTH_DAY.search(spelt):
        return None
    return re.sub(r"%[mde]", lambda found: "%d" if found.group() == "%m" else "%m", spelt)


@dataclass
class _Run:
    """One reading of a column, row after row.

    Attributes:
        last: the latest value so far, as the integer that stands for it.
        back, forward: how often a value is less, or more, than the one before it.
    """

    last: int | None = None
    back: int = 0
    forward: int = 0

    def add(self, values: pl.Series) -> None:
        moments = values.drop_nulls().to_physical().cast(pl.Int64)
        if self.last is not None:
            moments = pl.concat([pl.Series(moments.name, [self.last], dtype=pl.Int64), moments])
        if moments.len():
            steps = moments.diff()
            self.back += int((steps < 0).sum())
            self.forward += int((steps > 0).sum())
            self.last = moments[-1]


class DateOrder:
    """What a column of dates or datetimes says of the order of day and month, in a few numbers.

    Attributes:
        form, other_form: the declared format, and the one with day and month swapped.
        dates: values so far.
        ambiguous: values that are another moment with day and month swapped.
        settled: values that are none with day and month swapped.
    """

    def __init__(self, field: Field, other_form: str) -> None:
        self.form, self.other_form = field.format or "", other_form
        self._field = field.model_copy(update={"default": None})
        self._swapped = field.model_copy(update={"default": None, "format": other_form})
        self._has_default = field.default is not None
        self.dates, self.ambiguous, self.settled = 0, 0, 0
        self._as_declared, self._with_swapped = _Run(), _Run()

    def add(self, text: pl.Series, values: pl.Series, cells: Cells) -> None:
        """Take note of the next rows: the text as it stands, and what it was cast to."""
        declared = cast_column(text, self._field, cells).values if self._has_default else values
        swapped = cast_column(text, self._swapped).values
        if cells is not Cells.TEXT:
            real = text.str.contains(r"^\d{4}-\d{2}-\d{2}").fill_null(value=False)
            swapped = swapped.zip_with(~real, declared)
        differs = (swapped != declared).fill_null(value=False)
        self.dates += declared.len() - declared.null_count()
        self.ambiguous += int(differs.sum())
        self.settled += int((declared.is_not_null() & swapped.is_null()).sum())
        self._as_declared.add(declared)
        self._with_swapped.add(swapped.zip_with(differs, declared))

    @property
    def is_rising(self) -> bool:
        """True where the rows go from the earliest to the latest, which swapping hardly changes."""
        return self._as_declared.forward >= self._as_declared.back

    @property
    def steps(self) -> tuple[int, int]:
        """How often the rows go against their direction: as declared, and with the ambiguous dates swapped."""
        declared, swapped = self._as_declared, self._with_swapped
        return (declared.back, swapped.back) if self.is_rising else (declared.forward, swapped.forward)

    @property
    def speaks_otherwise(self) -> bool:
        """True where the rows are distinctly better in order with the ambiguous dates swapped."""
        declared, swapped = self.steps
        return declared > DISTINCTLY * swapped
