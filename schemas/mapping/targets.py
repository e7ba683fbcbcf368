"""What a mapping makes: its targets, each a field of the definition."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.mapping.document import DataType, FieldMap, Mapping, When
from schemas.mapping.sources import makes_list

Written = Literal["always", "on_create", "on_update"]


@dataclass(frozen=True)
class Target:
    """One top-level name of the records that a mapping makes.

    Attributes:
        data_type: None where the mapping says none, and of nested ones.
        extract: where the value is in the record; None where it is made otherwise.
        is_nested: its value is an object or a list.
    """

    name: str
    data_type: DataType | None = None
    written: Written = "always"
    extract: str | None = None
    is_nested: bool = False


def targets(mapping: Mapping) -> tuple[Target, ...]:
    """The targets in the order in which they are first named.

    Raises:
        ValueError: parts of one are for create or update alone, and others are not.
    """
    found: dict[str, Target] = {}
    for target in _made(mapping):
        if found.setdefault(target.name, target).written != target.written:
            raise ValueError(f"parts of {target.name!r} are for create or update alone, and others are not")
    return tuple(found.values())


def _made(mapping: Mapping) -> Iterator[Target]:
    yield from map(_target, mapping.fields)
    for made in mapping.lists:
        yield Target(made.path[0], is_nested=True)


def _target(rule: FieldMap) -> Target:
    name, *members = rule.path
    if members:
        return Target(name, written=_written(rule), is_nested=True)
    extract = None if rule.is_hard_coded else rule.extract
    is_list = extract is not None and rule.data_type is None and makes_list(extract)
    return Target(name, rule.data_type, _written(rule), extract, is_nested=is_list)


def _written(rule: FieldMap) -> Written:
    if rule.immutable or rule.when is When.RECORD_CREATED:
        return "on_create"
    return "on_update" if rule.when is When.RECORD_UPDATED else "always"
