"""What is worth knowing of a file's values though none of them is an error: notes, and warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.date_order import DateOrder, swapped_format
from schemas.definition import Field
from schemas.field_types import FieldType
from schemas.text_table import Detected

_WHOLE = frozenset({FieldType.STRING, FieldType.INTEGER, FieldType.DECIMAL})
_KEPT_DIGITS = 15
_BEGIN_OF_GAPS = 2**53
"""From here on not every whole number is a float; the next one is read as this."""
_MOSTLY = 0.9


class Remarks:
    """Looks at every value of a file, block by block, and keeps a few numbers for each column."""

    def __init__(self, fields: Sequence[Field], detected: Detected, columns: Mapping[str, int]) -> None:
        self._headers = {f.name: detected.columns[columns[f.name]].header for f in fields}
        self._cells = detected.cells
        forms = {f.name: (f, form) for f in fields if (form := swapped_format(f.format))}
        self._orders = {name: DateOrder(field, form) for name, (field, form) in forms.items()}
        whole = [f.name for f in fields if f.type in _WHOLE] if detected.canonical else []
        self._long_numbers = {name: _LongNumbers() for name in whole}

    def look(self, name: str, text: pl.Series, values: pl.Series) -> None:
        """Take note of the next rows of a field: the text as it stands, and what it was cast to."""
        if name in self._orders:
            self._orders[name].add(text, values, self._cells)
        if name in self._long_numbers:
            self._long_numbers[name].add(text)

    @property
    def notes(self) -> list[str]:
        """Sentences for people, of what is well but good to know."""
        orders = [(n, o) for n, o in self._orders.items() if o.ambiguous and not o.speaks_otherwise]
        return [_reads_both_ways(self._headers[name], order) for name, order in orders]

    @property
    def warnings(self) -> list[str]:
        """Sentences for people, of what is probably wrong."""
        orders = [(name, order) for name, order in self._orders.items() if order.speaks_otherwise]
        damaged = [(name, found) for name, found in self._long_numbers.items() if found.are_damaged]
        return [
            *(_reads_better_swapped(self._headers[name], order) for name, order in orders),
            *(_lost_digits(self._headers[name], found.damaged) for name, found in damaged),
        ]


@dataclass
class _LongNumbers:
    """Whole numbers in one column of a workbook that have more digits than its number cells keep.

    A cell's text does not tell whether the cell holds a number or text, but what a number cell can't hold
    is text, and a column of texts is full of that.

    Attributes:
        values: whole numbers of more than 15 digits.
        damaged: those among them that a number cell shows whose last digits are gone.
    """

    values: int = 0
    damaged: int = 0

    def add(self, text: pl.Series) -> None:
        long = text.filter(text.str.len_bytes() > _KEPT_DIGITS)
        for value in long.filter(long.str.contains(rf"^-?[1-9][0-9]{{{_KEPT_DIGITS},}}$")):
            self.values += 1
            self.damaged += _is_damaged(int(value))

    @property
    def are_damaged(self) -> bool:
        return self.values > 0 and self.damaged >= _MOSTLY * self.values


def _is_damaged(number: int) -> bool:
    """True where a spreadsheet kept 15 digits of the number, or a program the nearest float."""
    is_rounded = not str(abs(number))[_KEPT_DIGITS:].strip("0")
    return is_rounded or (abs(number) >= _BEGIN_OF_GAPS and int(float(number)) == number)


def _reads_both_ways(header: str, order: DateOrder) -> str:
    dates = f"{order.ambiguous:,} of the {order.dates:,} dates of {header!r}"
    declared, swapped = (_often(times, "back" if order.is_rising else "forward") for times in order.steps)
    return (
        f"{dates} would be another day with day and month swapped; read as {order.form}, the rows {declared}; "
        f"with those swapped, they {swapped}"
    )


def _often(times: int, way: str) -> str:
    if not times:
        return f"never go {way} in time"
    return f"go {way} in time {'once' if times == 1 else f'{times:,} times'}"


def _reads_better_swapped(header: str, order: DateOrder) -> str:
    mend = (
        f"they were probably swapped on the way, and the {order.settled:,} dates with a day past 12 were not; "
        "mend them where the file was made"
        if order.settled
        else f"the format is probably {order.other_form}"
    )
    return f"{_reads_both_ways(header, order)}: {mend}"


def _lost_digits(header: str, damaged: int) -> str:
    return (
        f"{damaged:,} values of {header!r} look like numbers of more than {_KEPT_DIGITS} digits, which is all "
        "that the workbook keeps: their last digits are lost; format the column as text and enter them anew"
    )
