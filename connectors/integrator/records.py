"""What the records of an import are: the fields of its definition, made of the mapping of its document."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from connectors.integrator.checking import BLOCKS
from connectors.integrator.unfit import UnfitError, invalid, told
from connectors.integrator.wire import ApiError
from connectors.resources import Document
from schemas.definition import Definition, Field
from schemas.destination_document import TableDestination
from schemas.field_types import NUMERIC, FieldType
from schemas.mapping import Lookup, Mapping as FieldMapping, Target, targets
from schemas.patterns import COLUMN_PATTERN

Columns = Mapping[str, FieldType] | None
"""Column, in small letters, → its type; None where there is no table."""

_TYPES = {
    None: FieldType.STRING,
    "string": FieldType.STRING,
    "date": FieldType.STRING,
    # A number of JavaScript, as integrator.io has it, is one of these.
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
}
_COLUMN_CHARS = 55


@dataclass(frozen=True)
class Records:
    """What records are, as a definition says it."""

    fields: tuple[Field, ...]
    mapping: FieldMapping | None = None
    lookups: tuple[Lookup, ...] = ()


def data_type_of(kind: FieldType) -> str | None:
    """The `dataType` of a rule that makes values of this type; None where none is needed."""
    if kind is FieldType.BOOLEAN:
        return "boolean"
    return "number" if kind in NUMERIC else None


def records_of(document: Document, columns: Columns, earlier: Definition | None) -> Records:
    """The records that the mapping of the document makes.

    Args:
        earlier: what it said of a field beyond its name and type stays.

    Raises:
        UnfitError: the mapping is wrong, or nothing says what the fields are.
    """
    said = document.get("mapping")
    if not said or not any(said.values()):
        return Records(_passed_through(columns))
    try:
        mapping = FieldMapping.model_validate(said)
        made = targets(mapping)
    except ValidationError as error:
        raise UnfitError(*told(error, "mapping")) from error
    except ValueError as error:
        raise UnfitError(invalid("mapping", str(error))) from error
    lookups = _lookups(document, mapping.lookup_names)
    return Records(_fields(made, _known(earlier), columns), mapping, lookups)


def retyped(definition: Definition, columns: Columns) -> tuple[Field, ...]:
    """The fields, of which those that were taken for text have the types of the table's columns."""
    if columns is None or definition.mapping is None:
        return definition.fields
    return tuple(
        field.model_copy(update={"type": columns.get(field.name.lower(), field.type)})
        if field.type is FieldType.STRING
        else field
        for field in definition.fields
    )


def unfit_columns(definition: Definition, earlier: Definition | None) -> Iterator[ApiError]:
    """What the mapping calls so that no column of a table can have the name.

    Args:
        earlier: where it wrote to a table, too, its columns have the names that somebody chose for them.
    """
    mapping = definition.mapping
    if mapping is None or not isinstance(definition.destination, TableDestination):
        return
    is_table = earlier is not None and isinstance(earlier.destination, TableDestination)
    chosen = {field.target for field in earlier.fields} if earlier is not None and is_table else set()
    rules = [
        *((f"fields[{place}]", rule.path) for place, rule in enumerate(mapping.fields)),
        *((f"lists[{place}]", rule.path) for place, rule in enumerate(mapping.lists)),
    ]
    for where, (name, *_) in rules:
        if name not in chosen and re.fullmatch(COLUMN_PATTERN, name) is None:
            said = f"{name[:100]!a} can be no column of a table: a letter or _, then letters, digits and _"
            yield invalid(f"mapping.{where}.generate", said)


def _known(earlier: Definition | None) -> dict[str, Field]:
    """Target → its field of before; an object or list that is one no more is nothing to go by.

    Without a mapping, the field is shown under its name; what it is called by then are columns of files.
    """
    if earlier is None:
        return {}
    if earlier.mapping is None:
        return {field.name: field for field in earlier.fields}
    nested = {target.name for target in targets(earlier.mapping) if target.is_nested}
    return {field.target: field for field in earlier.fields if field.target not in nested}


def _fields(made: tuple[Target, ...], known: Mapping[str, Field], columns: Columns) -> tuple[Field, ...]:
    fields: list[Field] = []
    for target in made:
        before = known.get(target.name)
        taken = {field.name.lower() for field in fields}
        name = _column(target.name, taken) if before is None else before.name
        kind = _type(target, name, before, columns)
        said = {"name": name, "header": (target.name,), "type": kind, "written": target.written}
        if before is not None and before.type is kind:
            fields.append(before.model_copy(update=said))
        else:
            fields.append(Field.model_validate(said))
    return tuple(fields)


def _type(target: Target, name: str, before: Field | None, columns: Columns) -> FieldType:
    if target.is_nested:
        return FieldType.JSON
    if (
        before is not None
        and before.type is not FieldType.STRING
        and target.data_type == data_type_of(before.type)
    ):
        return before.type
    column = None if columns is None else columns.get(name.lower())
    return _TYPES[target.data_type] if column is None else column


def _passed_through(columns: Columns) -> tuple[Field, ...]:
    """Without a mapping, a record is what the table has columns for."""
    if not columns:
        raise UnfitError(
            invalid("mapping", "without a mapping the table must be there, whose columns are what is taken")
        )
    return tuple(Field(name=name, type=kind) for name, kind in columns.items())


def _column(name: str, taken: set[str]) -> str:
    """The target as a name that a field may have, unlike those that are taken."""
    if re.fullmatch(COLUMN_PATTERN, name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    short = re.sub(r"[^A-Za-z0-9_]+", "_", plain).strip("_")[:_COLUMN_CHARS]
    begun = short if short[:1].isalpha() else f"f_{short}"
    column, number = begun, 1
    while column.lower() in taken:
        number += 1
        column = f"{begun}_{number}"
    return column


def _lookups(document: Document, names: frozenset[str]) -> tuple[Lookup, ...]:
    found = []
    for where, lookup in _all_lookups(document):
        if isinstance(lookup, Mapping) and lookup.get("name") in names:
            try:
                found.append(Lookup.model_validate(lookup))
            except ValidationError as error:
                raise UnfitError(*told(error, where)) from error
    return tuple(found)


def _all_lookups(document: Document) -> Iterator[tuple[str, Any]]:
    """Those of the document, and of the fields that may have their own."""
    for holder in ("", "file", *BLOCKS.values()):
        holding = document if not holder else document.get(holder)
        found = holding.get("lookups") if isinstance(holding, Mapping) else None
        for place, lookup in enumerate(found if isinstance(found, list) else ()):
            yield f"{holder}.lookups[{place}]".lstrip("."), lookup
