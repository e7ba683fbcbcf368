"""The definitions that a key may use: their fields in plain words, and the workbook to be filled in."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from api.context import Context, CurrentContext
from api.definitions import template
from api.pages.rendering import render
from api.pages.visitor import SignedIn, Visitor
from formats import describe
from schemas.definition import Definition, Field, Mode
from schemas.destination_document import ConnectionDestination, TableDestination
from store.definitions import list_definitions
from store.tables import DefinitionVersion

_DOES = {
    Mode.UPSERT: "creates records and updates those that are there",
    Mode.INSERT: "creates records and changes none that is there",
    Mode.UPDATE: "updates records that are there and creates none",
    Mode.SYNC: "creates and updates records, and deletes those that the file lacks",
}


@dataclass(frozen=True)
class ShownField:
    """A field as the page tells it."""

    header: str
    other_headers: str
    name: str
    words: str


@dataclass(frozen=True)
class ShownDefinition:
    """A definition as the page tells it."""

    name: str
    version: int
    sentence: str
    fields: Sequence[ShownField]


def register(router: APIRouter) -> None:
    """Add the routes."""
    router.get("/definitions")(definitions_page)
    router.get("/definitions/{name}/template.xlsx")(definition_template)


async def definitions_page(service: CurrentContext, who: SignedIn) -> Response:
    """All of them, whole."""
    stored = await service.quick(usable_definitions, service, who)
    return render(
        "definitions.html", visitor=who, here="/ui/definitions", definitions=list(map(_shown, stored))
    )


async def definition_template(service: CurrentContext, who: SignedIn, name: str) -> Response:
    """The workbook to be filled in for the definition of this name, if the key may use it."""
    return await template(service, who.principal, name)


def usable_definitions(service: Context, who: Visitor) -> Sequence[DefinitionVersion]:
    """The definitions that the visitor's key may use, in order of name."""
    with service.store.read() as session:
        stored = list_definitions(session, who.principal.tenant)
    return [definition for definition in stored if who.principal.may_use(definition.name)]


def _shown(stored: DefinitionVersion) -> ShownDefinition:
    definition = stored.definition
    return ShownDefinition(
        stored.name, stored.version, _sentence(definition), [_field(definition, f) for f in definition.fields]
    )


def _sentence(definition: Definition) -> str:
    key = f" Records are told apart by {', '.join(definition.key)}." if definition.key else ""
    return f"{_DOES[definition.mode].capitalize()}, {_place(definition)}.{key}"


def _place(definition: Definition) -> str:
    if isinstance(definition.destination, TableDestination):
        return f"in the table {definition.destination.table}"
    if isinstance(definition.destination, ConnectionDestination):
        return f"in the system behind the connection {definition.destination.connection}"
    return "in a new file"


def _field(definition: Definition, field: Field) -> ShownField:
    first, *others = field.headers
    return ShownField(first, ", ".join(others), field.name, describe(definition, field).replace("\n", "; "))
