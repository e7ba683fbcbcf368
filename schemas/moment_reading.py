"""Dates read by the tokens of moment.js, strictly: a text that is not of the form is none."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from schemas.moment_format import EPOCH, MONTHS, WRITERS, literal, tokens

MOST_CHARS = 200
"""No date is longer."""
ISO = frozenset({None, "", "ISO8601", "ISO 8601"})
"""What stands for ISO 8601 where a format is asked for."""

_WORD = r"(?:[A-Za-z]+)"
_READ_AS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<year>\d{2})",
    "MMMM": r"(?P<month_name>[A-Za-z]+)",
    "MMM": r"(?P<month_name>[A-Za-z]+)",
    "MM": r"(?P<month>\d{1,2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
    "Do": r"(?P<day>\d{1,2})(?:st|nd|rd|th)",
    "dddd": _WORD,
    "ddd": _WORD,
    "dd": _WORD,
    "HH": r"(?P<hour>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<hour>\d{1,2})",
    "h": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{1,2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{1,2})",
    "s": r"(?P<second>\d{1,2})",
    "A": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "a": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "Z": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
    "ZZ": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
    "X": r"(?P<seconds>-?\d{1,12}(?:\.\d{1,6})?)",
    "x": r"(?P<milliseconds>-?\d{1,15})",
}


@dataclass(frozen=True)
class Told:
    """What a text says of a moment.

    Attributes:
        moment: aware where the text tells how far it is from UTC.
        has_time: false where it tells the day alone.
    """

    moment: datetime
    has_time: bool = True


def read_date(value: Any, form: str | None) -> Told:  # noqa: ANN401 - any JSON value
    """What a value says of a moment; a number is of milliseconds since 1970 where no form is given.

    Args:
        form: None for ISO 8601.

    Raises:
        ValueError: it is no date of this form, or the form is none.
    """
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number and not isinstance(value, str):
        raise ValueError("not a date")
    if form not in ISO:
        return reader(str(form))(str(value))
    try:
        if is_number:
            return Told(EPOCH + timedelta(milliseconds=float(value)))
        return _iso(value.strip())
    except (ValueError, OverflowError) as error:
        raise ValueError("not a date of ISO 8601, such as 2024-02-29T13:44:18Z") from error


def _iso(text: str) -> Told:
    if len(text) > MOST_CHARS:
        raise ValueError("too long")
    try:
        return Told(datetime.combine(date.fromisoformat(text), datetime.min.time()), has_time=False)
    except ValueError:
        return Told(datetime.fromisoformat(text))


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """The moment, aware where it was or a zone is given.

    Raises:
        ValueError: it falls in an hour that the zone skips or has twice.
    """
    if zone is None or moment.tzinfo is not None:
        return moment
    aware = moment.replace(tzinfo=zone)
    if aware.utcoffset() != aware.replace(fold=1).utcoffset():
        raise ValueError("falls in an hour that the time zone skips or has twice")
    return aware


@lru_cache(maxsize=256)
def reader(form: str) -> Callable[[str], Told]:
    """Reads texts of this form; the reader raises `ValueError` where a text is not of it.

    Raises:
        ValueError: the form has a token that is not served, or names no year.
    """
    expression = _expression(form)
    if not {"year", "seconds", "milliseconds"} & expression.groupindex.keys():
        raise ValueError(f"the date format {form!r} names no year")
    has_time = bool({"hour", "seconds", "milliseconds"} & expression.groupindex.keys())

    def read(text: str) -> Told:
        found = expression.fullmatch(text.strip()) if len(text) <= MOST_CHARS else None
        if found is None:
            raise ValueError(f"not a date of the form {form}")
        parts = {name: part for name, part in found.groupdict().items() if part is not None}
        try:
            return Told(_moment(parts), has_time)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"not a date of the form {form}") from error

    return read


def _expression(form: str) -> re.Pattern[str]:
    """Matches texts of this form; nothing in it can match the same text in many ways."""
    parts = [_read_as(token) for token in tokens(form)]
    pattern = "".join(part for index, part in enumerate(parts) if part != r"\s+" or parts[index - 1] != part)
    if pattern.count(_WORD) > 1:
        raise ValueError(f"the date format {form!r} names the day of the week twice")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"the date format {form!r} names the same part twice") from error


def _read_as(token: str) -> str:
    if set(token) == {"S"}:
        return r"(?P<fraction>\d{1,9})"
    if (known := _READ_AS.get(token)) is not None:
        return known
    if token in WRITERS:
        raise ValueError(f"the token {token!r} of moment.js is for writing dates, not for reading them")
    text = literal(token)
    return r"\s+" if text.isspace() else re.escape(text)


def _moment(parts: Mapping[str, str]) -> datetime:
    if "milliseconds" in parts:
        return EPOCH + timedelta(milliseconds=int(parts["milliseconds"]))
    if "seconds" in parts:
        return EPOCH + timedelta(seconds=float(parts["seconds"]))
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        # moment.js: up to 68 is this century.
        year += 2000 if year <= 68 else 1900
    return datetime(
        year,
        _month(parts),
        int(parts.get("day", 1)),
        _hour(parts),
        int(parts.get("minute", 0)),
        int(parts.get("second", 0)),
        int(f"{parts.get('fraction', '0'):0<6}"[:6]),
        tzinfo=_zone(parts.get("offset")),
    )


def _month(parts: Mapping[str, str]) -> int:
    name = parts.get("month_name")
    if name is None:
        return int(parts.get("month", 1))
    for number, month in enumerate(MONTHS, start=1):
        if name.lower() in {month.lower(), month[:3].lower()}:
            return number
    raise ValueError(f"{name!r} is no month")


def _hour(parts: Mapping[str, str]) -> int:
    hour = int(parts.get("hour", 0))
    half = parts.get("half", "").lower()[:1]
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} is no hour of half a day")
    return hour % 12 + (12 if half == "p" else 0)


def _zone(offset: str | None) -> tzinfo | None:
    if offset is None or offset == "Z":
        return None if offset is None else UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
