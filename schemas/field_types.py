"""The types of fields, and how a document writes a value of each."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from schemas.durations import read_duration

Scalar = str | int | float | bool
_Real = TypeVar("_Real", float, Decimal)
Typed = str | int | float | bool | Decimal | date | time | datetime | timedelta

DECIMAL_DIGITS = 38
DECIMAL_SCALE = 12
NUMBER_FORMS = MappingProxyType(
    {
        "1,234.5": (",", r"\."),
        "1.234,5": (r"\.", ","),
        "1 234,5": ("[ \u00a0\u202f]", ","),
        "1'234.5": ("['\u2019]", r"\."),
    }
)
"""How numbers may be written in text → what separates thousands, and what the fraction: regular expressions."""


class FieldType(StrEnum):
    """What a value is; the file always brings text."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DURATION = "duration"
    CHOICE = "choice"
    MULTICHOICE = "multichoice"
    JSON = "json"
    UUID = "uuid"
    EMAIL = "email"


NUMERIC = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL})
TEMPORAL = frozenset({FieldType.DATE, FieldType.TIME, FieldType.DATETIME})
MEASURED = NUMERIC | TEMPORAL | {FieldType.DURATION}
"""Types whose values have an order that a limit can speak of."""

TEXTUAL = frozenset({FieldType.STRING, FieldType.EMAIL})
CHOICES = frozenset({FieldType.CHOICE, FieldType.MULTICHOICE})


def typed_value(field_type: FieldType, value: Scalar, timezone: str | None = None) -> Typed:
    """The value that a document means by `value` in a `min`, `max` or `default` of this type.

    Args:
        timezone: IANA zone of a datetime that carries no offset; None for UTC, or where no zone is known.

    Raises:
        ValueError: `value` is none of this type.
    """
    is_datetime = field_type is FieldType.DATETIME
    read = partial(_datetime, timezone=timezone) if is_datetime else _READERS.get(field_type)
    if read is None:
        return value if isinstance(value, str) else str(value)
    try:
        return read(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(f"{value!r} is no value of type {field_type.value!r}") from error


def _integer(value: Scalar) -> int:
    whole = int(value)
    is_cut = isinstance(value, float) and whole != value
    if isinstance(value, bool) or is_cut or not -(2**63) <= whole < 2**63:
        raise ValueError
    return whole


def _number(value: Scalar) -> float:
    if isinstance(value, bool):
        raise TypeError
    return _finite(float(value))


def _decimal(value: Scalar) -> Decimal:
    return _finite(Decimal(str(value)))


def _finite(number: _Real) -> _Real:
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: Scalar) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _duration(value: Scalar) -> timedelta:
    length = read_duration(str(value))
    if length is None:
        raise ValueError
    return length


def _datetime(value: Scalar, timezone: str | None) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None and timezone is not None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_READERS: Mapping[FieldType, Callable[[Scalar], Typed]] = {
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.DECIMAL: _decimal,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: lambda value: date.fromisoformat(str(value)),
    FieldType.TIME: lambda value: time.fromisoformat(str(value)),
    FieldType.DURATION: _duration,
}
