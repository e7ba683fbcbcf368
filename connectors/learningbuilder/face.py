"""The face of LearningBuilder: its import queue over the imports of Lading."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from connectors.face import Imports, JobView, Mail, Received, Submission
from connectors.learningbuilder.choices import LearningBuilderChoices
from connectors.learningbuilder.wire import (
    CREATION_PATH_PREFIX,
    BatchAnswer,
    BatchQuery,
    BatchRefusal,
    BatchStatus,
    LineFault,
    decode_credentials,
    decode_records,
)
from connectors.refusal import IDEMPOTENCY_HEADER, RefusalError, require_scope, tell_refusals
from schemas.clock import utc_now
from schemas.definition import FileOptions
from schemas.errors import NotFoundError
from schemas.job import JobState
from schemas.principal import Principal, Scope

NAME = "learningbuilder"
BODY_TYPES = frozenset(
    {
        "",
        "application/x-ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/json",
        "text/plain",
        "application/octet-stream",
        # What curl says of any body where nothing else is said.
        "application/x-www-form-urlencoded",
    }
)
BODY_OPTIONS = FileOptions(kind="jsonl", flat=True, identifiers=True)
EXTENSION_HEADERS = {"X-Lading-Extension": "batch status"}
_JSON = "application/json"


class ProcessAddress(BaseModel):
    """`faces.learningbuilder` of a definition: the import process whose records its records are."""

    model_config = ConfigDict(extra="forbid")

    import_process_id: int


class _AnyCaseRoute(APIRoute):
    """A route whose path is the same in any case, as it is at the vendor's."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401
        super().__init__(path, endpoint, **options)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def learningbuilder_face(imports: Imports) -> ASGIApp:
    """The application that answers LearningBuilder's clients."""
    face = _Face(imports, LearningBuilderChoices())
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    tell_refusals(app, _shaped)
    app.router.route_class = _AnyCaseRoute
    app.add_api_route("/API/WorkflowImportQueue/CreateBatch", face.create, methods=["POST"])
    app.add_api_route("/API/WorkflowImportQueue/Batch/{batch_id}", face.status, methods=["GET"])
    return app


class _Face:
    def __init__(self, imports: Imports, choices: LearningBuilderChoices) -> None:
        self._imports = imports
        self._choices = choices

    async def create(self, request: Request) -> Response:
        """Take the records; a batch with a line that is none is refused whole."""
        principal = await self._admitted(request)
        asked = self._query(request.url.query)
        _refuse_other_types(request.headers.get("content-type", ""))
        address = {"import_process_id": asked.import_process_id}
        definition = await run_in_threadpool(self._imports.definition_at, principal, NAME, address)
        async with self._imports.receive_body(request, self._choices.limit_bytes) as received:
            name = request.headers.get(IDEMPOTENCY_HEADER)
            batch_id = await run_in_threadpool(self._submit, principal, definition, asked, received, name)
        answer = BatchAnswer(queue_batch_id=batch_id, queue_batch_details=self._details(batch_id))
        return Response(answer.encode(), self._choices.created_status, media_type=_JSON)

    async def status(self, request: Request, batch_id: str) -> Response:
        """How the batch stands."""
        principal = await self._admitted(request)
        job = await run_in_threadpool(self._imports.job, principal, batch_id)
        if job.creation_path.partition(":")[0] != CREATION_PATH_PREFIX:
            raise NotFoundError(f"there is no batch {batch_id!r}")
        body = batch_status(job, self._details(batch_id)).encode()
        return Response(body, headers=EXTENSION_HEADERS, media_type=_JSON)

    async def _admitted(self, request: Request) -> Principal:
        """Whoever comes in with this key.

        Raises:
            RefusalError: 401 without a key that we know, 403 with one that may not begin imports.
        """
        header = request.headers.get("authorization", "")
        key = decode_credentials(header, takes_basic=self._choices.basic_credentials)
        principal = await run_in_threadpool(self._imports.admit, key) if key else None
        if principal is None:
            raise RefusalError(
                HTTPStatus.UNAUTHORIZED,
                "a valid key is needed: Authorization: apikey <key>",
                headers={"WWW-Authenticate": "apikey"},
            )
        require_scope(principal, Scope.BEGIN_WORKFLOW_IMPORT)
        return principal

    def _query(self, query: str) -> BatchQuery:
        try:
            asked = BatchQuery.decode_query(query)
        except ValidationError as error:
            raise _bad_request("the query is not valid", _faults_of(error)) from error
        limit = self._choices.limit_file_name_chars
        if len(asked.file_name or "") > limit:
            fault = LineFault(field="fileName", message=f"more than {limit:,} characters")
            raise _bad_request("the query is not valid", [fault])
        return asked

    def _submit(
        self,
        principal: Principal,
        definition: str,
        asked: BatchQuery,
        received: Received,
        idempotency_key: str | None,
    ) -> str:
        self._refuse_malformed(received)
        # Asked for again, it must be the same.
        label = "API import" if idempotency_key else f"API import {utc_now():%Y-%m-%d %H:%M:%S} UTC"
        submission = Submission(
            definition,
            received.file,
            asked.file_name or label,
            asked.stored_creation_path,
            idempotency_key=idempotency_key,
            is_label=True,
            file_options=BODY_OPTIONS,
            mail=Mail(asked.send_success_email_to, asked.send_failure_email_to),
        )
        return self._imports.submit(principal, submission)

    def _refuse_malformed(self, received: Received) -> None:
        """Refuse a body with a line that is no record; leaves the file at its start."""
        lines = 0
        faults: list[LineFault] = []
        for fault in decode_records(received.file, self._choices.limit_line_bytes):
            lines += 1
            if fault is not None:
                faults.append(fault)
                if len(faults) == self._choices.shown_lines:
                    break
        if faults or not lines:
            what = "the body is not JSON Lines, one object a line" if lines else "the body has no records"
            raise _bad_request(f"{what}; nothing was queued", faults)
        received.file.seek(0)

    def _details(self, batch_id: str) -> str:
        link = self._imports.link(batch_id)
        return f"{link}{'&' if '?' in link else '?'}{urlencode({'batchId': batch_id})}"


def batch_status(job: JobView, details: str) -> BatchStatus:
    """How the batch of this job stands."""
    return BatchStatus(
        queue_batch_id=job.job_id,
        queue_batch_details=details,
        file_name=job.file_name,
        creation_path=job.creation_path,
        status=_status(job),
        rows_total=job.rows,
        rows_processed=job.counts.created + job.counts.updated + job.counts.unchanged,
        rows_failed=job.counts.failed,
        message=job.error_message,
    )


def _status(job: JobView) -> str:
    if not job.state.terminal:
        return "Queued" if job.state is JobState.RECEIVED else "Processing"
    well = job.state is JobState.FINISHED and not job.counts.failed
    return "Completed" if well else "CompletedWithErrors"


def _refuse_other_types(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in BODY_TYPES:
        message = f"a body of the type {kind!r} is not read here; send JSON Lines as application/x-ndjson"
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


def _faults_of(error: ValidationError) -> list[LineFault]:
    return [
        LineFault(field=".".join(map(str, found["loc"])), message=found["msg"].removeprefix("Value error, "))
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _bad_request(message: str, faults: list[LineFault]) -> RefusalError:
    errors = [fault.model_dump(by_alias=True) for fault in faults]
    return RefusalError(HTTPStatus.BAD_REQUEST, message, errors=errors)


def _shaped(refusal: RefusalError) -> Response:
    faults = tuple(LineFault.model_validate(error) for error in refusal.errors)
    body = BatchRefusal(message=refusal.message, errors=faults).encode()
    return Response(body, refusal.status, headers=refusal.headers, media_type=_JSON)
