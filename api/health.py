"""`GET /health`: whether work is accepted, and whether it can run."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.context import Context, CurrentContext
from schemas.errors import LadingError

router = APIRouter(tags=["service"])


@router.get("/health")
async def health(service: CurrentContext) -> JSONResponse:
    """200 while work is accepted and can run; 503 names what is missing. Needs no key."""
    missing = await service.quick(_missing, service)
    return JSONResponse(
        {"status": "unavailable" if missing else "ok", "missing": missing}, 503 if missing else 200
    )


def _missing(service: Context) -> list[str]:
    try:
        with service.store.read():
            return []
    except LadingError:
        return ["job store"]
