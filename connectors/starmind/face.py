"""Starmind's import API, served: login, tags and users by workbook, users by list, states of processes."""

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from io import BytesIO
from itertools import chain, islice
from typing import TypeVar

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from connectors.face import Imports, JobView, Received, Submission
from connectors.refusal import RefusalError, require_scope, tell_refusals
from connectors.starmind.choices import Choices
from connectors.starmind.processes import entry_of, process_of, status_of, user_number
from connectors.starmind.wire import (
    FILE_PART,
    Accepted,
    Entity,
    ErrorEntry,
    Login,
    Process,
    ProcessStatus,
    Session,
    UserMode,
    Users,
    stored_name,
)
from schemas.clock import utc_now
from schemas.definition import FileOptions, Mode
from schemas.errors import BodyError, ConflictError, NotFoundError
from schemas.job import JobKind
from schemas.principal import Principal, Scope

T = TypeVar("T")
NAME = "starmind"
_JSON = "application/json"
_MOST_DIGITS = 10
_MOST_LOGIN_BYTES = 64 * 1024
_MODES = {UserMode.IMPORT: Mode.UPSERT, UserMode.SYNC: Mode.SYNC}


def starmind_face(imports: Imports) -> ASGIApp:
    """The application that answers Starmind's clients."""
    choices = Choices()
    face = _Face(imports, choices)
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    tell_refusals(app, _shaped)
    app.add_api_route(choices.login_path, face.login, methods=["POST"])
    app.add_api_route("/import/users", face.take_users, methods=["POST"])
    app.add_api_route("/import/{entity}/upload", face.upload, methods=["POST"])
    app.add_api_route("/import/{entity}/status", face.list_processes, methods=["GET"])
    app.add_api_route("/import/{entity}/{number}", face.start, methods=["PUT"])
    app.add_api_route("/import/{entity}/{number}/status", face.status, methods=["GET"])
    return app


class _Face:
    def __init__(self, imports: Imports, choices: Choices) -> None:
        self._imports = imports
        self._choices = choices

    async def login(self, request: Request) -> Response:
        """The token of whoever knows it, and the subscription key that belongs to it; any e-mail will do."""
        async with self._imports.receive_body(request, _MOST_LOGIN_BYTES) as received:
            login = await run_in_threadpool(_decoded, Login.decode, received)
        await run_in_threadpool(self._admitted, login.password, _api_key(request) or "")
        return self._answer(Session(token=login.password).encode())

    async def upload(self, request: Request, entity: str) -> Response:
        """Begin to validate a workbook; nothing is imported."""
        principal = await run_in_threadpool(self._principal, request, Scope.IMPORTS_CREATE)
        of = entity_of(entity)
        definition = await run_in_threadpool(self._definition, principal, of)
        async with self._imports.receive_form(request, [FILE_PART], self._choices.limit_bytes) as received:
            submission = Submission(
                definition=definition,
                file=received.file,
                file_name=received.file_name,
                creation_path=creation_path(of),
                validate_only=True,
                file_options=FileOptions(kind="xlsx"),
            )
            job_id = await run_in_threadpool(self._imports.submit, principal, submission)
        return await run_in_threadpool(self._accepted, principal, job_id)

    def start(self, request: Request, entity: str, number: str) -> Response:
        """Begin to import the workbook that was validated without an error; again, if it was before."""
        principal = self._principal(request, Scope.IMPORTS_CREATE)
        view = self._process(principal, entity, number)
        if view.kind is not JobKind.VALIDATE:
            raise NotFoundError(f"{number} is no uploaded file; PUT takes the import_id that the upload gave")
        status = status_of(view)
        if status is ProcessStatus.PROCESSING:
            raise ConflictError(f"the file {number} is being validated; ask for its status until it is success")
        if status is ProcessStatus.ERROR:
            raise ConflictError(f"the validation of the file {number} ended in error; upload a mended one")
        job_id = self._imports.submit_again(principal, view.job_id, view.creation_path)
        return self._accepted(principal, job_id)

    async def take_users(self, request: Request, mode: str = UserMode.IMPORT.value) -> Response:
        """Begin to import a list of users."""
        principal = await run_in_threadpool(self._principal, request, Scope.IMPORTS_CREATE)
        definition = await run_in_threadpool(self._definition, principal, Entity.USERS)
        wanted = mode_of(mode)
        async with self._imports.receive_body(request, self._choices.limit_bytes) as received:
            users = await run_in_threadpool(_decoded, Users.decode, received)
        submission = Submission(
            definition=definition,
            file=BytesIO(b"".join(users.lines())),
            file_name=stored_name(Entity.USERS, utc_now(), "json"),
            creation_path=creation_path(Entity.USERS),
            mode=wanted,
            file_options=FileOptions(kind="jsonl"),
        )
        job_id = await run_in_threadpool(self._imports.submit, principal, submission)
        return await run_in_threadpool(self._accepted, principal, job_id)

    def status(self, request: Request, entity: str, number: str) -> Response:
        """The state of the process, with all of its errors."""
        principal = self._principal(request, Scope.IMPORTS_READ)
        view = self._process(principal, entity, number)
        (process,) = self._processes([view])
        return self._stream(process.encode_parts(self._errors(principal, view)))

    def list_processes(self, request: Request, entity: str) -> Response:
        """The states of the newest processes, newest first, with the first errors of each."""
        principal = self._principal(request, Scope.IMPORTS_READ)
        of = entity_of(entity)
        paths = {creation_path(of)}
        if of is Entity.USERS and self._choices.user_list_has_tags:
            paths.add(creation_path(Entity.TAGS))
        found = [view for path in sorted(paths) for view in self._imports.jobs(principal, path)]
        found.sort(key=lambda view: view.received_at, reverse=True)
        return self._stream(self._listed(principal, found[: self._choices.list_processes]))

    def _listed(self, principal: Principal, views: Sequence[JobView]) -> Iterator[bytes]:
        yield b"["
        for place, (view, process) in enumerate(zip(views, self._processes(views), strict=True)):
            errors = islice(self._errors(principal, view), self._choices.list_errors)
            yield b"," * (place > 0) + b"".join(process.encode_parts(errors))
        yield b"]"

    def _processes(self, views: Sequence[JobView]) -> list[Process]:
        jobs = {view.job_id: view.source_job_id or view.job_id for view in views}
        numbers = self._imports.numbers({*jobs, *jobs.values()})
        return [
            process_of(view, _entity(view), numbers[view.job_id], numbers[jobs[view.job_id]]) for view in views
        ]

    def _errors(self, principal: Principal, view: JobView) -> Iterator[ErrorEntry]:
        if not view.state.terminal:
            return
        headers = self._imports.headers(principal, view.job_id)
        for error in self._imports.errors(principal, view.job_id):
            yield entry_of(error, headers)

    def _process(self, principal: Principal, entity: str, number: str) -> JobView:
        """The process of this entity, whose number came as text.

        Raises:
            NotFoundError: there is none.
        """
        path = creation_path(entity_of(entity))
        is_number = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
        view = self._imports.numbered(principal, int(number)) if is_number else None
        if view is None or view.creation_path != path:
            raise NotFoundError(f"there is no import {number[:_MOST_DIGITS]!r} of {entity}")
        return view

    def _definition(self, principal: Principal, entity: Entity) -> str:
        return self._imports.definition_at(principal, NAME, {"entity": entity.value})

    def _principal(self, request: Request, scope: Scope) -> Principal:
        """Whoever comes in with `Authorization: Bearer`; an `Api-Key` beside it must be the right one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        principal = self._admitted(token.strip() if scheme.lower() == "bearer" else "", _api_key(request))
        require_scope(principal, scope)
        return principal

    def _admitted(self, token: str, subscription_key: str | None) -> Principal:
        principal = self._imports.admit(token, subscription_key) if token else None
        if principal is None:
            message = "the token, or the Api-Key that belongs to it, is missing or wrong"
            raise RefusalError(HTTPStatus.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})
        return principal

    def _accepted(self, principal: Principal, job_id: str) -> Response:
        answer = Accepted(
            import_id=self._imports.numbers([job_id])[job_id],
            user_id=user_number(principal.key_id),
            file_name=self._imports.job(principal, job_id).file_name,
        )
        return self._answer(answer.encode())

    def _answer(self, body: bytes) -> Response:
        return Response(body, self._choices.success_status, media_type=_JSON)

    def _stream(self, parts: Iterator[bytes]) -> Response:
        # What fails at once, such as a busy store, is told as an error; later the answer has begun.
        begun = list(islice(parts, 2))
        return StreamingResponse(chain(begun, parts), self._choices.success_status, media_type=_JSON)


def creation_path(entity: Entity) -> str:
    """How jobs of this entity came, as people search for them."""
    return f"STARMIND_API:{entity.value.upper()}"


def _entity(view: JobView) -> Entity:
    return Entity(view.creation_path.rpartition(":")[2].lower())


def _api_key(request: Request) -> str | None:
    return request.headers.get("api-key", request.headers.get("x-api-key"))


def entity_of(text: str) -> Entity:
    """The entity that a path names.

    Raises:
        NotFoundError: it names none.
    """
    if text not in set(Entity):
        raise NotFoundError("there is no such path; imports are those of tags and of users")
    return Entity(text)


def mode_of(text: str) -> Mode:
    """What a list of users is to do, as the definition's mode.

    Raises:
        BodyError: it is none of Starmind's modes (400).
    """
    if text not in _MODES:
        raise BodyError(HTTPStatus.BAD_REQUEST, f"the mode is one of {', '.join(_MODES)}")
    return _MODES[UserMode(text)]


def _decoded(decode: Callable[[bytes], T], received: Received) -> T:
    """What came in a body.

    Raises:
        BodyError: it can't be read (400).
    """
    try:
        return decode(received.file.read())
    except ValueError as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise BodyError(HTTPStatus.BAD_REQUEST, f"the body can't be read: {first}") from error


def _shaped(refusal: RefusalError) -> Response:
    body = {"status": refusal.status, "message": refusal.message}
    return JSONResponse(body, refusal.status, headers=refusal.headers)
