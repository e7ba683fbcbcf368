"""Starmind's import API, served: login, tags and users by workbook, users by list, states of processes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import chain, islice
from typing import Annotated

from fastapi import FastAPI, Path
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.face import Imports, JobView, Submission
from connectors.starmind.choices import Choices
from connectors.starmind.faults import answer_faults
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
from schemas.definition import Mode
from schemas.errors import ConflictError, NotAllowedError, NotFoundError
from schemas.job import JobKind
from schemas.principal import Principal, Scope

NAME = "starmind"
JSON = "application/json"
_MOST_LOGIN_BYTES = 64 * 1024
_MODES = {UserMode.IMPORT: Mode.UPSERT, UserMode.SYNC: Mode.SYNC}

Number = Annotated[int, Path(ge=1, lt=2**31)]


class Face:
    """The routes, over one house."""

    def __init__(self, imports: Imports, choices: Choices) -> None:
        self._imports = imports
        self._choices = choices

    def app(self) -> FastAPI:
        """The application, with Starmind's errors and no others."""
        app = FastAPI(openapi_url=None, redirect_slashes=False, default_response_class=Response)
        routes: list[tuple[str, str, Callable[..., object]]] = [
            ("POST", self._choices.login_path, self.login),
            ("POST", "/import/users", self.take_users),
            ("POST", "/import/{entity}/upload", self.upload),
            ("GET", "/import/{entity}/status", self.list_processes),
            ("PUT", "/import/{entity}/{number}", self.start),
            ("GET", "/import/{entity}/{number}/status", self.status),
        ]
        for method, path, call in routes:
            app.add_api_route(path, call, methods=[method], response_model=None)
        answer_faults(app)
        return app

    async def login(self, request: Request) -> Response:
        """The token of whoever knows it, and the subscription key that belongs to it; any e-mail will do."""
        async with self._imports.receive_body(request, _MOST_LOGIN_BYTES) as received:
            login = Login.decode(await run_in_threadpool(received.file.read))
        await run_in_threadpool(self._admitted, login.password, _api_key(request) or "")
        return self._answer(Session(token=login.password).encode())

    async def upload(self, request: Request, entity: Entity) -> Response:
        """Begin to validate a workbook; nothing is imported."""
        principal = await run_in_threadpool(self._principal, request, Scope.IMPORTS_CREATE)
        definition = await run_in_threadpool(self._definition, principal, entity)
        async with self._imports.receive_form(request, [FILE_PART], self._choices.limit_bytes) as received:
            submission = Submission(
                definition=definition,
                file=received.file,
                file_name=received.file_name,
                creation_path=creation_path(entity),
                validate_only=True,
                file_kind="xlsx",
            )
            job_id = await run_in_threadpool(self._imports.submit, principal, submission)
        return await run_in_threadpool(self._accepted, principal, job_id, received.file_name)

    def start(self, request: Request, entity: Entity, number: Number) -> Response:
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
        job_id = self._imports.submit_again(principal, view.job_id, creation_path(entity))
        return self._accepted(principal, job_id, view.file_name)

    async def take_users(self, request: Request, mode: UserMode = UserMode.IMPORT) -> Response:
        """Begin to import a list of users."""
        principal = await run_in_threadpool(self._principal, request, Scope.IMPORTS_CREATE)
        definition = await run_in_threadpool(self._definition, principal, Entity.USERS)
        async with self._imports.receive_body(request, self._choices.limit_bytes) as received:
            users = await run_in_threadpool(_users, received.file.read)
        submission = Submission(
            definition=definition,
            file=BytesIO(users),
            file_name=stored_name(Entity.USERS, utc_now(), "json"),
            creation_path=creation_path(Entity.USERS),
            mode=_MODES[mode],
            file_kind="jsonl",
        )
        job_id = await run_in_threadpool(self._imports.submit, principal, submission)
        return await run_in_threadpool(self._accepted, principal, job_id, submission.file_name)

    def status(self, request: Request, entity: Entity, number: Number) -> Response:
        """The state of the process, with all of its errors."""
        principal = self._principal(request, Scope.IMPORTS_READ)
        view = self._process(principal, entity, number)
        (process,) = self._processes([view])
        return self._stream(process.encoded(_begun(self._errors(principal, view))))

    def list_processes(self, request: Request, entity: Entity) -> Response:
        """The states of the newest processes, newest first, with the first errors of each."""
        principal = self._principal(request, Scope.IMPORTS_READ)
        paths = {creation_path(entity)}
        if entity is Entity.USERS and self._choices.user_list_has_tags:
            paths.add(creation_path(Entity.TAGS))
        found = [view for path in sorted(paths) for view in self._imports.jobs(principal, path)]
        found.sort(key=lambda view: view.received_at, reverse=True)
        return self._stream(self._listed(principal, found[: self._choices.list_processes]))

    def _listed(self, principal: Principal, views: Sequence[JobView]) -> Iterator[bytes]:
        yield b"["
        for place, (view, process) in enumerate(zip(views, self._processes(views), strict=True)):
            yield b"," * (place > 0)
            yield from process.encoded(islice(self._errors(principal, view), self._choices.list_errors))
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

    def _process(self, principal: Principal, entity: Entity, number: int) -> JobView:
        view = self._imports.numbered(principal, number)
        if view.creation_path != creation_path(entity):
            raise NotFoundError(f"there is no process {number} of {entity}")
        return view

    def _definition(self, principal: Principal, entity: Entity) -> str:
        return self._imports.definition_at(principal, NAME, {"entity": entity.value})

    def _principal(self, request: Request, scope: Scope) -> Principal:
        """Whoever comes in with `Authorization: Bearer`; an `Api-Key` beside it must be the right one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        principal = self._admitted(token.strip() if scheme.lower() == "bearer" else "", _api_key(request))
        if not principal.may(scope):
            raise NotAllowedError("scope", f"the key lacks the scope {scope}")
        return principal

    def _admitted(self, token: str, subscription_key: str | None) -> Principal:
        principal = self._imports.admit(token, subscription_key) if token else None
        if principal is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="starmind"'}
            raise HTTPException(401, "the token or the Api-Key is missing or wrong", challenge)
        return principal

    def _accepted(self, principal: Principal, job_id: str, file_name: str) -> Response:
        number = self._imports.numbers([job_id])[job_id]
        user_id = user_number(principal.key_id)
        return self._answer(Accepted(import_id=number, user_id=user_id, file_name=file_name).encode())

    def _answer(self, body: bytes) -> Response:
        return Response(body, self._choices.success_status, media_type=JSON)

    def _stream(self, parts: Iterator[bytes]) -> Response:
        return StreamingResponse(parts, self._choices.success_status, media_type=JSON)


def creation_path(entity: Entity) -> str:
    """How jobs of this entity came, as people search for them."""
    return f"STARMIND_API:{entity.value.upper()}"


def _entity(view: JobView) -> Entity:
    return Entity(view.creation_path.rpartition(":")[2].lower())


def _api_key(request: Request) -> str | None:
    return request.headers.get("api-key", request.headers.get("x-api-key"))


def _users(read: Callable[[], bytes]) -> bytes:
    return b"".join(Users.decode(read()).lines())


def _begun(entries: Iterator[ErrorEntry]) -> Iterable[ErrorEntry]:
    """The same entries, of which the first was looked for: what goes wrong then can still be answered."""
    return chain(list(islice(entries, 1)), entries)
