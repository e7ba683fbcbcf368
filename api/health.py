"""`GET /health`: whether work is accepted, and whether it can run."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse
from typing_extensions import TypedDict

from api.context import CurrentContext
from api.documentation import problem_answers
from api.problems import INTERNAL

router = APIRouter(tags=["service"])


class Health(TypedDict):
    """Whether work is accepted and can run."""

    status: Annotated[str, Field(pattern="^(ok|unavailable)$")]
    missing: Annotated[list[str], Field(description="`job store`, `worker`, `prefect`: what does not answer.")]


@router.get(
    "/health",
    summary="Whether work is accepted and can run",
    responses={
        200: {"model": Health, "content": {"application/json": {"example": {"status": "ok", "missing": []}}}},
        503: {
            "model": Health,
            "description": "Work can't run; `missing` says why.",
            "content": {"application/json": {"example": {"status": "unavailable", "missing": ["worker"]}}},
        },
        **problem_answers(INTERNAL),
    },
)
async def health(service: CurrentContext) -> JSONResponse:
    """Needs no key, and looks at most once a second, however often it is asked."""
    missing = await service.health.missing()
    told: Health = {"status": "unavailable" if missing else "ok", "missing": missing}
    return JSONResponse(told, 503 if missing else 200)
