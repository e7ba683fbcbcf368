"""Uploading a file: the form, and the job that comes of it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.access import require_scope
from api.bodies import form_of
from api.context import Context, CurrentContext
from api.error_handlers import problem_of
from api.pages.definitions import usable_definitions
from api.pages.rendering import render
from api.pages.visitor import SignedIn, Visitor, check_form_token
from api.problems import INVALID_REQUEST, ProblemError
from schemas.definition import Mode
from schemas.errors import LadingError
from schemas.principal import Scope
from tasks.upload import Brought, accept_file

AS_DEFINED = "as the definition says"


@dataclass(frozen=True)
class ShownMode:
    """A mode as the form tells it; an empty value leaves it to the definition."""

    value: str
    name: str
    meaning: str


MODES = (
    ShownMode("", AS_DEFINED, ""),
    ShownMode(Mode.UPSERT, "upsert", "create new records and update those that are there"),
    ShownMode(Mode.INSERT, "insert", "only create; a record that is there already is an error"),
    ShownMode(Mode.UPDATE, "update", "only update; a record that is not there is an error"),
    ShownMode(Mode.SYNC, "sync", "like upsert, and delete at last what the file lacks"),
)


@dataclass(frozen=True)
class Chosen:
    """What somebody chose in the form; it is still chosen where the form comes back with a refusal."""

    definition: str = ""
    mode: str = ""
    validate_only: bool = False

    @classmethod
    def from_form(cls, form: FormData) -> Self:
        """What the fields of the form say."""
        texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        return cls(texts.get("definition", ""), texts.get("mode", ""), texts.get("validate_only") == "true")


def register(router: APIRouter) -> None:
    """Add the routes."""
    router.get("/upload")(upload_page)
    router.post("/upload")(upload_file)


async def creator(who: SignedIn) -> Visitor:
    """Whoever signed in with a key that may bring files."""
    require_scope(who.principal, Scope.IMPORTS_CREATE)
    return who


Creator = Annotated[Visitor, Depends(creator)]


async def upload_page(service: CurrentContext, who: Creator, definition: str = "") -> Response:
    """The form."""
    return await _form_page(service, who, Chosen(definition))


async def upload_file(
    request: Request, service: CurrentContext, who: Creator, definition: str = ""
) -> Response:
    """Take the file and show the job that will import it; where it is refused, the form says why."""
    chosen = Chosen(definition)
    try:
        async with form_of(request) as form:
            chosen = Chosen.from_form(form)
            check_form_token(service, request, str(form.get("csrf", "")))
            job_id = await service.slow(_accept, service, who, chosen, form.get("file"))
    except ProblemError as problem:
        return await _form_page(service, who, chosen, problem)
    except LadingError as error:
        known = problem_of(error)
        if known is None:
            raise
        return await _form_page(service, who, chosen, known)
    return RedirectResponse(f"/ui/jobs/{job_id}", 303)


async def _form_page(
    service: Context, who: Visitor, chosen: Chosen, problem: ProblemError | None = None
) -> Response:
    stored = await service.quick(usable_definitions, service, who)
    return render(
        "upload.html",
        problem.kind.status if problem else HTTPStatus.OK,
        visitor=who,
        here="/ui/upload",
        definitions=[definition.name for definition in stored],
        modes=MODES,
        chosen=chosen,
        refusal=problem.detail if problem else "",
        limit_bytes=service.settings.upload_limit_bytes,
    )


def _accept(service: Context, who: Visitor, chosen: Chosen, file: UploadFile | str | None) -> str:
    if not chosen.definition:
        raise ProblemError(INVALID_REQUEST, "choose a definition: it says what the file is")
    if not isinstance(file, UploadFile) or not file.filename:
        raise ProblemError(INVALID_REQUEST, "choose a file")
    if chosen.mode not in {mode.value for mode in MODES}:
        raise ProblemError(INVALID_REQUEST, f"there is no mode {chosen.mode!r}")
    brought = Brought(
        principal=who.principal,
        file=file.file,
        file_name=file.filename,
        definition=chosen.definition,
        mode=Mode(chosen.mode) if chosen.mode else None,
        validate_only=chosen.validate_only,
        creation_path="UI",
    )
    return accept_file(service.settings, brought).job_id
