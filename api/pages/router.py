"""All pages, below `/ui`."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.pages import definitions, imports, job, job_actions, static, upload
from api.pages.route import PageRoute
from api.pages.sign_in import SignIn
from schemas.errors import NotFoundError


def pages_router() -> APIRouter:
    """The routes of the pages; an app includes them once, beside those of the status API."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    for address in ("/", "/ui/"):
        router.get(address)(begin)
    pages = APIRouter(prefix="/ui", route_class=PageRoute)
    for part in (static, SignIn(), imports, upload, definitions, job, job_actions):
        part.register(pages)
    pages.api_route("/{path:path}", methods=["GET", "POST"])(no_page)
    router.include_router(pages)
    return router


async def begin() -> Response:
    """Lead whoever opens the address of the service in a browser to where the pages begin."""
    return RedirectResponse("/ui", 303)


async def no_page(request: Request) -> None:
    """Say that there is no such page, as a page.

    Raises:
        NotFoundError: always.
    """
    raise NotFoundError(f"there is no page {request.url.path!r}")
