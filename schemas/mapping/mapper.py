"""A mapping at work: from a record as it came to the values of its targets."""

from collections.abc import Mapping as Members, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.handlebars import Scope, TemplateError
from schemas.mapping.document import Lookup, Mapping
from schemas.mapping.lists import ListRule, put, ready_list
from schemas.mapping.rules import Rule, lookup_steps, ready
from schemas.mapping.sources import Place
from schemas.mapping.values import ABSENT, RuleError


@dataclass(frozen=True)
class Fault:
    """What kept a rule from making its value; the record fails.

    Attributes:
        field: the target.
        code: a code of `schemas.codes`.
    """

    field: str
    code: str
    message: str
    source: Literal["mapping", "lookup"] = "mapping"


@dataclass(frozen=True)
class Mapped:
    """What became of one record.

    Attributes:
        values: target → value: text, a number, a truth value, None, an object or a list; none of an absent one.
        absent: targets that were left out: an update keeps what is there, a create takes the field's default.
        faults: where there are any, the record fails.
    """

    values: dict[str, Any]
    absent: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()


class Mapper:
    """Maps records, one at a time.

    Args:
        mapping: None: a record stays as it is.
        lookups: all that the mapping names.
        settings: what came beside the records; templates see it as `settings`.
    """

    def __init__(
        self, mapping: Mapping | None, lookups: Sequence[Lookup] = (), settings: Members[str, Any] | None = None
    ) -> None:
        known = {lookup.name: lookup for lookup in lookups}
        self._settings = settings or {}
        self._lookups = lookup_steps(known)
        self._rules: tuple[Rule | ListRule, ...] | None = None
        if mapping is not None:
            rules = [ready(rule, known, extract=rule.extract, in_list=False) for rule in mapping.fields]
            self._rules = (*rules, *(ready_list(made, known) for made in mapping.lists))
            self._names = frozenset(rule.path[0] for rule in self._rules)

    def map(self, record: Members[str, Any], index: int = 0) -> Mapped:
        """The record as the mapping makes it; what can't be made is a fault, never an exception.

        Args:
            index: 0-based among the records that came together; templates see it as `@index`.
        """
        if self._rules is None:
            return Mapped(dict(record))
        place = Place(record, Scope(record, record, self._settings, self._lookups, index))
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for rule in self._rules:
            try:
                value = rule.make(place)
                place.scope.budget.take(value)
            except TemplateError as error:
                faults.append(_fault(rule.path, error))
                continue
            except RecursionError:
                faults.append(_fault(rule.path, TemplateError("objects and lists are nested too deeply")))
                continue
            if value is ABSENT:
                continue
            if len(rule.path) == 1:
                values[rule.path[0]] = value
            else:
                put(values, rule.path, value)
        absent = frozenset() if len(values) == len(self._names) else self._names - values.keys()
        return Mapped(values, absent - {fault.field for fault in faults}, tuple(faults))


def _fault(path: tuple[str, ...], error: TemplateError) -> Fault:
    message = f"{'.'.join(path)}: {error}" if len(path) > 1 else str(error)
    if isinstance(error, RuleError):
        return Fault(path[0], error.code, message, error.source)
    return Fault(path[0], "mapping.template", message)
