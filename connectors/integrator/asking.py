"""What a call to integrator.io asks: who, of what, with which parameters; and how calls are answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from connectors.integrator.choices import Choices
from connectors.integrator.unfit import told
from connectors.integrator.wire import ApiError, decoded, encoded
from connectors.refusal import RefusalError
from schemas.principal import Principal

M = TypeVar("M", bound=BaseModel)
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """One call.

    Attributes:
        id: of the path; empty where there is none.
        query: the parameters, of which each counts once.
        body: as it came.
        url: of the path, for links that lead on from the answer.
    """

    principal: Principal
    id: str
    query: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> object:
        """What the body says.

        Raises:
            RefusalError: 400; it is no JSON.
        """
        try:
            return decoded(self.body)
        except ValueError as error:
            raise malformed(str(error)) from error

    def document(self) -> dict[str, Any]:
        """The object that the body is.

        Raises:
            RefusalError: 400; it is none.
        """
        found = self.json()
        if not isinstance(found, dict):
            raise malformed("a JSON object is needed")
        return found

    def message(self, model: type[M], *, may_be_empty: bool = False) -> M:
        """What the body says, as what it is.

        Raises:
            RefusalError: 400 or 422; it is none.
        """
        said = {} if may_be_empty and not self.body.strip() else self.document()
        try:
            return model.model_validate(said)
        except ValidationError as error:
            raise unprocessable(*told(error, "")) from error


@dataclass(frozen=True)
class PageQuery:
    """Which part of a list is asked for."""

    limit: int
    skip: int

    @classmethod
    def of(cls, asked: Asked, choices: Choices) -> "PageQuery":
        """The page that the parameters name: `limit` and `skip` (or `offset`), or `page` and `pageSize`.

        Raises:
            RefusalError: 400; one of them is no such number.
        """
        query = asked.query
        most = choices.page_imports
        size = "pageSize" if "pageSize" in query else "limit"
        limit = min(_number(query, size, most, 1), most)
        if "page" in query:
            page = _number(query, "page", choices.first_page, choices.first_page)
            return cls(limit, (page - choices.first_page) * limit)
        return cls(limit, _number(query, "skip" if "skip" in query else "offset", 0, 0))

    def links(self, asked: Asked, total: int) -> dict[str, str]:
        """The header that leads to the pages before and after this one, where there are any."""
        links = []
        if self.skip + self.limit < total:
            links.append(self._link(asked, self.skip + self.limit, "next"))
        if self.skip > 0:
            links.append(self._link(asked, max(0, self.skip - self.limit), "prev"))
        return {"Link": ", ".join(links)} if links else {}

    def _link(self, asked: Asked, skip: int, rel: str) -> str:
        ours = {"limit", "skip", "offset", "page", "pageSize"}
        kept = {name: value for name, value in asked.query.items() if name not in ours}
        return f'<{asked.url}?{urlencode({**kept, "limit": self.limit, "skip": skip})}>; rel="{rel}"'


def answered(value: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says this."""
    return Response(encoded(value), status, headers=dict(headers or {}), media_type=JSON)


def listed(values: Sequence[object], choices: Choices, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that lists these; an empty one as it was decided."""
    if not values and choices.empty_list_status == 204:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=dict(headers or {}))
    return answered(list(values), headers=headers)


def malformed(message: str) -> RefusalError:
    """The refusal of a body that can't be read."""
    return refusal(HTTPStatus.BAD_REQUEST, ApiError(code="malformed_body", message=message))


def invalid_query(message: str, field: str) -> RefusalError:
    """The refusal of parameters that can't be."""
    error = ApiError(code="invalid_query_params", message=message, field=field)
    return refusal(HTTPStatus.BAD_REQUEST, error)


def unprocessable(*errors: ApiError) -> RefusalError:
    """The refusal of a body that says what can't be."""
    return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, *errors)


def refusal(status: HTTPStatus, *errors: ApiError) -> RefusalError:
    """A refusal with these errors."""
    told_errors = [error.model_dump(exclude_none=True) for error in errors]
    return RefusalError(status, errors[0].message, errors=told_errors)


def _number(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    said = query.get(name, "")
    if said == "":
        return default
    if not said.isascii() or not said.isdecimal() or len(said) > 9 or int(said) < least:
        raise invalid_query(f"{name} is a whole number from {least} on", name)
    return int(said)
