"""What a document comes to: the definition that runs it, or why it can't be run."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from connectors.integrator.checking import BLOCKS
from connectors.integrator.documents import without_empty_arrays
from connectors.integrator.places import destined
from connectors.integrator.records import Columns, records_of, retyped, unfit_columns
from connectors.integrator.unfit import UnfitError, told, unsupported
from connectors.integrator.wire import ApiError
from connectors.resources import ConnectionView, Document
from schemas.definition import Definition, Policies
from schemas.destination_document import TableDestination

_PLACE = ("adaptorType", "_connectionId", "ignoreExisting", "ignoreMissing", "file", *BLOCKS.values())
"""The fields that say where records go, and how."""
_RECORDS = ("mapping", "lookups")
_NAME_CHARS = 55
_UNSERVED = {
    "mappings": "Mapper 2.0 is not served; say it as mapping (Mapper 1.0)",
    "filter": "filters of an import are not served",
    "oneToMany": "oneToMany is not served",
    "blobKeyPath": "blobKeyPath is not served",
}


@dataclass(frozen=True)
class Facts:
    """What there is to know beside the document.

    Attributes:
        connection: that the document names; None where there is none.
        columns: of the table that the document names; None where there is none.
    """

    connection: ConnectionView | None = None
    columns: Columns = None


@dataclass(frozen=True)
class Earlier:
    """What the import was before.

    Attributes:
        document: as it was shown; where another says the same, that part of the definition stays as it is.
    """

    document: Document
    definition: Definition


@dataclass(frozen=True)
class Compiled:
    """What a document comes to.

    Attributes:
        definition: None where there are problems; with a name that others may have, too.
        is_guessed: types of fields were guessed, because the table was not there.
    """

    definition: Definition | None = None
    problems: tuple[ApiError, ...] = field(default_factory=tuple)
    is_guessed: bool = False


def compiled(document: Document, facts: Facts, earlier: Earlier | None = None) -> Compiled:
    """The definition that runs the document, which `checking` has let pass; or why none does.

    Args:
        earlier: what its definition says beyond the document stays as it was.
    """
    plain = without_empty_arrays(document)
    try:
        _refuse_unserved(plain)
        definition = _definition(plain, facts, earlier)
    except UnfitError as unfit:
        return Compiled(problems=unfit.problems)
    except ValidationError as error:
        return Compiled(problems=tuple(told(error, "")))
    is_guessed = facts.columns is None and isinstance(definition.destination, TableDestination)
    return Compiled(definition, is_guessed=is_guessed)


def slug(name: str) -> str:
    """The name as one that a definition may have."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    begun = short if short[:1].isalpha() else f"import-{short}"
    return begun[:_NAME_CHARS].strip("-")


def _definition(document: Document, facts: Facts, earlier: Earlier | None) -> Definition:
    before = None if earlier is None else earlier.definition
    said = {"name": slug(document["name"])} if before is None else before.model_dump()
    if earlier is None or not _same(document, earlier.document, _PLACE):
        policies = Policies() if before is None else before.policies
        said |= vars(destined(document, facts.connection, policies))
    if earlier is None or not _same(document, earlier.document, _RECORDS):
        said |= vars(records_of(document, facts.columns, before))
    else:
        said |= {"fields": retyped(earlier.definition, facts.columns)}
    made = Definition.model_validate(said)
    if problems := tuple(unfit_columns(made, before)):
        raise UnfitError(*problems)
    return made


def _refuse_unserved(document: Document) -> None:
    if unserved := tuple(_unserved(document)):
        raise UnfitError(*unserved)


def _unserved(document: Document) -> Iterator[ApiError]:
    for name, message in _UNSERVED.items():
        if document.get(name):
            yield unsupported(name, message)
    hooks = document.get("hooks")
    if isinstance(hooks, Mapping) and any(hooks.values()):
        yield unsupported("hooks", "scripts are not served; say what they do in the mapping")


def _same(document: Document, other: Document, fields: tuple[str, ...]) -> bool:
    plain = without_empty_arrays(other)
    return all(document.get(name) == plain.get(name) for name in fields)
