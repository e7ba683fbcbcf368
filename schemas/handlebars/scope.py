"""What a template sees while it is filled in, and how much it may make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.handlebars.nodes import Path
from schemas.value_text import as_text

MOST_MADE_CHARS = 2_000_000
"""Of all texts that are made on the way, taken together."""
MOST_STEPS = 100_000
MOST_MAPPED_CHARS = 32_000_000
"""Of all values that a mapping takes from one record, taken together."""
_ELEMENT_CHARS = 16
"""What an element of a list counts for."""


class TemplateError(ValueError):
    """A template could not be filled in with this record."""


@dataclass(slots=True)
class Budget:
    """What may still be made of one record, whatever the number of templates."""

    chars: int = MOST_MADE_CHARS
    steps: int = MOST_STEPS
    mapped_chars: int = MOST_MAPPED_CHARS

    def take(self, value: object) -> None:
        """Count a value that a mapping has made.

        Raises:
            TemplateError: it is too much.
        """
        if type(value) is str:
            self.mapped_chars -= len(value)
        elif type(value) is list:
            self.mapped_chars -= _ELEMENT_CHARS * len(value)
        if self.mapped_chars < 0:
            raise TemplateError("the mapping makes too much of this record")

    def charge(self, chars: int) -> None:
        """Count one step, and what it makes.

        Raises:
            TemplateError: it is too much.
        """
        self.chars -= chars
        self.steps -= 1
        if self.chars < 0 or self.steps < 0:
            raise TemplateError("the templates make too much of this record")


@dataclass(slots=True)
class Frame:
    """One block that is being written for an element.

    Attributes:
        this: the element; outermost, the record.
    """

    this: Any
    position: int | None = None
    key: str | int | None = None
    is_last: bool = False


@dataclass(slots=True)
class Scope:
    """The record that templates are filled in for.

    Attributes:
        names: what the names of the template are members of.
        record: what `record.` and `data.0.` lead to: the whole record.
        lookups: name → what gives what stands for a value.
        index: 0-based among the records that came together.
    """

    names: Mapping[str, Any]
    record: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    lookups: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    index: int = 0
    budget: Budget = field(default_factory=Budget)
    frames: list[Frame] = field(default_factory=list)

    def text(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """The value as text, counted."""
        text = as_text(value)
        self.budget.charge(len(text))
        return text

    def value(self, path: Path) -> Any:  # noqa: ANN401 - any JSON value
        """What a path leads to; None where nothing is."""
        if path.base and path.base != "@root":
            return self._loop_value(path.base)
        depth = len(self.frames) - path.ups if not path.base else 0
        if depth > 0:
            return _followed(self.frames[depth - 1].this, path.names)
        if path.whole and path.whole in self.names:
            return self.names[path.whole]
        if not path.names:
            return self.names
        first, *rest = path.names
        return _followed(self._outermost(first), tuple(rest))

    def _outermost(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        if name in self.names:
            return self.names[name]
        around = {"record": self.record, "data": [self.record], "settings": self.settings}
        return around.get(name)

    def _loop_value(self, base: str) -> Any:  # noqa: ANN401 - any JSON value
        if not self.frames:
            return self.index if base == "@index" else None
        frame = self.frames[-1]
        if base == "@index":
            return frame.position
        if base == "@key":
            return frame.key
        return frame.position == 0 if base == "@first" else frame.is_last


def _followed(value: Any, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON value
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple) and name.isdecimal() and len(name) < 10:
            value = value[int(name)] if int(name) < len(value) else None
        elif name == "length" and isinstance(value, str | list | tuple):
            value = len(value)
        else:
            return None
    return value
