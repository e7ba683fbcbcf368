"""integrator.io's API, served: imports as resources and what belongs to them."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from connectors.face import Imports
from connectors.integrator.asking import JSON, Asked, answered
from connectors.integrator.choices import Choices
from connectors.integrator.connection_calls import ConnectionCalls
from connectors.integrator.import_calls import ImportCalls
from connectors.integrator.invoke_calls import InvokeCalls
from connectors.integrator.rate_limit import LeakyBuckets
from connectors.integrator.wire import ApiError, TokenInfo
from connectors.refusal import RefusalError, require_scope, tell_refusals
from schemas.principal import Principal, Scope

NAME = "integrator"
Call = Callable[[Asked], Response]
_IMPORT = "/v1/imports/{id}"
_INVOKE = (f"{_IMPORT}/invoke", "/v1/import/{id}/invoke")
"""The documented sample has the second one."""
_INVOKES_AT_ONCE = 16
"""One whose records go to a vendor takes as long as the vendor does."""
_CONNECTION = "/v1/connections/{id}"
_CODES = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "access_restricted",
    HTTPStatus.NOT_FOUND: "resource_not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.CONFLICT: "conflict",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid_field",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "service_unavailable",
}
"""What a refusal is called that says nothing more of itself."""


def integrator_face(imports: Imports) -> ASGIApp:
    """The application that answers integrator.io's clients."""
    choices = Choices()
    face = _Face(imports, choices)
    calls = ImportCalls(imports, choices)
    connections = ConnectionCalls(imports, choices, calls)
    read, write, connect = Scope.IMPORTS_READ, Scope.DEFINITIONS_WRITE, Scope.CONNECTIONS_WRITE
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    tell_refusals(app, _shaped)
    for method, path, scope, call in (
        ("GET", "/v1/tokenInfo", None, _token_info),
        ("GET", "/v1/imports", read, calls.list),
        ("POST", "/v1/imports", write, calls.create),
        ("GET", _IMPORT, read, calls.get),
        ("PUT", _IMPORT, write, calls.put),
        ("PATCH", _IMPORT, write, calls.patch),
        ("DELETE", _IMPORT, write, calls.delete),
        ("POST", f"{_IMPORT}/clone", write, calls.clone),
        ("GET", f"{_IMPORT}/audit", read, calls.audit),
        ("GET", f"{_IMPORT}/dependencies", read, calls.dependencies),
        ("PUT", f"{_IMPORT}/replaceConnection", write, calls.replace_connection),
        ("GET", "/v1/connections", read, connections.list),
        ("POST", "/v1/connections", connect, connections.create),
        ("GET", _CONNECTION, read, connections.get),
        ("PUT", _CONNECTION, connect, connections.put),
        ("PATCH", _CONNECTION, connect, connections.patch),
        ("DELETE", _CONNECTION, connect, connections.delete),
        ("GET", f"{_CONNECTION}/ping", read, connections.ping),
        ("POST", f"{_CONNECTION}/ping", read, connections.ping),
    ):
        app.add_api_route(path, face.endpoint(scope, call, choices.document_bytes), methods=[method])
    invoke = InvokeCalls(imports, calls, choices).invoke
    for path in _INVOKE:
        endpoint = face.endpoint(Scope.IMPORTS_CREATE, invoke, choices.invoke_bytes, _INVOKES_AT_ONCE)
        app.add_api_route(path, endpoint, methods=["POST"])
    return app


class _Face:
    def __init__(self, imports: Imports, choices: Choices) -> None:
        self._imports = imports
        self._buckets = LeakyBuckets(choices.bucket_calls, choices.calls_per_second)

    def endpoint(
        self, scope: Scope | None, call: Call, limit_bytes: int, at_once: int | None = None
    ) -> Callable[..., object]:
        """The route that lets in who may do this, within the limits, and then makes the call in a thread.

        Args:
            at_once: more calls than these wait, and take no thread from others; None: no more than others.
        """
        limiter = None if at_once is None else CapacityLimiter(at_once)

        async def answer(request: Request) -> Response:
            principal = await run_in_threadpool(self._admitted, request, scope)
            async with self._imports.receive_body(request, limit_bytes) as received:
                body = await run_in_threadpool(received.file.read)
            asked = Asked(
                principal,
                request.path_params.get("id", ""),
                dict(request.query_params),
                body,
                self._url(request),
            )
            return await anyio.to_thread.run_sync(call, asked, limiter=limiter)

        return answer

    def _admitted(self, request: Request, scope: Scope | None) -> Principal:
        """Whoever comes in with `Authorization: Bearer`, may do this, and has not called too often."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        principal = self._imports.admit(token.strip()) if kind.lower() == "bearer" and token.strip() else None
        if principal is None:
            message = "the token is missing or wrong: Authorization: Bearer TOKEN"
            raise RefusalError(HTTPStatus.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})
        if wait_seconds := self._buckets.wait_seconds(principal.tenant):
            message = "too many calls; come again when the time of Retry-After is over"
            headers = {"Retry-After": str(wait_seconds)}
            raise RefusalError(HTTPStatus.TOO_MANY_REQUESTS, message, headers=headers)
        if scope is not None:
            require_scope(principal, scope)
        return principal

    def _url(self, request: Request) -> str:
        """Where the list's other pages are: as the operator says, else where whoever asks came to.

        That header is the client's own, and what is made of it goes back to this client alone.
        """
        base = self._imports.public_url() or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}{request.url.path}"


def _token_info(asked: Asked) -> Response:
    principal = asked.principal
    user = hashlib.sha256(f"user:{principal.tenant}".encode()).hexdigest()[:24]
    usual = {Scope.IMPORTS_READ, Scope.IMPORTS_CREATE, Scope.DEFINITIONS_WRITE, Scope.CONNECTIONS_WRITE}
    is_full = principal.definitions is None and all(map(principal.may, usual))
    info = TokenInfo(user_id=user, scope="full" if is_full else "custom")
    return Response(info.encode(), media_type=JSON)


def _shaped(refusal: RefusalError) -> Response:
    status = HTTPStatus(refusal.status)
    code = _CODES.get(status, status.name.lower())
    errors = list(refusal.errors) or [
        ApiError(code=code, message=refusal.message).model_dump(exclude_none=True)
    ]
    return answered({"errors": errors}, status, refusal.headers)
