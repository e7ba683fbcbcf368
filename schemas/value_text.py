"""A JSON value as text, as JavaScript would write it but with every digit."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_PLAIN_EXPONENT = 30


def is_empty(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """True for null, an empty text, an empty list and an empty object."""
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """The value as text: nothing for null, the elements of a plain list with commas between, else JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list | tuple) and not any(isinstance(e, list | tuple | Mapping) for e in value):
        return ",".join(map(as_text, value))
    return as_json(value)


def as_json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """The value as JSON without blanks, numbers with every digit."""
    if isinstance(value, Mapping):
        return (
            "{"
            + ",".join(f"{json.dumps(str(k), ensure_ascii=False)}:{as_json(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(as_json, value)) + "]"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)


def is_finite(number: float | Decimal) -> bool:
    """False for infinity and what is no number, of either kind."""
    return number.is_finite() if isinstance(number, Decimal) else math.isfinite(number)


def number_text(number: float | Decimal) -> str:
    """The number as JSON writes it: without a fraction of zeros, without an exponent where it is not long."""
    if isinstance(number, int):
        return format(Decimal(number), "f")
    if not is_finite(number):
        return "null"
    exact = Decimal(repr(number)) if isinstance(number, float) else number
    plain = -_PLAIN_EXPONENT < exact.adjusted() < _PLAIN_EXPONENT
    if not plain:
        return str(exact)
    if isinstance(number, float) and exact == exact.to_integral_value():
        exact = exact.to_integral_value()
    return format(exact, "f")
