"""Which columns of a file the rules of a mapping read, and what is wrong with those that are there."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from schemas.definition import Definition
from schemas.errors import FileRefusedError
from schemas.headers import FAILED_ROWS_COLUMN, normalise
from schemas.mapping import FieldMap
from schemas.text_table import Column

_BEGINNING = re.compile(r"""\[\s*(?:'([^']*)'|"([^"]*)")\s*\]|([^.\[\]]+)""")


def read_names(definition: Definition) -> frozenset[str]:
    """Every name that a rule of the definition's mapping may look up in a row; some may be none."""
    if (mapping := definition.mapping) is None:
        return frozenset()
    lists = [made.json_path for made in mapping.lists if made.json_path is not None]
    read = [name for rule in mapping.rules for name in rule.read_names]
    return frozenset(name for path in (*lists, *read) for name in _names_of(path))


def plain_extracts(definition: Definition) -> dict[str, str]:
    """Target → where its rule reads its value, as it is written; of targets that are no objects or lists."""
    read = {target: _extract(rule) for target, rule in _rules(definition).items()}
    return {target: extract for target, extract in read.items() if extract}


def mapped_columns(definition: Definition, columns: Sequence[Column]) -> list[Column]:
    """For each field the column of the file that its rule reads alone; where none is, the field's own name."""
    there = {normalise(column.header): column for column in columns if normalise(column.header)}
    rules = _rules(definition)
    found = [there.get(normalise(_extract(rules.get(f.target)))) for f in definition.fields]
    pairs = zip(definition.fields, found, strict=True)
    return [column or Column(field.target, None) for field, column in pairs]


def _rules(definition: Definition) -> dict[str, FieldMap]:
    """Target → the one rule that makes it; none of nested targets."""
    fields = () if definition.mapping is None else definition.mapping.fields
    return {rule.generate: rule for rule in fields if len(rule.path) == 1}


def _extract(rule: FieldMap | None) -> str:
    """Where the rule reads its value; empty where it reads none."""
    return "" if rule is None or rule.is_hard_coded else rule.extract or ""


def lacking(definition: Definition, columns: Sequence[Column]) -> dict[str, str]:
    """Target → the header that its rule reads alone, of those that the file does not have."""
    there = {normalise(column.header) for column in columns}
    read = {target: _extract(rule) for target, rule in _rules(definition).items() if rule.default is None}
    return {
        target: extract
        for target, extract in read.items()
        if extract and "{" not in extract and there.isdisjoint(map(normalise, _names_of(extract)))
    }


def refuse_lacking(definition: Definition, lacking: Mapping[str, str]) -> None:
    """A column that a field needs has to be there, as without a mapping.

    Raises:
        FileRefusedError: `header.missing`.
    """
    needed = [f.target for f in definition.fields if f.must_be_in_file(definition.key)]
    if missing := [repr(lacking[target]) for target in needed if target in lacking]:
        noun = "column is" if len(missing) == 1 else "columns are"
        raise FileRefusedError(
            "header.missing", f"{len(missing)} required {noun} missing: {', '.join(missing)}"
        )


def refuse_twice(columns: Sequence[Column], is_read: Sequence[bool]) -> None:
    """No two columns may have a header that a rule reads.

    Raises:
        FileRefusedError: `header.duplicate`.
    """
    read = [c.header for c, one_reads in zip(columns, is_read, strict=True) if one_reads]
    twice = [header for header, times in Counter(map(normalise, read)).items() if times > 1]
    if twice:
        raise FileRefusedError(
            "header.duplicate", f"several columns are headed {twice[0]!r}, which a rule reads; keep one of them"
        )


def unread(definition: Definition, columns: Sequence[Column], is_read: Sequence[bool]) -> tuple[str, ...]:
    """The headers that no rule reads.

    Raises:
        FileRefusedError: `header.unknown`, there are some and the policy says so.
    """
    headers = [c.header for c, one_reads in zip(columns, is_read, strict=True) if not one_reads]
    unknown = tuple(header for header in headers if normalise(header) not in {"", FAILED_ROWS_COLUMN})
    if unknown and definition.policies.unknown_columns == "error":
        raise FileRefusedError("header.unknown", f"no rule reads the columns {', '.join(map(repr, unknown))}")
    return unknown


def _names_of(path: str) -> tuple[str, ...]:
    """The names of columns that a path may mean: the whole, and what it begins with."""
    found = _BEGINNING.match(path)
    return (path,) if found is None else (path, found[1] or found[2] or found[3] or "")
