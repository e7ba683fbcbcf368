"""Where the value of a rule comes from: a path, the old templating, or a handlebars template."""

import re
from collections.abc import Callable, Mapping as Members
from dataclasses import dataclass
from typing import Any

from schemas.handlebars import Scope, Template

MOST_STEPS = 50
"""Names of one path."""

_OLD_BLANK = re.compile(r"\{([^{}]+)\}")
_STEP = re.compile(r"""\[\s*(?:\*|\d{1,9}|'[^']*'|"[^"]*")\s*\]|[^.\[\]]+""")
_WHOLE = re.compile(r"""(?:(?:^|\.)[^.\[\]]+|(?:^|\.?)\[\s*(?:\*|\d{1,9}|'[^']*'|"[^"]*")\s*\])+""")


@dataclass(slots=True)
class Place:
    """The record that is being mapped, and where in it a list has come to.

    Attributes:
        names: what paths and templates start from: the record, or the element of a list.
        position: 0-based, of the element of a list that is being made; None: no list is.
    """

    names: Members[str, Any]
    scope: Scope
    position: int | None = None


Read = Callable[[Place], Any]


@dataclass(frozen=True)
class Source:
    """Gives the value of a rule.

    Attributes:
        read: raises `TemplateError` where a template can't be filled in.
        lists: give the lists of the record whose elements it goes through.
        lookup_names: lookups that its template asks.
        names: what it reads of the record, as keys of a record without objects in it.
    """

    read: Read
    lists: tuple[Callable[[Members[str, Any]], list[Any]], ...] = ()
    lookup_names: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()


def source(extract: str, *, in_list: bool = False) -> Source:
    """What `extract` means.

    Args:
        in_list: `[*]` is one element, that of the position, and not all.

    Raises:
        ValueError: it can't be read, or has something that is not served.
    """
    if "{{" in extract:
        template = Template(extract)
        return Source(
            lambda place: template.fill(place.scope), lookup_names=template.lookup_names, names=template.names
        )
    if _OLD_BLANK.search(extract):
        return _filled_in(extract, in_list=in_list)
    return _path(extract, in_list=in_list)


def _filled_in(extract: str, *, in_list: bool) -> Source:
    # Split by a pattern with a group, every second part is the inside of a blank.
    parts: list[str | Source] = [
        _path(part.strip(), in_list=in_list) if index % 2 else part
        for index, part in enumerate(_OLD_BLANK.split(extract))
    ]

    def read(place: Place) -> str:
        return "".join(p if isinstance(p, str) else place.scope.text(p.read(place)) for p in parts)

    sources = [part for part in parts if isinstance(part, Source)]
    lists = tuple(found for part in sources for found in part.lists)
    return Source(read, lists, names=tuple(name for part in sources for name in part.names))


def _path(text: str, *, in_list: bool) -> Source:
    steps = path_steps(text)
    if steps == (text,):
        return Source(lambda place: place.names.get(text), names=(text,))
    if in_list and "*" in steps:
        return _element_path(text, steps)

    def read(place: Place) -> Any:  # noqa: ANN401 - any JSON value
        names = place.names
        return names[text] if text in names else followed(names, steps)

    return Source(read, names=(text,))


def _element_path(text: str, steps: tuple[str | int, ...]) -> Source:
    star = steps.index("*")
    before, after = steps[:star], steps[star + 1 :]

    def elements(record: Members[str, Any]) -> list[Any]:
        return as_elements(followed(record, before))

    def read(place: Place) -> Any:  # noqa: ANN401 - any JSON value
        if text in place.names:
            return place.names[text]
        found, position = elements(place.names), place.position or 0
        return followed(found[position], after) if position < len(found) else None

    return Source(read, (elements,))


def makes_list(extract: str) -> bool:
    """True where the value is a list, one value for each element of another."""
    return "{" not in extract and "*" in path_steps(extract)


def as_elements(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """The elements of a list; one value alone is a list of one, and nothing an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def path_steps(text: str) -> tuple[str | int, ...]:
    """The names, indices and `*` of a path, in order; what is none is one name.

    Raises:
        ValueError: it has something that is not served.
    """
    if text.startswith(("$.", "$[")):
        raise ValueError(f"{text!r} is a path of Mapper 2.0, which is not served; leave out '$.'")
    if text.startswith("*."):
        raise ValueError(f"{text!r} is for records that are lists of rows; here each record is an object")
    if not _WHOLE.fullmatch(text):
        # Headers of files are like this: `Price (net.)`, `Weight [kg]`.
        return (text,)
    steps = tuple(_step(part) for part in _STEP.findall(text))
    if len(steps) > MOST_STEPS:
        raise ValueError(f"a path has more than {MOST_STEPS} names")
    return steps


def _step(part: str) -> str | int:
    if not part.startswith("["):
        return part
    inside = part[1:-1].strip()
    if inside.isdecimal():
        return int(inside)
    return inside if inside == "*" else inside[1:-1]


def followed(value: Any, steps: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any JSON value
    """What the steps lead to; None where nothing is, and a list where one of them is `*`."""
    for index, step in enumerate(steps):
        if step == "*":
            return _each(as_elements(value), steps[index + 1 :])
        if isinstance(value, Members):
            value = value.get(str(step))
        elif isinstance(value, list) and str(step).isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def _each(elements: list[Any], steps: tuple[str | int, ...]) -> list[Any]:
    found = [followed(element, steps) for element in elements]
    # Each further `*` has made a list of its own: all become one.
    return [inner for value in found for inner in value] if "*" in steps else found
