"""Small forms: a few fields, read whole, and no more of them than that."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.requests import Request

from api.problems import MALFORMED_BODY, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, ProblemError

MOST_BYTES = 16 * 1024
URLENCODED = "application/x-www-form-urlencoded"


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form that brings no file; the last one of each name.

    Raises:
        ProblemError: the body is too large or is no such form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != URLENCODED:
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, "a form is wanted here", members={"supported": [URLENCODED]})
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > MOST_BYTES:
            raise ProblemError(TOO_LARGE, "the form is too large", members={"limit_bytes": MOST_BYTES})
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20))
    except ValueError as error:
        raise ProblemError(MALFORMED_BODY, "the form can't be read") from error


Fields = Annotated[dict[str, str], Depends(form_fields)]
