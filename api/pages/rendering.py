"""Pages made of templates, and the headers with which every page goes out."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.pages.static import static_path
from api.pages.words import FILTERS

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not even to ourselves: the address of a job's link holds its token.
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""What an answer below `/ui` says where it does not say otherwise."""


def render(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """The page that the template makes of the values; all text in it is escaped."""
    page = {"visitor": None, "here": None} | values
    return HTMLResponse(_environment().get_template(template).render(page), status)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals["static"] = static_path
    return environment
