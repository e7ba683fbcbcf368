"""Connections to vendors over HTTP: kept, looked at, tried, removed; their secrets go in and never come out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from api.access import Connecting
from api.bodies import text_of, unsupported
from api.context import Context, CurrentContext
from api.documentation import (
    CONNECTION_EXAMPLE,
    CONNECTION_SCHEMA,
    EVERYWHERE,
    answers,
    problem_answers,
    success,
)
from api.paging import PageQuery, next_page, position_of
from api.problems import (
    CONFLICT,
    CONNECTION_FAILED,
    INVALID_CONNECTION,
    INVALID_REQUEST,
    MALFORMED_BODY,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemError,
    invalid_body,
    invalid_request,
)
from schemas.authority import refuse_connection_beyond
from schemas.connection import ConnectionDocument
from schemas.connection_secrets import masked_secrets
from schemas.errors import FatalError, NotAllowedError, OutcomeUnknownError, RetriableError, StoreBusyError
from schemas.principal import Principal
from store.connections import list_connections, no_connection, own_connection, remove_connection
from store.database import Transaction
from store.delivery_tables import Connection
from tasks.connection_keeping import keep_connection
from tasks.job_document import Time
from tasks.vendor_clients import try_connection

router = APIRouter(tags=["connections"])
LIMIT_BYTES = 1 << 18
_JSON = ("application/json",)


class ConnectionLinks(TypedDict):
    """Addresses of what belongs to the connection."""

    self: str
    test: Annotated[str, Field(description="POST tries whether the vendor lets Lading in.")]


class ConnectionSummary(TypedDict):
    """A connection that the operator granted, or the beginning of one's own."""

    name: Annotated[str, Field(description="What a definition writes as `connection` of its destination.")]
    connector: Annotated[str, Field(description="The vendor.")]
    is_shared: Annotated[bool, Field(description="True for one of the operator; what it holds is not shown.")]
    created_at: Time


class ConnectionResource(ConnectionSummary):
    """A connection of one's own."""

    url: str
    options: dict[str, str]
    secrets: Annotated[
        dict[str, str],
        Field(description="A mask for each; brought back, it keeps the secret while connector and url stay."),
    ]
    tenants: Annotated[list[str], Field(description="Who may use it, beside its owner.")]
    links: ConnectionLinks


class ConnectionPage(TypedDict):
    """Connections, in order of name."""

    connections: list[ConnectionResource | ConnectionSummary]
    next: Annotated[str | None, Field(description="Address of the next page; null: this is the last.")]


class Tried(TypedDict):
    """What came of trying a connection."""

    name: str
    message: Annotated[str, Field(description="What answered, for people.")]


_SUMMARY = {
    "name": "crm",
    "connector": "teamtracks",
    "is_shared": False,
    "created_at": "2026-03-01T09:30:00+00:00",
}
_EXAMPLE = _SUMMARY | {
    "url": CONNECTION_EXAMPLE["url"],
    "options": CONNECTION_EXAMPLE["options"],
    "secrets": {"subscription_key": "******", "token": "******"},
    "tenants": [],
    "links": {"self": "/connections/crm", "test": "/connections/crm/test"},
}
_TRIED = {"name": "crm", "message": "TeamTracks knows the tenant, the subscription key and the token"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A connection, at most 256 KiB.",
        "content": {"application/json": {"schema": CONNECTION_SCHEMA, "example": CONNECTION_EXAMPLE}},
    }
}
_WRITING = (
    MALFORMED_BODY,
    NOT_ALLOWED,
    CONFLICT,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_CONNECTION,
    INVALID_REQUEST,
)


@router.get(
    "/connections",
    summary="List connections",
    responses=answers(ConnectionPage, {"connections": [_EXAMPLE], "next": None}, NOT_FOUND, INVALID_REQUEST),
)
async def list_all(
    service: CurrentContext, who: Connecting, wanted: Annotated[PageQuery, Query()]
) -> JSONResponse:
    """Those of the key's tenant, and those that the operator granted it."""
    return JSONResponse(await service.quick(_list, service, who, wanted))


@router.post(
    "/connections",
    summary="Keep a connection",
    status_code=201,
    openapi_extra=_BODY,
    responses={
        **answers(ConnectionResource, _EXAMPLE, *_WRITING, status=201),
        200: success(ConnectionResource, _EXAMPLE, "There was one of this name, which is now as it was said."),
    },
)
async def create(request: Request, service: CurrentContext, who: Connecting) -> JSONResponse:
    """Keeps it under its name, its secrets sealed; what is not said again is gone."""
    return await _kept(request, service, who, None)


@router.get(
    "/connections/{name}",
    summary="Look at a connection",
    responses=answers(ConnectionResource, _EXAMPLE, NOT_FOUND),
)
async def get(service: CurrentContext, who: Connecting, name: str) -> JSONResponse:
    """One of the tenant's own."""
    return JSONResponse(await service.quick(_get, service, who, name))


@router.put(
    "/connections/{name}",
    summary="Keep a connection under this name",
    openapi_extra=_BODY,
    responses={
        **answers(ConnectionResource, _EXAMPLE, *_WRITING),
        201: success(ConnectionResource, _EXAMPLE, "It is new."),
    },
)
async def put(request: Request, service: CurrentContext, who: Connecting, name: str) -> JSONResponse:
    """The same as `POST /connections`, for one that has this name."""
    return await _kept(request, service, who, name)


@router.delete(
    "/connections/{name}",
    summary="Remove a connection",
    status_code=204,
    responses=problem_answers(*EVERYWHERE, NOT_FOUND, CONFLICT),
)
async def delete(service: CurrentContext, who: Connecting, name: str) -> Response:
    """Takes the tenant's own one back, with its secrets; refused while jobs under way deliver to it."""
    await service.slow(_remove, service, who, name)
    return Response(status_code=204)


@router.post(
    "/connections/{name}/test",
    summary="Try a connection",
    responses=answers(Tried, _TRIED, NOT_ALLOWED, NOT_FOUND, CONNECTION_FAILED),
)
async def test(service: CurrentContext, who: Connecting, name: str) -> JSONResponse:
    """Makes the cheapest harmless call that needs the secrets; for one of the tenant's own."""
    return JSONResponse(await service.outgoing(_try, service, who, name))


async def _kept(request: Request, service: Context, who: Principal, name: str | None) -> JSONResponse:
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _JSON:
        raise unsupported(request, _JSON)
    text = await text_of(request, LIMIT_BYTES)
    try:
        document = ConnectionDocument.model_validate_json(text)
    except ValidationError as error:
        raise invalid_body(error) from None  # the cause may quote a secret
    if name is not None and document.name != name:
        raise invalid_request({"where": "body.name", "message": "is another than that of the address"})
    resource, is_new = await service.slow(_keep, service, who, document)
    headers = {"Location": resource["links"]["self"]} if is_new else None
    return JSONResponse(resource, 201 if is_new else 200, headers=headers)


def _keep(service: Context, who: Principal, document: ConnectionDocument) -> tuple[ConnectionResource, bool]:
    refuse_connection_beyond(who.is_operator, document)
    with service.store.write() as session:
        is_new = own_connection(session, who.tenant, document.name) is None
        return _resource(service, keep_connection(service.settings, session, who.tenant, document)), is_new


def _list(service: Context, who: Principal, wanted: PageQuery) -> ConnectionPage:
    after: str = (position_of(service, "/connections", wanted.cursor) or [""])[0]
    with service.store.read() as session:
        seen = [found for found in list_connections(session, who.tenant) if found.name > after]
        shown = [_shown(service, who, found) for found in seen[: wanted.limit]]
    is_last = len(seen) == len(shown)
    following = None if is_last else next_page(service, "/connections", wanted, [shown[-1]["name"]])
    return {"connections": shown, "next": following}


def _get(service: Context, who: Principal, name: str) -> ConnectionResource:
    with service.store.read() as session:
        return _resource(service, _own(session, who, name))


def _remove(service: Context, who: Principal, name: str) -> None:
    with service.store.write() as session:
        remove_connection(session, who.tenant, name)


def _try(service: Context, who: Principal, name: str) -> Tried:
    with service.store.read() as session:
        connection = _own(session, who, name)
    try:
        return {"name": name, "message": try_connection(service.settings, service.store, connection)}
    except (NotAllowedError, StoreBusyError):
        raise
    except (FatalError, RetriableError, OutcomeUnknownError) as error:
        raise ProblemError(CONNECTION_FAILED, str(error)) from error


def _own(session: Transaction, who: Principal, name: str) -> Connection:
    found = own_connection(session, who.tenant, name)
    if found is None:
        raise no_connection(who.tenant, name)
    return found


def _shown(service: Context, who: Principal, connection: Connection) -> ConnectionResource | ConnectionSummary:
    if connection.tenant == who.tenant:
        return _resource(service, connection)
    return _summary(connection, is_shared=True)


def _summary(connection: Connection, *, is_shared: bool) -> ConnectionSummary:
    return {
        "name": connection.name,
        "connector": connection.connector,
        "is_shared": is_shared,
        "created_at": connection.created_at.isoformat(),
    }


def _resource(service: Context, connection: Connection) -> ConnectionResource:
    here = service.public(f"/connections/{connection.name}")
    return {
        **_summary(connection, is_shared=False),
        "url": connection.url,
        "options": connection.options,
        "secrets": masked_secrets(connection.secrets),
        "tenants": connection.tenants,
        "links": {"self": here, "test": f"{here}/test"},
    }
