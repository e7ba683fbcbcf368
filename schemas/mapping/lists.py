"""Lists made ready: one object for each element of a list of the record."""

from collections.abc import Callable, Mapping as Members
from dataclasses import dataclass, replace
from typing import Any

from schemas.mapping.document import ListMap, Lookup
from schemas.mapping.rules import Rule, ready
from schemas.mapping.sources import Place, as_elements, followed, path_steps
from schemas.mapping.values import ABSENT, RuleError

Elements = Callable[[Members[str, Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class ListRule:
    """One list made ready.

    Attributes:
        elements: gives the elements that the rules start from; None: they start from the record.
        counted: give the lists that the rules go through.
    """

    path: tuple[str, ...]
    rules: tuple[Rule, ...]
    elements: Elements | None
    counted: tuple[Elements, ...]

    def make(self, place: Place) -> list[dict[str, Any]]:
        """The list; raises `TemplateError` with the element and the rule in its message."""
        if self.elements is None:
            lengths = [len(lines(place.names)) for lines in self.counted]
            return [
                self._element(replace(place, position=position))
                for position in range(max(lengths) if lengths else 1)
            ]
        return [
            self._element(_at(place, element, position))
            for position, element in enumerate(self.elements(place.names))
        ]

    def _element(self, place: Place) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for rule in self.rules:
            place.scope.budget.charge(0)
            try:
                value = rule.make(place)
            except RuleError as error:
                where = f"element {(place.position or 0) + 1}, {'.'.join(rule.path)}"
                raise RuleError(error.code, f"{where}: {error}", error.source) from error
            if value is not ABSENT:
                put(made, rule.path, value)
        return made


def ready_list(made: ListMap, lookups: Members[str, Lookup]) -> ListRule:
    """The list made ready."""
    start = made.json_path.removesuffix("[*]") if made.json_path else None
    rules = tuple(
        ready(rule, lookups, extract=_within(rule.extract, start), in_list=start is None)
        for rule in made.fields
    )
    counted = tuple(lines for rule in rules if rule.source for lines in rule.source.lists)
    return ListRule(made.path, rules, None if start is None else _elements(start), counted)


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Set a member of an object, making the objects that lead to it."""
    *above, name = path
    for step in above:
        values = values.setdefault(step, {})
    values[name] = value


def _within(extract: str | None, start: str | None) -> str | None:
    if extract is None or start is None:
        return extract
    return extract.removeprefix(f"{start}[*].")


def _elements(start: str) -> Elements:
    steps = path_steps(start)
    return lambda record: as_elements(record[start] if start in record else followed(record, steps))


def _at(place: Place, element: Any, position: int) -> Place:  # noqa: ANN401 - any JSON value
    names = element if isinstance(element, Members) else {}
    return Place(names, replace(place.scope, names=names, frames=[]), position)
