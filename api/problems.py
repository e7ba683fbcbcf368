"""What is wrong with a request, as problem details (RFC 9457); each kind has a type that does not change.

The types are documented in `docs/http-api.md`, which a test holds to this table, and told by `GET /problems`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

PROBLEM_JSON = "application/problem+json"
_SHOWN_ERRORS = 5
_SHOWN_CHARS = 100


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem.

    Attributes:
        slug: stable; `/problems/<slug>` is the type's URI, relative to the service.
        title: the same for every problem of this type.
        meaning: when it comes about and what to do, for the docs.
    """

    slug: str
    status: HTTPStatus
    title: str
    meaning: str

    @property
    def uri(self) -> str:
        """The `type` of such problems."""
        return f"/problems/{self.slug}"


UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    HTTPStatus.UNAUTHORIZED,
    "No valid key",
    "The request brings no key, or one that is unknown or revoked. Send `Authorization: Bearer TOKEN`.",
)
INSUFFICIENT_SCOPE = ProblemType(
    "insufficient-scope",
    HTTPStatus.FORBIDDEN,
    "The key lacks a scope",
    "The key may not be used for this; `scope` names what it lacks.",
)
NOT_ALLOWED = ProblemType(
    "not-allowed",
    HTTPStatus.FORBIDDEN,
    "A rule forbids this",
    "Whoever holds the key may not say this; `rule` names the rule.",
)
NOT_FOUND = ProblemType(
    "not-found",
    HTTPStatus.NOT_FOUND,
    "Not found",
    "There is no such thing, or it is not the key's to see.",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "The method does not exist here",
    "The path exists, but not with this method; the header `Allow` names those that do.",
)
CONFLICT = ProblemType(
    "conflict",
    HTTPStatus.CONFLICT,
    "The state does not allow this",
    "What was asked does not fit the state of the thing, such as cancelling a job that has ended.",
)
IDEMPOTENCY_CONFLICT = ProblemType(
    "idempotency-conflict",
    HTTPStatus.CONFLICT,
    "The Idempotency-Key was used for something else",
    "A request with the same `Idempotency-Key` asked for something else, or brought another file. "
    "Use a new key.",
)
NOT_ENDED = ProblemType(
    "job-not-ended",
    HTTPStatus.CONFLICT,
    "The job has not come to its end",
    "What was asked for is there when the job has ended and its report is written. Ask again; "
    "`state` tells where it is.",
)
EXPIRED = ProblemType(
    "expired",
    HTTPStatus.GONE,
    "Removed when its time was over",
    "It was kept as long as the settings say and then removed; the job's counts stay.",
)
TOO_LARGE = ProblemType(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    "The body of the request has more bytes than `limit_bytes`; nothing of it was kept.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The body is of no type that is read here",
    "The header `Content-Type` is missing or names a type that is not read here; `supported` lists "
    "those that are.",
)
MALFORMED_BODY = ProblemType(
    "malformed-body",
    HTTPStatus.BAD_REQUEST,
    "The body can't be read",
    "The body is not what its `Content-Type` says: cut off, with another boundary, with headers or "
    "fields that are "
    "too long, or not UTF-8 text.",
)
INVALID_REQUEST = ProblemType(
    "invalid-request",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The request is not valid",
    "Parameters, headers or fields are missing, unknown, or have values that are not allowed; "
    "`errors` lists them.",
)
INVALID_DEFINITION = ProblemType(
    "invalid-definition",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The definition is not valid",
    "The document is no definition; `detail` says what is wrong, and `line` where, 1-based.",
)
INVALID_CONNECTION = ProblemType(
    "invalid-connection",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The connection is not valid",
    "There is no such connector, it needs an option or secret that was not said, or knows none such, "
    "or a masked secret stands for none that is kept; `detail` says which.",
)
REFUSED = ProblemType(
    "refused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "This can't be done as it was asked",
    "Repeating the request is useless until something is changed; `detail` says what.",
)
BAD_REQUEST = ProblemType(
    "bad-request",
    HTTPStatus.BAD_REQUEST,
    "The request can't be understood",
    "The request breaks the rules of HTTP.",
)
CONNECTION_FAILED = ProblemType(
    "connection-failed",
    HTTPStatus.FAILED_DEPENDENCY,
    "The vendor did not answer as it should",
    "The connection was tried: its vendor could not be reached, or did not let Lading in; `detail` says what "
    "came back.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Not at this moment",
    "Nothing was decided: the job store is busy or does not answer, or the disk is full. Repeat the same "
    "request after the "
    "seconds that the header `Retry-After` names; with an `Idempotency-Key` nothing happens twice.",
)
INTERNAL = ProblemType(
    "internal",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "A fault inside Lading",
    "It is not your fault. The operator finds what happened in the log under the `request_id`.",
)

PROBLEM_TYPES: Mapping[str, ProblemType] = {
    value.slug: value for value in list(globals().values()) if isinstance(value, ProblemType)
}
"""Slug → type, every one that the status API answers with."""


class ProblemError(HTTPException):
    """A request that is answered with a problem.

    Attributes:
        detail: what is wrong with this request, for people.
        members: more members of the problem, plain JSON.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(kind.status, detail, headers)
        self.kind = kind
        self.members = dict(members or {})


def invalid_request(*errors: Mapping[str, str]) -> ProblemError:
    """The problem that these parts of a request (`where`) are not as they must be (`message`)."""
    detail = "; ".join(f"{error['where']}: {error['message']}" for error in errors[:_SHOWN_ERRORS])
    return ProblemError(INVALID_REQUEST, detail, members={"errors": errors})


def invalid_body(error: ValidationError) -> ProblemError:
    """The same for a body, or the fields of a form, that a model refused; quotes nothing of it."""
    return invalid_request(
        *({"where": ".".join(["body", *_told(e["loc"])]), "message": e["msg"]} for e in error.errors())
    )


def _told(location: tuple[int | str, ...]) -> list[str]:
    return [str(part)[:_SHOWN_CHARS] for part in location]


def problem_response(error: ProblemError, request_id: str | None = None) -> JSONResponse:
    """The answer that tells the problem."""
    body: dict[str, Any] = {
        "type": error.kind.uri,
        "title": error.kind.title,
        "status": error.kind.status.value,
        "detail": error.detail,
        **error.members,
    }
    if request_id is not None:
        body["request_id"] = request_id
    return JSONResponse(body, error.kind.status, headers=error.headers, media_type=PROBLEM_JSON)
