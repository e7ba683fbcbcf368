"""Where the records of an import go, and what may be done to records there: as a definition says it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from connectors.integrator.checking import RDBMS, SERVED, adaptor_type
from connectors.integrator.file_core import file_of
from connectors.integrator.unfit import UnfitError, invalid, missing, no_reference, told, unsupported
from connectors.resources import ConnectionView, Document
from schemas.definition import Mode, Policies
from schemas.destination_document import FileDestination, TableDestination
from schemas.patterns import TABLE_PATTERN

_PARTS = {"bulk_insert": "bulkInsert", "bulk_load": "bulkLoad"}
"""What a query of a database does → the field that tells of it."""


@dataclass(frozen=True)
class Destined:
    """Where records go, as a definition says it."""

    destination: TableDestination | FileDestination
    mode: Mode
    key: tuple[str, ...]
    policies: Policies


def destined(document: Document, connection: ConnectionView | None, policies: Policies) -> Destined:
    """Where the document sends records.

    Args:
        policies: in which only those change of which a document may speak.

    Raises:
        UnfitError: it is not served, or the document does not say it rightly.
    """
    kind = adaptor_type(document) or ""
    if kind not in SERVED:
        raise UnfitError(unsupported("adaptorType", f"{kind} is not served; served are {', '.join(SERVED)}"))
    if connection is None:
        raise UnfitError(no_reference("_connectionId", "there is no such connection"))
    if connection.type != SERVED[kind]:
        said = f"{kind} needs a connection of the type {SERVED[kind]}, and this one is {connection.type}"
        raise UnfitError(no_reference("_connectionId", said))
    if kind == RDBMS:
        return _table(document, connection, policies)
    return Destined(file_of(document, SERVED[kind], connection), Mode.INSERT, (), policies)


def table_of(document: Document) -> str | None:
    """The table that the document names; None where it names none."""
    block = document.get("rdbms")
    if adaptor_type(document) != RDBMS or not isinstance(block, Mapping):
        return None
    parts = (block.get(part) for part in _PARTS.values())
    named = (part.get("tableName") for part in parts if isinstance(part, Mapping))
    return next((t for t in named if isinstance(t, str) and re.fullmatch(TABLE_PATTERN, t)), None)


def _table(document: Document, connection: ConnectionView, policies: Policies) -> Destined:
    block = document["rdbms"]
    part = _PARTS.get(_only(block.get("queryType")))
    if part is None or block.get("query"):
        served = "served are bulk_insert and bulk_load"
        raise UnfitError(unsupported("rdbms.queryType", f"SQL text is not served; {served}"))
    loaded, where = block.get(part), f"rdbms.{part}"
    if not isinstance(loaded, Mapping) or loaded.get("tableName") is None:
        raise UnfitError(missing(f"{where}.tableName"))
    if loaded.get("overrideMergeQuery"):
        raise UnfitError(unsupported(f"{where}.overrideMergeQuery", "SQL text is not served"))
    try:
        destination = TableDestination(database=connection.database or "", table=loaded["tableName"])
    except ValidationError as error:
        problems = [problem.model_copy(update={"field": f"{where}.tableName"}) for problem in told(error, "")]
        raise UnfitError(*problems) from error
    key = loaded.get("primaryKeys") or [] if part == "bulkLoad" else []
    if not isinstance(key, list) or not all(isinstance(name, str) for name in key):
        raise UnfitError(invalid(f"{where}.primaryKeys", "primaryKeys is an array of names of fields"))
    return _loading(document, destination, tuple(key), policies)


def _loading(
    document: Document, destination: TableDestination, key: tuple[str, ...], policies: Policies
) -> Destined:
    """What is to be done with records that are there already, and with those that are not."""
    only_creates, only_updates = bool(document.get("ignoreExisting")), bool(document.get("ignoreMissing"))
    if only_creates and only_updates:
        raise UnfitError(invalid("ignoreMissing", "ignoreExisting and ignoreMissing together leave nothing"))
    if not key:
        if only_creates or only_updates:
            field = "ignoreExisting" if only_creates else "ignoreMissing"
            said = f"{field} needs bulk_load with primaryKeys, by which records are known again"
            raise UnfitError(invalid(field, said))
        return Destined(destination, Mode.INSERT, (), policies)
    if only_creates:
        ignoring = policies.model_copy(update={"existing": "ignore"})
        return Destined(destination, Mode.INSERT, key, ignoring)
    if only_updates:
        ignoring = policies.model_copy(update={"missing": "ignore"})
        return Destined(destination, Mode.UPDATE, key, ignoring)
    return Destined(destination, Mode.UPSERT, key, policies)


def _only(said: object) -> str:
    """The one type of query; an empty text where it is none or several."""
    found = said[0] if isinstance(said, list) and len(said) == 1 else said
    return found if isinstance(found, str) else ""
