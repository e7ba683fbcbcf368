"""The types of problems, told to whoever follows the `type` of one. Needs no key."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse
from typing_extensions import TypedDict

from api.documentation import problem_answers, success
from api.problems import INTERNAL, NOT_FOUND, PROBLEM_TYPES, UNAUTHENTICATED, ProblemError, ProblemType

router = APIRouter(tags=["service"])


class ProblemTypeDocument(TypedDict):
    """One type of problems."""

    type: Annotated[str, Field(description="The `type` of such problems.")]
    status: int
    title: str
    meaning: Annotated[str, Field(description="When it comes about, and what to do.")]


class ProblemTypes(TypedDict):
    """Every type of problems that there is."""

    problems: list[ProblemTypeDocument]


def _document(kind: ProblemType) -> ProblemTypeDocument:
    return {"type": kind.uri, "status": kind.status.value, "title": kind.title, "meaning": kind.meaning}


@router.get(
    "/problems",
    summary="List the types of problems",
    responses={
        200: success(ProblemTypes, {"problems": [_document(UNAUTHENTICATED)]}, "All types."),
        **problem_answers(INTERNAL),
    },
)
async def list_problem_types() -> JSONResponse:
    """All of them."""
    return JSONResponse({"problems": [_document(kind) for kind in PROBLEM_TYPES.values()]})


@router.get(
    "/problems/{slug}",
    summary="What a type of problems means",
    responses={
        200: success(ProblemTypeDocument, _document(UNAUTHENTICATED), "The type."),
        **problem_answers(NOT_FOUND, INTERNAL),
    },
)
async def get_problem_type(slug: str) -> JSONResponse:
    """What the `type` of a problem leads to."""
    if slug not in PROBLEM_TYPES:
        raise ProblemError(NOT_FOUND, "there is no such type of problems; `GET /problems` lists them")
    return JSONResponse(_document(PROBLEM_TYPES[slug]))
