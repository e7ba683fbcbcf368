"""What a value becomes by the `dataType` of its rule."""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal

from schemas.handlebars import TemplateError
from schemas.value_text import as_text, is_finite

LONGEST_NUMBER = 200
"""Characters."""

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_TRUE = frozenset({"true", "yes", "y", "t", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "f", "off", "0"})


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""In place of a value: the rule is not applied."""


class RuleError(TemplateError):
    """A rule that can't make its value of this record.

    Attributes:
        code: a code of `schemas.codes`.
    """

    def __init__(self, code: str, message: str, source: Literal["mapping", "lookup"] = "mapping") -> None:
        super().__init__(message)
        self.code = code
        self.source = source


def _number(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if isinstance(value, int) or is_finite(value):
            return value
    elif isinstance(value, str) and len(text := value.strip()) <= LONGEST_NUMBER:
        if _WHOLE.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return Decimal(text)
    raise RuleError("mapping.type", "not a number")


def _boolean(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return value
    text = as_text(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise RuleError("mapping.type", "not a yes or a no; give true or false")


CONVERSIONS: dict[str, Callable[[Any], Any]] = {"string": as_text, "number": _number, "boolean": _boolean}
"""`dataType` → what makes such a value of one that is not empty; raises `RuleError`."""
