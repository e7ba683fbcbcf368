"""Definitions over HTTP: written, looked at, removed, and as a workbook to be filled in."""

from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from api.access import CurrentPrincipal, Definer
from api.bodies import text_of, unsupported
from api.context import Context, CurrentContext
from api.documentation import (
    DEFINITION_EXAMPLE,
    DEFINITION_SCHEMA,
    EVERYWHERE,
    answers,
    file_answer,
    problem_answers,
    success,
)
from api.failed_rows import MEDIA_TYPES
from api.paging import PageQuery, next_page, position_of
from api.problems import (
    INVALID_DEFINITION,
    INVALID_REQUEST,
    MALFORMED_BODY,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
)
from formats.template import write_template
from schemas.definition_secrets import masked
from schemas.document import parse_definition
from schemas.errors import DefinitionError, NotFoundError
from schemas.principal import Principal
from store.database import Transaction
from store.databases import resolved
from store.definitions import get_definition, list_definitions, remove_definition
from store.tables import DefinitionVersion
from tasks.definition_keeping import keep_definition, refuse_unsayable
from tasks.job_document import Time

router = APIRouter(tags=["definitions"])
LIMIT_BYTES = 1 << 20
_SHOWN_CHARS = 100
_SHARED_KEYS = frozenset({"table", "connection"})
"""Of the destination of a shared definition: where the operator's records go is no tenant's business."""
_READ = ("application/json", "application/yaml", "text/yaml", "application/x-yaml")


class DefinitionLinks(TypedDict):
    """Addresses of what belongs to the definition."""

    self: str
    template: Annotated[str, Field(description="A workbook to be filled in.")]


class DefinitionSummary(TypedDict):
    """A definition, without what it says."""

    name: str
    version: Annotated[int, Field(description="1 for the first; each change is the next.")]
    created_at: Time
    is_shared: Annotated[bool, Field(description="True for one of the operator, which can't be changed here.")]
    links: DefinitionLinks


class DefinitionResource(DefinitionSummary):
    """A definition, and what it says."""

    definition: Annotated[
        dict[str, Any], Field(description="As docs/definitions.md tells; a shared one without its database.")
    ]


class DefinitionPage(TypedDict):
    """Definitions, in order of name."""

    definitions: list[DefinitionSummary]
    next: Annotated[str | None, Field(description="Address of the next page; null: this is the last.")]


_SUMMARY = {
    "name": "people",
    "version": 1,
    "created_at": "2026-03-01T09:30:00+00:00",
    "is_shared": False,
    "links": {"self": "/definitions/people", "template": "/definitions/people/template.xlsx"},
}
_EXAMPLE = _SUMMARY | {"definition": DEFINITION_EXAMPLE}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A definition as JSON or YAML, at most 1 MiB.",
        "content": {
            "application/json": {"schema": DEFINITION_SCHEMA, "example": DEFINITION_EXAMPLE},
            "application/yaml": {"schema": DEFINITION_SCHEMA, "example": DEFINITION_EXAMPLE},
        },
    }
}
_WRITING = (
    MALFORMED_BODY,
    NOT_ALLOWED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_DEFINITION,
)


@router.get(
    "/definitions",
    summary="List definitions",
    responses=answers(DefinitionPage, {"definitions": [_SUMMARY], "next": None}, NOT_FOUND, INVALID_REQUEST),
)
async def list_all(
    service: CurrentContext, who: CurrentPrincipal, wanted: Annotated[PageQuery, Query()]
) -> JSONResponse:
    """Those of the key's tenant and those that the operator shares, as far as the key may use them."""
    return JSONResponse(await service.quick(_list, service, who, wanted))


@router.post(
    "/definitions",
    summary="Keep a definition",
    status_code=201,
    openapi_extra=_BODY,
    responses={
        **answers(DefinitionResource, _EXAMPLE, *_WRITING, status=201),
        200: success(DefinitionResource, _EXAMPLE, "It was kept already, just so."),
    },
)
async def create(request: Request, service: CurrentContext, who: Definer) -> JSONResponse:
    """Keeps it under its name; a changed one becomes the next version, and jobs under way keep theirs."""
    return await _kept(request, service, who, None)


@router.get(
    "/definitions/{name}",
    summary="Look at a definition",
    responses=answers(DefinitionResource, _EXAMPLE, NOT_FOUND),
)
async def get(service: CurrentContext, who: CurrentPrincipal, name: str) -> JSONResponse:
    """Its newest version; the tenant's own goes before the operator's."""
    return JSONResponse(await service.quick(_get, service, who, name))


@router.put(
    "/definitions/{name}",
    summary="Keep a definition under this name",
    openapi_extra=_BODY,
    responses={
        **answers(DefinitionResource, _EXAMPLE, *_WRITING),
        201: success(DefinitionResource, _EXAMPLE, "It is new, or the next version."),
    },
)
async def put(request: Request, service: CurrentContext, who: Definer, name: str) -> JSONResponse:
    """The same as `POST /definitions`, for one that has this name."""
    return await _kept(request, service, who, name)


@router.delete(
    "/definitions/{name}",
    summary="Remove a definition",
    status_code=204,
    responses=problem_answers(*EVERYWHERE, NOT_FOUND),
)
async def delete(service: CurrentContext, who: Definer, name: str) -> Response:
    """Takes the tenant's own one back; jobs that were accepted keep it. Shared ones stay."""
    await service.slow(_remove, service, who, name)
    return Response(status_code=204)


@router.get(
    "/definitions/{name}/template.xlsx",
    summary="Download a workbook to be filled in",
    responses=file_answer((MEDIA_TYPES[".xlsx"],), NOT_FOUND),
    response_class=Response,
)
async def template(service: CurrentContext, who: CurrentPrincipal, name: str) -> Response:
    """An empty workbook with the definition's headers, drop-downs and limits."""
    disposition = f'attachment; filename="{name}.xlsx"'
    workbook = await service.slow(_template, service, who, name)
    return Response(workbook, media_type=MEDIA_TYPES[".xlsx"], headers={"Content-Disposition": disposition})


def visible_definition(session: Transaction, who: Principal, name: str) -> DefinitionVersion:
    """The definition of this name that whoever asks sees, and may use.

    Raises:
        NotFoundError: there is none; says nothing of others.
    """
    try:
        found = get_definition(session, who.tenant, name) if who.may_use(name) else None
    except NotFoundError:
        found = None
    if found is None:
        raise NotFoundError(f"there is no definition named {name[:_SHOWN_CHARS]!r}")
    return found


async def _kept(request: Request, service: Context, who: Principal, name: str | None) -> JSONResponse:
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _READ:
        raise unsupported(request, _READ)
    text = await text_of(request, LIMIT_BYTES)
    document, is_new = await service.slow(_keep, service, who, text, name)
    headers = {"Location": document["links"]["self"]} if is_new else None
    return JSONResponse(document, 201 if is_new else 200, headers=headers)


def _keep(service: Context, who: Principal, text: str, name: str | None) -> tuple[DefinitionResource, bool]:
    definition = parse_definition(text)
    if name is not None and definition.name != name:
        raise DefinitionError(f"the document's name is {definition.name!r}, that of the address {name!r}")
    refuse_unsayable(service.settings, who, definition)
    with service.store.write() as session:
        resolved(session, who.tenant, definition)
        before = {stored.id for stored in list_definitions(session, who.tenant)}
        stored = keep_definition(service.settings, session, who.tenant, definition)
        return _resource(service, who, stored), stored.id not in before


def _list(service: Context, who: Principal, wanted: PageQuery) -> DefinitionPage:
    after: str = (position_of(service, "/definitions", wanted.cursor) or [""])[0]
    with service.store.read() as session:
        seen = list_definitions(session, who.tenant)
    names = [stored for stored in seen if who.may_use(stored.name) and stored.name > after]
    shown = names[: wanted.limit]
    following = None
    if len(names) > len(shown):
        following = next_page(service, "/definitions", wanted, [shown[-1].name])
    return {"definitions": [_summary(service, who, stored) for stored in shown], "next": following}


def _get(service: Context, who: Principal, name: str) -> DefinitionResource:
    with service.store.read() as session:
        return _resource(service, who, visible_definition(session, who, name))


def _remove(service: Context, who: Principal, name: str) -> None:
    with service.store.write() as session:
        visible_definition(session, who, name)
        remove_definition(session, who.tenant, name)


def _template(service: Context, who: Principal, name: str) -> bytes:
    with service.store.read() as session:
        definition = visible_definition(session, who, name).definition
    workbook = BytesIO()
    write_template(definition, workbook)
    return workbook.getvalue()


def _summary(service: Context, who: Principal, stored: DefinitionVersion) -> DefinitionSummary:
    here = service.public(f"/definitions/{stored.name}")
    return {
        "name": stored.name,
        "version": stored.version,
        "created_at": stored.created_at.isoformat(),
        "is_shared": stored.tenant != who.tenant,
        "links": {"self": here, "template": f"{here}/template.xlsx"},
    }


def _resource(service: Context, who: Principal, stored: DefinitionVersion) -> DefinitionResource:
    summary = _summary(service, who, stored)
    document = masked(stored.definition).model_dump(mode="json")
    if summary["is_shared"]:
        # Where the operator's databases, webhooks, sources and folders are, and what secrets are called, is no
        # tenant's business.
        shown = {key: value for key, value in document["destination"].items() if key in _SHARED_KEYS}
        hidden: dict[str, Any] = {"webhooks": [], "source": None, "watch": [], "notify": None}
        document = document | {"destination": shown} | hidden
    return {**summary, "definition": document}
