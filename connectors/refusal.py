"""Why a face turns a request away: errors of the house and of HTTP as one value, told in the vendor's shape."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import (
    BodyError,
    ConflictError,
    DefinitionError,
    DestinationError,
    FileRefusedError,
    LadingError,
    NoSpaceError,
    NotAllowedError,
    NotFoundError,
    RetriableError,
)
from schemas.principal import Principal, Scope

RETRY_AFTER_SECONDS = 2
IDEMPOTENCY_HEADER = "Idempotency-Key"
"""An extension that vendors' clients may use: asking again under the same name gives the same job."""
_BY_CLASS: tuple[tuple[type[LadingError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (ConflictError, HTTPStatus.CONFLICT),
    (DefinitionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DestinationError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (FileRefusedError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""What may be told of whom; other errors are of the machine, and their messages are the operator's."""


class RefusalError(Exception):
    """A request that is turned away.

    Attributes:
        status: of HTTP.
        message: for people; nothing of the inside.
        headers: of the answer.
        errors: more about what is wrong, plain JSON in the vendor's words, for shapes with a place for it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.errors = tuple(errors)


Shape = Callable[[RefusalError], Response]
"""The answer in which a vendor tells a refusal."""


def tell_refusals(app: FastAPI, shape: Shape) -> None:
    """Have every error of the app told in this shape; one that is a fault of ours goes on to the log, too."""

    async def tell(_request: Request, error: Exception) -> Response:
        refusal = _known(error)
        if refusal is None:
            raise error
        return shape(refusal)

    async def tell_fault(_request: Request, _error: Exception) -> Response:
        fault = "a fault inside Lading; its log says which"
        return shape(RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, fault))

    for kind in (RefusalError, LadingError, HTTPException):
        app.exception_handler(kind)(tell)
    app.exception_handler(Exception)(tell_fault)


def _known(error: Exception) -> RefusalError | None:
    """What is told of this error; None where it is a fault of ours or of the machine."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, HTTPException):
        return RefusalError(error.status_code, error.detail, headers=error.headers)
    if isinstance(error, RetriableError | NoSpaceError):
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        message = "the service is busy; try again in a moment"
        return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, message, headers=wait)
    if isinstance(error, BodyError):
        return RefusalError(error.status, str(error))
    status = next((status for known, status in _BY_CLASS if isinstance(error, known)), None)
    return None if status is None else RefusalError(status, str(error))


def require_scope(principal: Principal, scope: Scope) -> None:
    """Refuse whoever's key lacks this scope.

    Raises:
        RefusalError: 403; names the scope.
    """
    if not principal.may(scope):
        raise RefusalError(HTTPStatus.FORBIDDEN, f"the key lacks the permission {scope}")
