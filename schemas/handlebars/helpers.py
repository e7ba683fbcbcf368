"""The helpers that templates may call: a closed list of those that integrator.io documents.

Source: https://docs.celigo.com, "Handlebars helper reference", as in github.com/celigo/ai (read 2026-11-28).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.handlebars import dates, numbers
from schemas.handlebars.scope import Scope, TemplateError

MANY = 50


@dataclass(frozen=True, slots=True)
class Helper:
    """One helper.

    Attributes:
        make: what it makes of the values that it is called with; raises `ValueError`.
        fewest, most: how many values it takes.
    """

    make: Callable[[Scope, tuple[Any, ...]], Any]
    fewest: int
    most: int


def made(helper: Helper, scope: Scope, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any JSON value
    """What the helper makes, counted.

    Raises:
        TemplateError: it can't make anything of these.
    """
    try:
        value = helper.make(scope, arguments)
    except TemplateError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise TemplateError(str(error) or "the numbers are out of range") from error
    scope.budget.charge(len(value) if isinstance(value, str) else 1)
    return value


def _on_text(change: Callable[[str], str]) -> Helper:
    return Helper(lambda scope, values: change(scope.text(values[0])), 1, 1)


def _capitalized_words(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


def _replace(scope: Scope, values: tuple[Any, ...]) -> str:
    text, old, new = (scope.text(value) for value in values)
    if not old:
        return text
    scope.budget.charge(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _substring(scope: Scope, values: tuple[Any, ...]) -> str:
    text = scope.text(values[0])
    places = [min(max(int(numbers.number(place)), 0), len(text)) for place in values[1:]]
    start, end = sorted([*places, len(text)][:2])
    return text[start:end]


def _split(scope: Scope, values: tuple[Any, ...]) -> str:
    text, mark = scope.text(values[0]), scope.text(values[1])
    parts = text.split(mark) if mark else list(text)
    place = int(numbers.number(values[2])) if len(values) > 2 else 0
    return parts[place] if 0 <= place < len(parts) else ""


def _join(scope: Scope, values: tuple[Any, ...]) -> str:
    return scope.text(values[0]).join([scope.text(value) for value in _flat(scope, values[1:])])


def _flat(scope: Scope, values: Iterable[Any]) -> Iterable[Any]:
    """The values, and the elements of those that are lists."""
    for value in values:
        for element in value if isinstance(value, list | tuple) else (value,):
            scope.budget.charge(0)
            yield element


def _lookup(scope: Scope, values: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any JSON value
    return scope.lookups[values[0]](values[1])


HELPERS: Mapping[str, Helper] = {
    "uppercase": _on_text(str.upper),
    "lowercase": _on_text(str.lower),
    "capitalize": _on_text(lambda text: text[:1].upper() + text[1:]),
    "capitalizeAll": _on_text(_capitalized_words),
    "trim": _on_text(str.strip),
    "replace": Helper(_replace, 3, 3),
    "substring": Helper(_substring, 2, 3),
    "split": Helper(_split, 2, 3),
    "join": Helper(_join, 2, MANY),
    "lookup": Helper(_lookup, 2, 2),
    "add": Helper(lambda _, values: numbers.total(values), 1, MANY),
    "sum": Helper(lambda scope, values: numbers.total(_flat(scope, values)), 1, MANY),
    "subtract": Helper(lambda _, values: numbers.difference(*values), 2, 2),
    "multiply": Helper(lambda _, values: numbers.product(*values), 2, 2),
    "divide": Helper(lambda _, values: numbers.quotient(*values), 2, 2),
    "abs": Helper(lambda _, values: abs(numbers.number(values[0])), 1, 1),
    "ceil": Helper(lambda _, values: numbers.whole(values[0], "up"), 1, 1),
    "floor": Helper(lambda _, values: numbers.whole(values[0], "down"), 1, 1),
    "round": Helper(lambda _, values: numbers.whole(values[0], "nearest"), 1, 1),
    "toFixed": Helper(lambda _, values: numbers.fixed(*values), 2, 2),
    "timestamp": Helper(lambda scope, values: dates.timestamp(*map(scope.text, values)), 0, 2),
    "dateFormat": Helper(lambda scope, values: dates.date_format(scope.text(values[0]), *values[1:]), 2, 4),
    "dateAdd": Helper(lambda _, values: dates.date_add(*values), 1, 3),
}
