"""Records as a workbook of Excel: real numbers, dates and truth values wherever Excel keeps them exactly."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from destinations.files.columns import as_text
from schemas.definition import Definition
from schemas.errors import DestinationError
from schemas.field_types import FieldType

MOST_ROWS = 1_048_575
"""Below the header; a sheet holds no more."""

_EXACT = 10**15
"""Below it every digit of a whole number survives."""

_FIRST_SAFE_DAY = date(1900, 3, 1)
"""Before it Excel counts a day that never was."""

_FORMS = {
    FieldType.DATE: "yyyy-mm-dd",
    FieldType.DATETIME: "yyyy-mm-dd hh:mm:ss",
    FieldType.TIME: "hh:mm:ss",
    FieldType.DURATION: "[h]:mm:ss",
}


def write_workbook(definition: Definition, path: Path, records: Iterable[pl.DataFrame]) -> None:
    """Write one sheet with the headers in row 1; a value that Excel would change is written as text.

    Records that a cell can't hold (`refused_records`) are not among these.

    Raises:
        DestinationError: there are more records than a sheet has rows.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("records")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        forms = {kind: book.add_format({"num_format": form}) for kind, form in _FORMS.items()}
        for column, field in enumerate(definition.fields):
            sheet.write_string(0, column, field.headers[0], bold)
        texts = [as_text(f).alias(f.name) for f in definition.fields]
        styles = [forms.get(f.type) for f in definition.fields]
        row = 0
        for frame in records:
            for values, shown in zip(frame.iter_rows(), frame.select(texts).iter_rows(), strict=True):
                row += 1
                if row > MOST_ROWS:
                    raise DestinationError(f"a sheet holds {MOST_ROWS:,} records; write csv, jsonl or parquet")
                _write_row(sheet, row, values, shown, styles)


def _write_row(
    sheet: Worksheet, row: int, values: tuple[Any, ...], shown: tuple[str | None, ...], styles: list[Any]
) -> None:
    for column, (value, text, style) in enumerate(zip(values, shown, styles, strict=True)):
        if value is None or text is None:
            continue
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, (int, float, Decimal)) and _survives(value):
            sheet.write_number(row, column, float(value))
        elif isinstance(value, (date, time, timedelta)) and _is_exact(value, text):
            sheet.write_datetime(row, column, value, style)
        else:
            sheet.write_string(row, column, text)


def _survives(number: float | Decimal) -> bool:
    """Whether the 16 digits that the writer gives a number, of which Excel shows 15, are all of it."""
    shown = f"{float(number):.15G}"
    same = Decimal(shown) == number if isinstance(number, Decimal) else float(shown) == number
    return same and -_EXACT < number < _EXACT


def _is_exact(value: date | time | timedelta, text: str) -> bool:
    """Whether Excel holds the moment to the second, and without a zone of its own."""
    if isinstance(value, timedelta):
        return not value.microseconds and timedelta(0) <= value < timedelta(days=365)
    if isinstance(value, datetime) and (value.microsecond or text.endswith("Z")):
        return False
    if isinstance(value, time):
        return not value.microsecond
    return (value.date() if isinstance(value, datetime) else value) >= _FIRST_SAFE_DAY
