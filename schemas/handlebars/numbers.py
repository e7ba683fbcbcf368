"""Arithmetic of templates: in decimal, so that 0.1 and 0.2 are 0.3."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Literal

from schemas.value_text import number_text

MOST_DIGITS = 40
MOST_CHARS = 200
_SUMS = Context(prec=MOST_DIGITS)
_QUOTIENTS = Context(prec=16)
"""As many digits as JavaScript would tell."""
_ROUNDINGS = {"up": ROUND_CEILING, "down": ROUND_FLOOR}


def number(value: Any) -> Decimal:  # noqa: ANN401 - any JSON value
    """The number that a value is, or that a text tells.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        try:
            text = value.strip() if isinstance(value, str) else number_text(value)
            found = Decimal(text if len(text) <= MOST_CHARS else "nan")
        except (InvalidOperation, ValueError):
            found = Decimal("nan")
        if found.is_finite() and abs(found.adjusted()) < MOST_CHARS:
            return found
    raise ValueError("not a number")


def total(values: Iterable[Any]) -> Decimal:
    """The sum."""
    found = Decimal(0)
    for value in values:
        found = _SUMS.add(found, number(value))
    return _plain(found)


def difference(first: Any, second: Any) -> Decimal:  # noqa: ANN401 - any JSON value
    """What is left of the first without the second."""
    return _plain(_SUMS.subtract(number(first), number(second)))


def product(first: Any, second: Any) -> Decimal:  # noqa: ANN401 - any JSON value
    """The first times the second."""
    return _plain(_SUMS.multiply(number(first), number(second)))


def quotient(first: Any, second: Any) -> Decimal:  # noqa: ANN401 - any JSON value
    """The first by the second.

    Raises:
        ValueError: the second is zero.
    """
    divisor = number(second)
    if not divisor:
        raise ValueError("nothing can be divided by zero")
    return _plain(_QUOTIENTS.divide(number(first), divisor))


def whole(value: Any, way: Literal["up", "down", "nearest"]) -> Decimal:  # noqa: ANN401 - any JSON value
    """The whole number next to it; what lies in the middle goes up."""
    if way == "nearest":
        return (number(value) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    return number(value).to_integral_value(_ROUNDINGS[way])


def fixed(value: Any, digits: Any) -> str:  # noqa: ANN401 - any JSON values
    """The number with so many digits after the point.

    Raises:
        ValueError: those are more than 20.
    """
    places = number(digits)
    if not 0 <= places <= 20:
        raise ValueError("toFixed takes 0 to 20 digits")
    exact = number(value)
    rounded = exact.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP, Context(prec=MOST_CHARS + 40))
    return format(rounded, "f")


def _plain(found: Decimal) -> Decimal:
    """Without zeros at the end."""
    return found.normalize(Context(prec=MOST_DIGITS))
