"""What a mapping makes: its targets, each a field of the definition."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.mapping.document import DataType, FieldMap, Mapping, When

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
        ValueError: two rules make the same target, or parts of one are for create and parts for update.
    """
    found: dict[str, Target] = {}
    paths: set[tuple[str, ...]] = set()
    for path, target in _made(mapping):
        if any(path[:length] in paths for length in range(1, len(path) + 1)) or any(
            path == other[: len(path)] for other in paths
        ):
            raise ValueError(f"the mapping generates {'.'.join(path)!r} twice")
        paths.add(path)
        if found.setdefault(target.name, target).written != target.written:
            raise ValueError(f"parts of {target.name!r} are for create or update alone, and others are not")
    return tuple(found.values())


def _made(mapping: Mapping) -> Iterator[tuple[tuple[str, ...], Target]]:
    for rule in mapping.fields:
        yield rule.path, _target(rule)
    for made in mapping.lists:
        yield made.path, Target(made.path[0], is_nested=True)


def _target(rule: FieldMap) -> Target:
    name, *members = rule.path
    if members:
        return Target(name, written=_written(rule), is_nested=True)
    return Target(name, rule.data_type, _written(rule), None if rule.is_hard_coded else rule.extract)


def _written(rule: FieldMap) -> Written:
    if rule.immutable or rule.when is When.RECORD_CREATED:
        return "on_create"
    return "on_update" if rule.when is When.RECORD_UPDATED else "always"
