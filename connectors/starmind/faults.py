"""Every error that leaves a route, in Starmind's shape: `{"status", "message"}`."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from connectors.starmind.wire import Fault
from schemas.errors import (
    BodyError,
    ConflictError,
    FatalError,
    LadingError,
    NotAllowedError,
    NotFoundError,
    RetriableError,
)

RETRY_AFTER_SECONDS = 2
_STATUS: tuple[tuple[type[LadingError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (ConflictError, HTTPStatus.CONFLICT),
    (FatalError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


def answer_faults(app: FastAPI) -> None:
    """Make the app answer every error so, those of the framework too."""
    app.exception_handler(LadingError)(_lading_error)
    app.exception_handler(HTTPException)(_http_exception)
    app.exception_handler(RequestValidationError)(_not_valid)
    app.exception_handler(Exception)(_unexpected)


async def _lading_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, RetriableError):
        retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return _answer(503, "the service is busy; try again in a moment", retry)
    if isinstance(error, BodyError):
        return _answer(error.status, str(error))
    status = next((status for known, status in _STATUS if isinstance(error, known)), None)
    return _answer(500, "a fault inside") if status is None else _answer(status, str(error))


async def _http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    return _answer(error.status_code, error.detail, error.headers)


async def _not_valid(_request: Request, error: Exception) -> Response:
    """A path that names no entity or number leads nowhere; whatever else does not fit is told."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    first = error.errors()[0]
    if first["loc"][0] == "path":
        return _answer(404, "there is no such path")
    return _answer(400, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}")


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return _answer(500, "a fault inside; it is not yours")


def _answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    told = Fault(status=status, message=message).encode()
    return Response(told, status, headers=headers, media_type="application/json")
