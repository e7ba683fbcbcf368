"""Who looks at the pages: the session that signing in began, and the token that its forms carry."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from api.context import Context, CurrentContext
from api.pages.form import Fields
from schemas.errors import NotAllowedError
from schemas.principal import Principal, Scope
from schemas.signing import Purpose
from store.keys import principal_of_key

SESSION_COOKIE = "lading_session"
SESSION_SECONDS = 12 * 3600


class SignInNeededError(Exception):
    """Nobody is signed in; told by the page where one signs in."""


@dataclass(frozen=True)
class Place:
    """A page that the top of every page leads to."""

    href: str
    name: str


@dataclass(frozen=True)
class Visitor:
    """Somebody who signed in.

    Attributes:
        csrf: goes with every form of theirs.
    """

    principal: Principal
    csrf: str

    @property
    def may_read(self) -> bool:
        """True when they may look at imports."""
        return self.principal.may(Scope.IMPORTS_READ)

    @property
    def may_create(self) -> bool:
        """True when they may bring files."""
        return self.principal.may(Scope.IMPORTS_CREATE)

    @property
    def places(self) -> Sequence[Place]:
        """Where they may go; the first is where they begin."""
        reading = [Place("/ui", "Imports")] if self.may_read else []
        creating = [Place("/ui/upload", "Upload")] if self.may_create else []
        return [*reading, *creating, Place("/ui/definitions", "Definitions")]


async def visitor(request: Request, service: CurrentContext) -> Visitor:
    """Whoever signed in in this browser; their key is looked up each time, so a revoked one ends it.

    From then on `request.state.visitor` is there, for a page that says why not.

    Raises:
        SignInNeededError: nobody did, or it was too long ago.
    """
    cookie = request.cookies.get(SESSION_COOKIE, "")
    session = service.signer.value(Purpose.PAGE_SESSION, cookie, SESSION_SECONDS)
    if session is None:
        raise SignInNeededError
    principal = await service.quick(_principal, service, session["key"])
    if principal is None:
        raise SignInNeededError
    found = request.state.visitor = Visitor(principal, form_token(service, session["nonce"]))
    return found


SignedIn = Annotated[Visitor, Depends(visitor)]


async def visitor_of_form(request: Request, service: CurrentContext, who: SignedIn, fields: Fields) -> Visitor:
    """Whoever signed in and sent a small form that one of our pages gave them.

    Raises:
        NotAllowedError: it came from elsewhere.
    """
    check_form_token(service, request, fields.get("csrf", ""))
    return who


SignedForm = Annotated[Visitor, Depends(visitor_of_form)]


def begin_session(service: Context, response: Response, key_id: str) -> None:
    """Give the browser the cookie of a session of this key."""
    session = {"key": key_id, "nonce": secrets.token_urlsafe(16)}
    set_cookie(service, response, SESSION_COOKIE, service.signer.sign(Purpose.PAGE_SESSION, session))


def set_cookie(service: Context, response: Response, name: str, value: str) -> None:
    """Set a cookie that no script and no other site may use, and no page but ours."""
    is_https = (service.settings.public_url or "").startswith("https:")
    response.set_cookie(
        name, value, SESSION_SECONDS, path="/ui", secure=is_https, httponly=True, samesite="strict"
    )


def form_token(service: Context, nonce: str) -> str:
    """What a form must carry so that it counts as one of ours in the browser that holds this nonce."""
    return service.signer.sign(Purpose.CSRF, nonce)


def is_form_token(service: Context, token: str, nonce: str) -> bool:
    """True when the token was made for this nonce, not longer ago than a session lasts."""
    signed = service.signer.value(Purpose.CSRF, token, SESSION_SECONDS)
    return isinstance(signed, str) and hmac.compare_digest(signed.encode(), nonce.encode())


def check_form_token(service: Context, request: Request, token: str) -> None:
    """Refuse a form that no page of this session gave.

    Raises:
        NotAllowedError: always says `form.token`.
    """
    session = service.signer.value(Purpose.PAGE_SESSION, request.cookies.get(SESSION_COOKIE, ""))
    if session is None or not is_form_token(service, token, session["nonce"]):
        raise NotAllowedError(
            "form.token", "the form is not one of this session; go back, reload the page and send it again"
        )


def _principal(service: Context, key_id: str) -> Principal | None:
    with service.store.read() as session:
        return principal_of_key(session, key_id)
