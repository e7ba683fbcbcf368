"""Records as a file for another system: what a definition of the same fields reads back as the same values."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from schemas.definition import Field
from schemas.field_types import TEMPORAL, FieldType

SHEET_RECORDS = 1_048_575
"""A sheet of Excel holds no more rows below its header."""

_EXACT_INTEGER = 10**15
_FIRST_SAFE_YEAR = 1901
"""In 1900 Excel counts a day that never was."""
_ISO = {
    FieldType.DATE: "%Y-%m-%d",
    FieldType.TIME: "%H:%M:%S%.f",
    FieldType.DATETIME: "%Y-%m-%dT%H:%M:%S%.f",
}
_FORMS = {FieldType.DATE: "yyyy-mm-dd", FieldType.DATETIME: "yyyy-mm-dd hh:mm:ss.000"}
_SAME_BYTES = {"created": datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)}
"""Of a workbook: a file that is written again is the same file."""

Frames = Iterable[pl.DataFrame]
"""Records in order, each frame with a typed column for each field, named as the field."""


def write_records(
    kind: str, path: Path, fields: Sequence[Field], headers: Sequence[str], frames: Frames
) -> None:
    """Write the records to the file, whole or not at all.

    Dates and times are ISO 8601, with `Z` where the field declares a time zone; choices are separated by `;`.
    Blank is an empty cell, and in JSON Lines an empty text: each value is what a csv file would have.

    Args:
        kind: `csv`, `xlsx` or `jsonl`.
        headers: what the file calls each field.
    """
    temporary = path.with_name(f"{path.name}.part")
    WRITERS[kind](temporary, fields, headers, frames)
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.rename(path)


def texts(values: pl.Series, field: Field) -> pl.Series:
    """(n,) String of the typed values; null stays null."""
    if field.type in _WRITTEN:
        written = _WRITTEN[field.type]
        return pl.Series([None if value is None else written(value) for value in values], dtype=pl.String)
    if field.type is FieldType.BOOLEAN:
        return values.replace_strict({True: "true", False: "false"}, default=None, return_dtype=pl.String)
    if field.type is FieldType.DECIMAL:
        return values.cast(pl.String).str.replace(r"\.?0+$", "")
    if field.type in TEMPORAL:
        zone = "Z" if field.timezone else ""
        return values.dt.to_string(_ISO[field.type] + zone)
    return values.cast(pl.String)


def _clock(length: timedelta) -> str:
    seconds, microseconds = divmod(abs(length) // timedelta(microseconds=1), 1_000_000)
    fraction = f".{microseconds:06}" if microseconds else ""
    sign = "-" if length < timedelta(0) else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _choices(listed: str) -> str:
    return ";".join(json.loads(listed))


_WRITTEN: Mapping[FieldType, Callable[[Any], str]] = {
    FieldType.DURATION: _clock,
    FieldType.MULTICHOICE: _choices,
}


def _text_rows(fields: Sequence[Field], frames: Frames) -> Iterator[tuple[str | None, ...]]:
    for frame in frames:
        yield from zip(*(texts(frame[field.name], field) for field in fields), strict=True)


def _write_csv(path: Path, fields: Sequence[Field], headers: Sequence[str], frames: Frames) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(headers)
        writer.writerows(_text_rows(fields, frames))


def json_lines(fields: Sequence[Field], headers: Sequence[str], frames: Frames) -> Iterator[str]:
    """Each record as it stands in a file of JSON Lines, with the end of its line."""
    for row in _text_rows(fields, frames):
        record = dict(zip(headers, ("" if text is None else text for text in row), strict=True))
        yield json.dumps(record, ensure_ascii=False) + "\n"


def _write_jsonl(path: Path, fields: Sequence[Field], headers: Sequence[str], frames: Frames) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(json_lines(fields, headers, frames))


def _write_xlsx(path: Path, fields: Sequence[Field], headers: Sequence[str], frames: Frames) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties(_SAME_BYTES)
        sheet = book.add_worksheet()
        forms = [book.add_format({"num_format": _FORMS[f.type]}) if f.type in _FORMS else None for f in fields]
        sheet.write_row(0, 0, headers)
        rows = (row for frame in frames for row in _typed_rows(fields, frame))
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, value, forms[column])


def _typed_rows(fields: Sequence[Field], frame: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Each value as Excel can hold it, or else its text."""
    columns = ((field, frame[field.name]) for field in fields)
    pairs = (zip(values, texts(values, field), strict=True) for field, values in columns)
    for row in zip(*pairs, strict=True):
        yield tuple(
            value if _fits(field, value) else text for field, (value, text) in zip(fields, row, strict=True)
        )


def _fits(field: Field, value: object) -> bool:
    """Whether Excel keeps the value as it is; a moment in a declared time zone it does not."""
    match value:
        case bool():
            return True
        case int() | float():
            return abs(value) < _EXACT_INTEGER
        case date():
            return value.year >= _FIRST_SAFE_YEAR and field.timezone is None
        case _:
            return False


WRITERS: Mapping[str, Callable[[Path, Sequence[Field], Sequence[str], Frames], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "xlsx": _write_xlsx,
}
"""Kind of file → what writes it."""
