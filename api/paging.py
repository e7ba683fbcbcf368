"""Lists a page at a time: how many on a page, and where the next one begins."""

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from api.context import Context
from api.problems import NOT_FOUND, ProblemError
from schemas.signing import Purpose

DEFAULT_LIMIT = 50
MOST_LIMIT = 200


class PageQuery(BaseModel):
    """The query of every list; a parameter that is not known is refused, lest a typing error show all."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST_LIMIT, description="How many at most.")] = DEFAULT_LIMIT
    cursor: Annotated[str | None, Field(max_length=500, description="As `next` of the page before has it.")] = (
        None
    )


def next_page(service: Context, path: str, wanted: PageQuery, position: list[Any]) -> str:
    """The address of the page of the same list that begins at this place."""
    asked = wanted.model_dump(mode="json", exclude_none=True)
    cursor = service.signer.sign(Purpose.CURSOR, [path, *position])
    return service.public(f"{path}?{urlencode(asked | {'cursor': cursor})}")


def position_of(service: Context, path: str, cursor: str | None) -> list[Any] | None:
    """The place that the cursor stands for; None where there is no cursor.

    Raises:
        ProblemError: 404; it was not made here for this list.
    """
    if cursor is None:
        return None
    found = service.signer.value(Purpose.CURSOR, cursor)
    if not isinstance(found, list) or found[0] != path:
        raise ProblemError(NOT_FOUND, "there is no such page of this list; begin again without a cursor")
    return found[1:]
