"""Rules made ready: each becomes one function, so that a record costs only what its rules say."""

from collections.abc import Callable, Mapping as Members
from dataclasses import dataclass
from typing import Any

from schemas.mapping.dates import date_step
from schemas.mapping.document import FieldMap, Lookup, When
from schemas.mapping.sources import Place, Read, Source, source
from schemas.mapping.values import ABSENT, CONVERSIONS, RuleError
from schemas.value_text import as_text, is_empty

Step = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule made ready.

    Attributes:
        make: gives the value, or `ABSENT`; raises `TemplateError`, of which `RuleError` is one.
    """

    path: tuple[str, ...]
    make: Read
    source: Source | None


def lookup_steps(lookups: Members[str, Lookup]) -> dict[str, Step]:
    """Name → what gives what stands for a value; raises `RuleError` where nothing does and that is an error."""
    return {name: _lookup_step(lookup) for name, lookup in lookups.items()}


def ready(rule: FieldMap, lookups: Members[str, Lookup], *, extract: str | None, in_list: bool) -> Rule:
    """The rule made ready.

    Args:
        extract: the rule's own, or what is left of it within an element.
        in_list: `[*]` is one element.
    """
    found = None if rule.is_hard_coded or extract is None else source(extract, in_list=in_list)
    read = _constant(rule.hard_coded_value) if found is None else found.read
    return Rule(rule.path, _made(rule, read, lookups), found)


def _constant(value: Any) -> Read:  # noqa: ANN401 - any JSON value
    return lambda _: value


def _made(rule: FieldMap, read: Read, lookups: Members[str, Lookup]) -> Read:
    applies, change = _condition(rule, lookups), _change(rule, lookups)
    if applies is None and change is None:
        return read

    def make(place: Place) -> Any:  # noqa: ANN401 - any JSON value
        value = read(place)
        if applies is not None and not applies(value):
            return ABSENT
        return value if change is None else change(value)

    return make


def _condition(rule: FieldMap, lookups: Members[str, Lookup]) -> Callable[[Any], bool] | None:
    if rule.when is When.EXTRACT_NOT_EMPTY:
        return lambda value: not is_empty(value)
    if (name := rule.condition_lookup) is None:
        return None
    table, wanted = lookups[name].map, rule.when is When.LOOKUP_EMPTY
    return lambda value: is_empty(table.get(as_text(value))) is wanted


def _change(rule: FieldMap, lookups: Members[str, Lookup]) -> Step | None:
    """What becomes of a value once it is read; None where nothing does."""
    default, discards, data_type = rule.default, rule.discard_if_empty, rule.data_type
    convert = CONVERSIONS.get(data_type or "")
    look_up = None if rule.lookup_name is None else _lookup_step(lookups[rule.lookup_name])
    dates = None if rule.is_hard_coded else _dates(rule)
    if default is None and not discards and data_type is None and look_up is None and dates is None:
        return None

    def change(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        is_default = default is not None and is_empty(value)
        if look_up is not None and not is_default:
            value = look_up(value)
            is_default = default is not None and is_empty(value)
        value = default if is_default else value
        if is_empty(value):
            return ABSENT if discards else value if data_type in {None, "string"} else None
        if dates is not None and not is_default:
            value = dates(value)
        return value if convert is None else convert(value)

    return change


def _dates(rule: FieldMap) -> Step | None:
    step = date_step(rule)
    if step is None:
        return None

    def dates(value: Any) -> str:  # noqa: ANN401 - any JSON value
        try:
            return step(value)
        except ValueError as error:
            raise RuleError("mapping.date", str(error)) from error

    return dates


def _lookup_step(lookup: Lookup) -> Step:
    table = lookup.map

    def look_up(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        text = as_text(value)
        if text in table:
            return table[text]
        if lookup.allow_failures:
            return "" if lookup.default is None else lookup.default
        raise RuleError("mapping.lookup", f"the lookup {lookup.name!r} has nothing for the value", "lookup")

    return look_up
