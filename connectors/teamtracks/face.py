"""The face of TeamTracks: its import endpoints over the imports of Lading."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import chain
from pathlib import PurePosixPath

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from connectors.face import Imports, JobView, Submission
from connectors.refusal import IDEMPOTENCY_HEADER, RefusalError, require_scope, tell_refusals
from connectors.teamtracks.choices import TeamTracksChoices
from connectors.teamtracks.wire import (
    FILE_KINDS,
    FILE_PART,
    Credentials,
    ImportAnswer,
    JobAnswer,
    ObjectFault,
    TokenAnswer,
    TokenRequest,
)
from schemas.principal import Principal, Scope

NAME = "teamtracks"
CREATION_PATH = "TEAMTRACKS"
_TOKEN_REQUEST_BYTES = 16 * 1024
_JSON = "application/json"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TrackAddress(BaseModel):
    """`faces.teamtracks` of a definition: the track whose objects its records are."""

    model_config = ConfigDict(extra="forbid")

    track_id: str


def teamtracks_face(imports: Imports) -> ASGIApp:
    """The application that answers TeamTracks' clients."""
    face = _Face(imports, TeamTracksChoices())
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    tell_refusals(app, _shaped)
    app.add_api_route("/auth/token", face.token, methods=["POST"])
    app.add_api_route("/objectimport/{track_id}", face.submit, methods=["POST"])
    # Before the alias, which would take `objectimport` for a job.
    app.add_api_route("/job/objectimport/{job_id}", face.status, methods=["GET"])
    app.add_api_route("/job/{job_id}", face.status, methods=["GET"])
    return app


class _Face:
    def __init__(self, imports: Imports, choices: TeamTracksChoices) -> None:
        self._imports = imports
        self._choices = choices

    async def token(self, request: Request) -> Response:
        """Tell the token that was sent as password, where it is the key's with this id."""
        credentials = Credentials.decode(request.headers)
        async with self._imports.receive_body(request, _TOKEN_REQUEST_BYTES) as received:
            try:
                asked = TokenRequest.decode(received.file.read())
            except ValueError as error:
                message = "a JSON object with clientId, email and password is needed"
                raise RefusalError(HTTPStatus.BAD_REQUEST, message) from error
        held = Credentials(credentials.tenant, credentials.subscription_key, asked.password)
        principal = await self._admitted(held)
        if principal.key_id != asked.client_id:
            raise _not_admitted()
        return Response(TokenAnswer.of(asked.password).encode(), media_type=_JSON)

    async def submit(self, request: Request, track_id: str) -> Response:
        """Take the file; the job that will import it is the answer."""
        principal = await self._admitted(Credentials.decode(request.headers))
        require_scope(principal, Scope.IMPORTS_CREATE)
        address = {"track_id": track_id}
        definition = await run_in_threadpool(self._imports.definition_at, principal, NAME, address)
        async with self._imports.receive_form(request, (FILE_PART,), self._choices.limit_bytes) as received:
            _refuse_other_kinds(received.file_name)
            submission = Submission(
                definition,
                received.file,
                received.file_name,
                CREATION_PATH,
                idempotency_key=request.headers.get(IDEMPOTENCY_HEADER),
            )
            job_id = await run_in_threadpool(self._imports.submit, principal, submission)
        answer = ImportAnswer(job_id=job_id).encode()
        return Response(answer, self._choices.submit_status, media_type=_JSON)

    async def status(self, request: Request, job_id: str) -> Response:
        """How the job stands; the answer about a finished one is never whole in memory."""
        principal = await self._admitted(Credentials.decode(request.headers))
        require_scope(principal, Scope.IMPORTS_READ)
        job = await run_in_threadpool(self._imports.job, principal, job_id)
        if not job.state.terminal:
            return Response(JobAnswer(finished=False).encode(), media_type=_JSON)
        updates = await run_in_threadpool(self._imports.failed_to_update, principal, job_id)
        answer = finished_answer(job, updates)
        created = self._imports.created_ids(principal, job_id)
        parts = answer.encode_parts(created, self._faults(principal, job))
        # What fails at once, such as a busy store, is told as an error; later the answer has begun.
        begun = await run_in_threadpool(lambda: [next(parts), next(parts)])
        return StreamingResponse(chain(begun, parts), media_type=_JSON)

    def _faults(self, principal: Principal, job: JobView) -> Iterator[ObjectFault]:
        """The error of the job as a whole first, then those of its rows."""
        if job.error_message is not None:
            yield ObjectFault(message=job.error_message)
        for error in self._imports.errors(principal, job.job_id):
            # One without a place is that of the job, which was told.
            if error.row is not None:
                yield ObjectFault(row=error.row, field=error.field, message=error.message)

    async def _admitted(self, credentials: Credentials) -> Principal:
        """Whoever comes in with these.

        Raises:
            RefusalError: 401; something is missing, or they don't belong together.
        """
        if not credentials.subscription_key:
            raise RefusalError(
                HTTPStatus.UNAUTHORIZED,
                "Access denied due to missing subscription key. Make sure to include subscription key when "
                "making requests to an API.",
            )
        if not credentials.token:
            raise _not_admitted("Access denied due to missing token: Authorization: Bearer <token>")
        principal = await run_in_threadpool(
            self._imports.admit, credentials.token, credentials.subscription_key
        )
        if principal is None or principal.tenant != credentials.tenant:
            raise _not_admitted()
        return principal


def finished_answer(job: JobView, failed_to_update: int) -> JobAnswer:
    """What became of a job that has ended, without ids and errors.

    Rows neither written nor wrong have no count here.
    """
    ended_at = job.ended_at or job.received_at
    return JobAnswer(
        finished=True,
        date_finished=(ended_at - _EPOCH) // timedelta(milliseconds=1),
        successfully_created=job.counts.created,
        failed_to_create=job.counts.failed - failed_to_update,
        successfully_updated=job.counts.updated,
        unchanged=job.counts.unchanged,
        failed_to_update=failed_to_update,
    )


def _refuse_other_kinds(file_name: str) -> None:
    if PurePosixPath(file_name).suffix.lower() not in FILE_KINDS:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "Only xlsx, xls and csv files are supported")


def _not_admitted(
    message: str = "Access denied: tenant, subscription key and token don't belong together",
) -> RefusalError:
    return RefusalError(HTTPStatus.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})


def _shaped(refusal: RefusalError) -> Response:
    body = {"statusCode": refusal.status, "message": refusal.message}
    return JSONResponse(body, refusal.status, headers=refusal.headers)
