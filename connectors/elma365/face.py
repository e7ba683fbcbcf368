"""The face of ELMA365: uploads of files and imports of apps over the imports of Lading."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from uuid import UUID, uuid5

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from connectors.elma365.choices import Elma365Choices
from connectors.elma365.wire import (
    BLOCKED,
    FILE_PARTS,
    HASH_PARAMETER,
    RANGE_HEADER,
    ContentRange,
    Credentials,
    ImportAnswer,
    ImportRequest,
    Refusal,
    StoredFile,
    UploadAnswer,
    file_kind,
    named,
)
from connectors.face import Imports, JobView, Received, Submission
from connectors.refusal import RefusalError, require_scope, tell_refusals
from schemas.client_file import FilePart, FileRules
from schemas.errors import BusyError, NoSpaceError, NotFoundError, PartRefusedError
from schemas.job import JobState
from schemas.principal import Principal, Scope

NAME = "elma365"
CREATION_PATH = "ELMA365"
_APP = "/pub/v1/app/{namespace}/{code}/import"
_REQUEST_BYTES = 64 * 1024
_JSON = "application/json"
_MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_FILES = UUID("0d2f6a53-8e0b-5c1e-9d52-6a2f3c7b9e14")
_KNOWN = {
    HTTPStatus.UNAUTHORIZED: HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY: HTTPStatus.BAD_REQUEST,
}
"""Statuses of ours → those that the documents know."""


class AppAddress(BaseModel):
    """`faces.elma365` of a definition: the app whose items its records are."""

    model_config = ConfigDict(extra="forbid")

    namespace: str
    code: str


def elma365_face(imports: Imports) -> ASGIApp:
    """The application that answers ELMA365's clients."""
    face = _Face(imports, Elma365Choices())
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    tell_refusals(app, _shaped)
    app.add_api_route("/pub/v1/disk/directory/{directory}/upload", face.upload_to_directory, methods=["POST"])
    app.add_api_route("/pub/v1/disk/file/upload", face.upload_temporary, methods=["POST"])
    app.add_api_route(_APP, face.start, methods=["POST"])
    # Before the status, which would take `template` for an import.
    app.add_api_route(f"{_APP}/template", face.template, methods=["GET"])
    app.add_api_route(f"{_APP}/{{import_id}}/status", face.status, methods=["GET", "POST"])
    app.add_api_route(f"{_APP}/{{import_id}}", face.status, methods=["GET"])
    return app


class _Face:
    def __init__(self, imports: Imports, choices: Elma365Choices) -> None:
        self._imports = imports
        self._choices = choices

    async def upload_to_directory(self, request: Request, directory: str) -> Response:
        """Take a file that is kept, or a part of it."""
        principal = await self._admitted(request, Scope.IMPORTS_CREATE)
        return await self._upload(request, principal, _uuid(directory, "the directory's id"))

    async def upload_temporary(self, request: Request) -> Response:
        """Take a file that is kept for some time, or a part of it."""
        principal = await self._admitted(request, Scope.IMPORTS_CREATE)
        return await self._upload(request, principal, None)

    async def start(self, request: Request, namespace: str, code: str) -> Response:
        """Begin the import of an uploaded file, unless the app is busy with another."""
        principal = await self._admitted(request, Scope.IMPORTS_CREATE)
        definition = await self._definition(principal, namespace, code)
        async with self._imports.receive_body(request, _REQUEST_BYTES) as received:
            asked = _asked(received)
        return _answered(await run_in_threadpool(self._started, principal, definition, asked))

    async def status(self, request: Request, namespace: str, code: str, import_id: str) -> Response:
        """How the import stands."""
        principal = await self._admitted(request, Scope.IMPORTS_READ)
        definition = await self._definition(principal, namespace, code)
        job = await run_in_threadpool(self._imports.job, principal, import_id.lower())
        if job.definition != definition:
            raise NotFoundError(f"the app has no import {import_id!r}")
        return _answered(self._answer(job))

    async def template(self, request: Request, namespace: str, code: str) -> Response:
        """A file to be filled in."""
        principal = await self._admitted(request, Scope.IMPORTS_READ)
        definition = await self._definition(principal, namespace, code)
        try:
            kind = file_kind(request.query_params.get("format", "xlsx"))
        except ValueError as error:
            raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error
        body = await run_in_threadpool(self._imports.template, principal, definition, kind)
        attached = {"Content-Disposition": f'attachment; filename="{definition}.{kind}"'}
        return Response(body, headers=attached, media_type=_MEDIA_TYPES[kind])

    async def _upload(self, request: Request, principal: Principal, directory: UUID | None) -> Response:
        client_hash = _client_hash(request)
        stated = _stated_range(request)
        kept_seconds = self._choices.temporary_minutes * 60 if directory is None else None
        rules = FileRules(self._choices.smallest_part_bytes, self._choices.tenant_bytes, kept_seconds)
        async with self._received(request) as received:
            if stated is not None and not stated.fits(received.size_bytes):
                said = f"{RANGE_HEADER} says {stated.encode()!r}, and {received.size_bytes} bytes came"
                raise RefusalError(HTTPStatus.BAD_REQUEST, f"InvalidPart: {said}")
            part = FilePart(
                client_hash=str(client_hash),
                file=received.file,
                file_name=received.file_name or str(client_hash),
                directory=None if directory is None else str(directory),
                start=0 if stated is None else stated.start,
                size_bytes=received.size_bytes,
                total_bytes=received.size_bytes if stated is None else stated.total_bytes,
            )
            try:
                kept = await run_in_threadpool(self._imports.take_part, principal, part, rules)
            except PartRefusedError as error:
                raise RefusalError(HTTPStatus.BAD_REQUEST, f"{error.reason}: {error}") from error
            except NoSpaceError as error:
                raise RefusalError(HTTPStatus.PAYMENT_REQUIRED, str(error)) from error
        if not kept.is_whole:
            return Response(UploadAnswer().encode(), HTTPStatus.PARTIAL_CONTENT, media_type=_JSON)
        stored = uuid5(_FILES, f"{principal.tenant}/{client_hash}")
        file = StoredFile(id=stored, name=kept.file_name, size=kept.size_bytes)
        return Response(UploadAnswer(file=file).encode(), media_type=_JSON)

    @asynccontextmanager
    async def _received(self, request: Request) -> AsyncIterator[Received]:
        """The bytes, in a form or as they are: the documents say both."""
        is_form = request.headers.get("Content-Type", "").lower().startswith("multipart/form-data")
        limit = self._choices.largest_part_bytes
        receiving = (
            self._imports.receive_form(request, FILE_PARTS, limit)
            if is_form
            else self._imports.receive_body(request, limit)
        )
        async with receiving as received:
            yield received

    def _started(self, principal: Principal, definition: str, asked: ImportRequest) -> ImportAnswer:
        if asked.file_hash is None:
            raise RefusalError(HTTPStatus.BAD_REQUEST, "fileHash is needed: the hash of an uploaded file")
        try:
            opened = self._imports.open_client_file(principal, str(asked.file_hash))
        except NotFoundError as error:
            raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error
        with opened.file:
            submission = Submission(
                definition,
                opened.file,
                named(opened.file_name, asked.format),
                CREATION_PATH,
                is_exclusive=True,
                expires_at=opened.expires_at,
                has_events=asked.with_event_handlers,
            )
            try:
                job_id = self._imports.submit(principal, submission)
            except BusyError as error:
                return self._blocked(principal, error)
        return self._answer(self._imports.job(principal, job_id))

    def _blocked(self, principal: Principal, busy: BusyError) -> ImportAnswer:
        """Which import has the app is told only to those who may see it."""
        running = None
        with suppress(NotFoundError):
            running = None if busy.job_id is None else UUID(self._imports.job(principal, busy.job_id).job_id)
        error = "another import of this app is running; ask again when it is done"
        return ImportAnswer(success=False, error=error, import_id=running, status=BLOCKED)

    def _answer(self, job: JobView) -> ImportAnswer:
        status = self._state(job.state)
        failed = status == self._choices.state_error
        counts = job.counts
        imported = counts.created + counts.updated + counts.unchanged
        return ImportAnswer(
            success=not failed,
            error=(job.error_message or "the import did not come to its end") if failed else "",
            import_id=UUID(job.job_id),
            status=status,
            count=imported if job.state.terminal else job.rows_done,
        )

    def _state(self, state: JobState) -> str:
        if state is JobState.RECEIVED:
            return self._choices.state_new
        if not state.terminal:
            return self._choices.state_processing
        return self._choices.state_done if state is JobState.FINISHED else self._choices.state_error

    async def _definition(self, principal: Principal, namespace: str, code: str) -> str:
        address = {"namespace": namespace, "code": code}
        return await run_in_threadpool(self._imports.definition_at, principal, NAME, address)

    async def _admitted(self, request: Request, scope: Scope) -> Principal:
        """Whoever comes in with this token, and may do this.

        Raises:
            RefusalError: 403, as ELMA365 says for both.
        """
        token = Credentials.decode(request.headers).token
        principal = await run_in_threadpool(self._imports.admit, token) if token else None
        if principal is None:
            message = "not authorized: a token is needed, as X-Token or Authorization: Bearer"
            raise RefusalError(HTTPStatus.FORBIDDEN, message)
        require_scope(principal, scope)
        return principal


def _client_hash(request: Request) -> UUID:
    found = {name.lower(): value for name, value in request.query_params.items()}
    return _uuid(found.get(HASH_PARAMETER, ""), f"the parameter {HASH_PARAMETER!r}")


def _uuid(said: str, what: str) -> UUID:
    try:
        return UUID(said)
    except ValueError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"{what} is a UUID, not {said[:100]!r}") from error


def _stated_range(request: Request) -> ContentRange | None:
    header = request.headers.get(RANGE_HEADER)
    try:
        return None if header is None else ContentRange.decode(header)
    except ValueError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"InvalidPart: {error}") from error


def _asked(received: Received) -> ImportRequest:
    try:
        return ImportRequest.decode(received.file.read())
    except ValueError as error:
        message = "a JSON object with fileHash (a UUID), format (.xlsx or .csv) and withEventHandlers is needed"
        raise RefusalError(HTTPStatus.BAD_REQUEST, message) from error


def _answered(answer: ImportAnswer) -> Response:
    return Response(answer.encode(), media_type=_JSON)


def _shaped(refusal: RefusalError) -> Response:
    status = _KNOWN.get(HTTPStatus(refusal.status), refusal.status)
    body = Refusal(error=refusal.message).encode()
    return Response(body, status, headers=refusal.headers, media_type=_JSON)
