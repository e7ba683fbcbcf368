"""Every exception that leaves a route of the status API, told as a problem; nothing of the inside is told."""

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.problems import (
    BAD_REQUEST,
    CONFLICT,
    IDEMPOTENCY_CONFLICT,
    INVALID_CONNECTION,
    INVALID_DEFINITION,
    MALFORMED_BODY,
    METHOD_NOT_ALLOWED,
    NOT_ALLOWED,
    NOT_FOUND,
    REFUSED,
    UNAVAILABLE,
    ProblemError,
    ProblemType,
    invalid_request,
    problem_response,
)
from schemas.errors import (
    ConflictError,
    DefinitionError,
    DestinationError,
    FileRefusedError,
    IdempotencyConflictError,
    LadingError,
    NoSpaceError,
    NotAllowedError,
    NotFoundError,
    RetriableError,
    UnfitConnectionError,
)

RETRY_AFTER_SECONDS = 2
_BY_STATUS: dict[int, ProblemType] = {
    HTTPStatus.BAD_REQUEST: MALFORMED_BODY,
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED,
}
_BY_CLASS: tuple[tuple[type[LadingError], ProblemType], ...] = (
    (DefinitionError, INVALID_DEFINITION),
    (UnfitConnectionError, INVALID_CONNECTION),
    (NotAllowedError, NOT_ALLOWED),
    (NotFoundError, NOT_FOUND),
    (IdempotencyConflictError, IDEMPOTENCY_CONFLICT),
    (ConflictError, CONFLICT),
    (DestinationError, REFUSED),
    (FileRefusedError, REFUSED),
)


def handle_errors(app: FastAPI) -> None:
    """Make the app answer with problems. An exception that is nobody's is left to `api.request_log`."""
    app.exception_handler(ProblemError)(_problem)
    app.exception_handler(LadingError)(_lading_error)
    app.exception_handler(HTTPException)(_http_exception)
    app.exception_handler(RequestValidationError)(_not_valid)


def problem_of(error: LadingError) -> ProblemError | None:
    """The problem that tells this error; None for one that is a fault of ours or of the machine."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if isinstance(error, RetriableError):
        return ProblemError(UNAVAILABLE, "the service is busy; try again in a moment", headers=headers)
    if isinstance(error, NoSpaceError):
        # Its message may name a folder of the home.
        return ProblemError(
            UNAVAILABLE, "there is no room on the disk; try again when there is some", headers=headers
        )
    kind = next((kind for known, kind in _BY_CLASS if isinstance(error, known)), None)
    return None if kind is None else ProblemError(kind, str(error), members=_members(error))


def _members(error: LadingError) -> dict[str, object]:
    if isinstance(error, DefinitionError):
        return {"line": error.line}
    if isinstance(error, FileRefusedError):
        return {"code": error.code}
    return {"rule": error.rule} if isinstance(error, NotAllowedError) else {}


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for nothing else
    return problem_response(error, request.scope.get("request_id"))


async def _lading_error(request: Request, error: Exception) -> Response:
    problem = problem_of(error) if isinstance(error, LadingError) else None
    if problem is None:
        raise error
    return problem_response(problem, request.scope.get("request_id"))


async def _http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown paths, unknown methods, bodies that can't be parsed."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    kind = _BY_STATUS.get(error.status_code, BAD_REQUEST)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    headers = dict(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    problem = ProblemError(kind, detail, headers=headers)
    return problem_response(problem, request.scope.get("request_id"))


def _allowed_methods(request: Request) -> list[str]:
    """The methods that this path has; the framework names those of the first route that it finds."""
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes
        )
    ]


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    errors = [{"where": ".".join(map(str, found["loc"])), "message": found["msg"]} for found in error.errors()]
    return problem_response(invalid_request(*errors), request.scope.get("request_id"))
