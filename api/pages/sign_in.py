"""Signing in with the token of a key, and out again."""

import re
import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.context import Context, CurrentContext
from api.pages.attempts import Attempts
from api.pages.form import Fields
from api.pages.rendering import render
from api.pages.visitor import (
    SESSION_COOKIE,
    SignedForm,
    begin_session,
    form_token,
    is_form_token,
    set_cookie,
)

NONCE_COOKIE = "lading_sign_in"
_WRONG = "That is no key's token. Look whether it was copied whole; a revoked key does not work any more."
_OLD = "This page was open for too long, or the browser takes no cookies. Try again."
_OURS = re.compile(r"/ui(/[A-Za-z0-9._~%/-]*)?(\?[^\s\\#]*)?")


class SignIn:
    """The routes; they count wrong tokens for as long as this process lives."""

    def __init__(self) -> None:
        self._attempts = Attempts()

    def register(self, router: APIRouter) -> None:
        """Add the routes."""
        router.get("/sign-in")(form)
        router.post("/sign-in")(self.sign_in)
        router.post("/sign-out")(sign_out)

    async def sign_in(self, request: Request, service: CurrentContext, fields: Fields) -> Response:
        """Begin a session; the same answer for whatever token is wrong."""
        address = request.client.host if request.client else ""
        wanted = fields.get("next", "")
        wait_seconds = self._attempts.wait_seconds(address)
        if wait_seconds:
            said = f"Too many wrong tokens came from here. Try again in {wait_seconds} seconds."
            return _form_page(service, request, wanted, said, 429, {"Retry-After": str(wait_seconds)})
        if not is_form_token(service, fields.get("csrf", ""), request.cookies.get(NONCE_COOKIE, "")):
            return _form_page(service, request, wanted, _OLD, 403)
        principal = await service.quick(service.keys.ask, service.store, fields.get("token", "").strip())
        if principal is None:
            self._attempts.note_wrong(address)
            return _form_page(
                service, request, wanted, _WRONG, 401, {"WWW-Authenticate": 'Bearer realm="lading"'}
            )
        response = RedirectResponse(wanted if _OURS.fullmatch(wanted) else "/ui", 303)
        begin_session(service, response, principal.key_id)
        response.delete_cookie(NONCE_COOKIE, path="/ui")
        return response


async def form(request: Request, service: CurrentContext, next: str = "") -> Response:  # noqa: A002
    """The page where one signs in; `next` is where one wanted to go."""
    return _form_page(service, request, next)


async def sign_out(_who: SignedForm) -> Response:
    """End the session."""
    response = RedirectResponse("/ui/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE, path="/ui")
    return response


def _form_page(
    service: Context,
    request: Request,
    wanted: str,
    refusal: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    nonce = request.cookies.get(NONCE_COOKIE) or secrets.token_urlsafe(16)
    token = form_token(service, nonce)
    page = render("sign_in.html", status, csrf=token, next=wanted, refusal=refusal)
    page.headers.update(headers or {})
    set_cookie(service, page, NONCE_COOKIE, nonce)
    return page
