"""All pages, below `/ui`."""

from fastapi import APIRouter
from starlette.requests import Request

from api.pages import definitions, imports, job, job_actions, static, upload
from api.pages.route import PageRoute
from api.pages.sign_in import SignIn
from schemas.errors import NotFoundError


def pages_router() -> APIRouter:
    """The routes of the pages; an app includes them once, beside those of the status API."""
    router = APIRouter(prefix="/ui", route_class=PageRoute, include_in_schema=False)
    for part in (static, SignIn(), imports, upload, definitions, job, job_actions):
        part.register(router)
    router.api_route("/{path:path}", methods=["GET", "POST"])(no_page)
    return router


async def no_page(request: Request) -> None:
    """Say that there is no such page, as a page.

    Raises:
        NotFoundError: always.
    """
    raise NotFoundError(f"there is no page {request.url.path!r}")
