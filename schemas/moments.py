"""From text to dates, times of day, datetimes and durations: by the declared form, else by ISO 8601."""

import re
from datetime import date, datetime, timedelta

import polars as pl

from schemas.definition import Field
from schemas.durations import read_duration
from schemas.text_table import Cells

OFFSET = r"(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)$"
TOO_FINE = r"\.\d{6}\d*[1-9]\d*([^\d.]|$)"
"""A fraction of a second with more digits than a column keeps."""

LEAP_SECOND = r"\d:\d{2}:60([^\d:]|$)"
DAY_ZERO, NO_LEAP_DAY, NEXT_SYSTEM = date(1899, 12, 31), date(1900, 2, 28), date(1904, 1, 1)
"""A workbook counts from the first, has a 29th after the second, and may count from the third instead."""


def dates(text: pl.Series, field: Field) -> pl.Series:
    """Date; null where the text is none of the declared form, else of `YYYY-MM-DD`, midnight allowed."""
    if field.format:
        return _plausible_year(text.str.to_date(field.format, strict=False), field.format)
    days = text.str.to_date("%Y-%m-%d", strict=False)
    if days.null_count() > text.null_count():
        midnight = text.str.extract(r"^(\d{4}-\d{2}-\d{2})[T ]00:00(?::00(?:\.0+)?)?$")
        days = days.fill_null(midnight.str.to_date("%Y-%m-%d", strict=False))
    return _plausible_year(days, "%Y")


def times(text: pl.Series, field: Field) -> pl.Series:
    """Time; null where the text is no time of day, or one that a column would change."""
    text = _kept_exactly(text, field.format)
    if field.format:
        return text.str.to_time(field.format, strict=False)
    exact = text.str.to_time("%H:%M:%S%.f", strict=False)
    return exact.fill_null(text.str.to_time("%H:%M", strict=False))


def _kept_exactly(text: pl.Series, form: str | None) -> pl.Series:
    """The text without times that would be changed: finer than microseconds, or in a leap second."""
    if not text.str.contains_any([".", "60" if form else ":60"]).any():
        return text
    if form is None:
        changed = text.str.contains(TOO_FINE) | text.str.contains(LEAP_SECOND)
    else:
        # What is read where seconds must be 60 would else become the next minute.
        leap = re.sub(r"%\.?[369]?f", "", form.replace("%T", "%H:%M:%S").replace("%r", "%I:%M:%S %p"))
        whole = text.str.replace(r"(\D60)[.]\d+", "$1")
        seconds = whole.str.to_time(leap.replace("%S", "60"), strict=False) if "%S" in leap else None
        changed = text.str.contains(TOO_FINE) & ("f" in form)
        changed = changed if seconds is None else changed | seconds.is_not_null()
    return text.set(changed.fill_null(value=False), None)


def datetimes(text: pl.Series, field: Field) -> pl.Series:
    """Datetime without a zone, in UTC where the text or the field tells the zone; null where it is none."""
    if field.format is None:
        usual = text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        if usual.null_count() == text.null_count() and not text.str.contains(":60", literal=True).any():
            return _plausible_year(_to_utc(usual, field.timezone), "%Y")
    text = _kept_exactly(text, field.format)
    if field.format and "z" in field.format:
        moments = text.str.to_datetime(field.format, time_unit="us", time_zone="UTC", strict=False)
        return _plausible_year(moments.dt.replace_time_zone(None), field.format)
    if field.format:
        local = text.str.to_datetime(field.format, time_unit="us", strict=False)
        return _to_utc(_plausible_year(local, field.format), field.timezone)
    bare = text.str.replace(rf"\s*{OFFSET}", "").str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ")
    local = bare.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    for minutes in (bare, bare + " 00:00"):
        local = local.fill_null(minutes.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False))
    offset = _offset(text)
    zoned = _to_utc(local.set(offset.is_not_null(), None), field.timezone)
    return _plausible_year(zoned.fill_null(local - offset), "%Y")


def _offset(text: pl.Series) -> pl.Series:
    """What the text says of its distance from UTC, as a Duration; null where it says nothing."""
    found = text.str.extract(OFFSET).str.replace("^Z$", "+0000").str.replace(":", "", literal=True)
    hours = found.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = found.str.slice(3, 2).cast(pl.Int64, strict=False)
    sign = pl.select(pl.when(found.str.starts_with("-")).then(-1).otherwise(1)).to_series()
    return (sign * (hours * 60 + minutes) * 60_000_000).cast(pl.Duration("us"))


def _to_utc(local: pl.Series, timezone: str | None) -> pl.Series:
    if timezone is None:
        return local
    zoned = local.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def plausible_year(values: pl.Expr, form: str) -> pl.Expr:
    """False where four digits are declared for the year and the text has fewer: `65` would be the year 65."""
    return values.dt.year().is_between(1000, 9999) if "%Y" in form else pl.lit(value=True)


def _plausible_year(values: pl.Series, form: str) -> pl.Series:
    """Refuse what is not plausible."""
    if "%Y" not in form:
        return values
    plausible = values.to_frame("").select(plausible_year(pl.col(""), form)).to_series()
    return values if plausible.all() else values.set(~plausible.fill_null(value=True), None)


def durations(text: pl.Series, cells: Cells) -> pl.Series:
    """Duration in microseconds; null where the text is none.

    Args:
        cells: where they are not `TEXT`, a date soon after 1900 is how a workbook's reader shows a duration.
    """
    lengths = [None if value is None else read_duration(value) for value in text]
    read = pl.Series(text.name, lengths, dtype=pl.Duration("us"))
    return read if cells is Cells.TEXT else read.fill_null(_since_day_zero(text))


def _since_day_zero(text: pl.Series) -> pl.Series:
    """What a duration of a day and more is, read as the date so many days after the workbook's day zero.

    Two durations read as the same moment of the 28 February 1900, and from 1904 on nobody knows from which
    day was counted: those are null.
    """
    moments = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    moments = moments.fill_null(text.str.to_datetime("%Y-%m-%d", time_unit="us", strict=False))
    days = moments.dt.date()
    lengths = moments - datetime.combine(DAY_ZERO, datetime.min.time())
    after = days > NO_LEAP_DAY
    lengths = lengths.zip_with(~after, lengths + timedelta(days=1))
    return lengths.set(((days == NO_LEAP_DAY) | (days >= NEXT_SYSTEM)).fill_null(value=False), None)
