"""What all routes of the pages have in common: refusals are pages, and headers say what browsers may do."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.error_handlers import problem_of
from api.pages.rendering import HEADERS, render
from api.pages.visitor import SignInNeededError
from api.problems import ProblemError
from schemas.errors import LadingError

_HEADINGS: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.CONFLICT: "Not in this state",
    HTTPStatus.GONE: "Removed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not at this moment",
}


class PageRoute(APIRoute):
    """A route that answers people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with its refusals told by pages."""
        answer = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                response = await answer(request)
            except SignInNeededError:
                response = _to_sign_in(request)
            except RequestValidationError:
                response = refusal_page(
                    request, HTTPStatus.UNPROCESSABLE_ENTITY, "the address says what can't be meant"
                )
            except HTTPException as error:
                response = refusal_page(request, error.status_code, str(error.detail))
            except ProblemError as error:
                response = refusal_page(request, error.kind.status, error.detail, error.headers)
            except LadingError as error:
                problem = problem_of(error)
                if problem is None:
                    raise
                response = refusal_page(request, problem.kind.status, problem.detail, problem.headers)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return told


def refusal_page(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The page that says why not."""
    heading = _HEADINGS.get(status, "This can't be done")
    told = f"{message[:1].upper()}{message[1:]}."
    visitor = getattr(request.state, "visitor", None)
    page = render("refusal.html", status, heading=heading, message=told, visitor=visitor)
    page.headers.update(headers or {})
    return page


def _to_sign_in(request: Request) -> Response:
    """Where one signs in, or the same page once more.

    A browser that follows a link from elsewhere keeps a cookie of ours back; once it reloads the page by
    itself, which is not from elsewhere, it shows whether there is a session.
    """
    is_read = request.method == "GET"
    if is_read and request.headers.get("sec-fetch-site") == "cross-site":
        return render("continue.html", next=_address(request))
    wanted = f"?next={quote(_address(request), safe='')}" if is_read else ""
    return RedirectResponse(f"/ui/sign-in{wanted}", 303)


def _address(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
