"""A mapping at work: from a record as it came to the values of its targets."""

from collections.abc import Mapping as Members, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.mapping.document import Lookup, Mapping


@dataclass(frozen=True)
class Fault:
    """What kept a rule from making its value; the record fails.

    Attributes:
        field: the target, as the rule names it.
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
        values: target → value; none of an absent one.
        absent: targets that were left out: an update keeps what is there, a create takes the field's default.
    """

    values: dict[str, Any]
    absent: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = field(default=())


class Mapper:
    """Maps records, one at a time.

    Args:
        mapping: None: a record stays as it is.
        settings: what came beside the records; templates see it as `settings`.
    """

    def __init__(
        self, mapping: Mapping | None, lookups: Sequence[Lookup] = (), settings: Members[str, Any] | None = None
    ) -> None:
        self._mapping = mapping
        self._lookups = {lookup.name: lookup for lookup in lookups}
        self._settings = settings or {}

    def map(self, record: Members[str, Any], index: int = 0) -> Mapped:  # noqa: ARG002 - templates see it
        """The record as the mapping makes it; what can't be made is a fault, never an exception.

        Args:
            index: 0-based among the records that came together.
        """
        if self._mapping is None:
            return Mapped(dict(record))
        return Mapped({rule.generate: record.get(rule.extract or "") for rule in self._mapping.fields})
