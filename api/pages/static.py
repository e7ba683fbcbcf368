"""The few files that all pages share: one style sheet, one script, one picture."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from schemas.errors import NotFoundError

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def static_path(name: str) -> str:
    """The address of the file, another one whenever its bytes are others, so that it may be kept for good."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    return f"/ui/static/{digest[:12]}/{name}"


def register(router: APIRouter) -> None:
    """Add the route."""
    router.get("/static/{digest}/{name}")(static_file)


def static_file(digest: str, name: str) -> FileResponse:
    """One of the files."""
    if name not in _names() or static_path(name) != f"/ui/static/{digest}/{name}":
        raise NotFoundError(f"there is no file {name!r} here")
    path = FOLDER / name
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": _FOR_GOOD})


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir())
