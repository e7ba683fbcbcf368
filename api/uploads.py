"""`POST /jobs`: a file comes in, and a job begins."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse

from api.access import Creator
from api.bodies import form_of
from api.context import Context, CurrentContext
from api.definitions import visible_definition
from api.documentation import JOB_EXAMPLE, answers
from api.job_resources import JobResource, job_resource, job_seen_by
from api.problems import (
    IDEMPOTENCY_CONFLICT,
    INVALID_REQUEST,
    MALFORMED_BODY,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    invalid_body,
    invalid_request,
)
from schemas.definition import Mode
from schemas.principal import Principal
from tasks.upload import Brought, accept_file

router = APIRouter(tags=["jobs"])
CREATION_PATH = "API"


def _true_or_false(text: object) -> object:
    """Refuse the many other words that pydantic takes for a truth value."""
    if str(text).lower() not in {"true", "false"}:
        raise ValueError("is neither 'true' nor 'false'")
    return text


class UploadFields(BaseModel):
    """What stands beside the file."""

    model_config = ConfigDict(extra="forbid")

    definition: Annotated[str, Field(min_length=1, max_length=100)]
    mode: Mode | None = None
    validate_only: Annotated[bool, BeforeValidator(_true_or_false)] = False


_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": ["file", "definition"],
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "The file; its name is kept.",
                    },
                    "definition": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 100,
                        "description": "Its name.",
                    },
                    "mode": {
                        "type": "string",
                        "enum": [mode.value for mode in Mode],
                        "description": "Instead of the definition's.",
                    },
                    "validate_only": {
                        "type": "boolean",
                        "default": False,
                        "description": "Check every row, write nothing.",
                    },
                },
            },
            "example": {"file": "earthquakes.csv", "definition": "earthquakes", "validate_only": False},
        }
    },
}
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="A name of yours for this request: repeated with the same content it gives the same job.",
    ),
]


@router.post(
    "/jobs",
    summary="Bring a file and begin a job",
    status_code=202,
    openapi_extra={"requestBody": _BODY},
    responses=answers(
        JobResource,
        JOB_EXAMPLE,
        MALFORMED_BODY,
        NOT_ALLOWED,
        NOT_FOUND,
        IDEMPOTENCY_CONFLICT,
        TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        INVALID_REQUEST,
        status=202,
    ),
)
async def create_job(
    request: Request, service: CurrentContext, who: Creator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Takes the file, and answers as soon as it is on disk; `Location` is what to poll."""
    async with form_of(request) as form:
        file = file_in(form)
        fields = fields_in(form)
        job = await service.slow(_accept, service, who, file, fields, idempotency_key)
    return JSONResponse(job, 202, headers={"Location": job["links"]["self"]})


def file_in(form: FormData) -> UploadFile:
    """The file of the form.

    Raises:
        ProblemError: 422; there is none, or it has no name.
    """
    found = form.getlist("file")
    if len(found) != 1 or not isinstance(found[0], UploadFile) or not found[0].filename:
        raise invalid_request({"where": "body.file", "message": "send one file, with its name"})
    return found[0]


def fields_in(form: FormData) -> UploadFields:
    """The fields of the form.

    Raises:
        ProblemError: 422; fields are missing, unknown, there twice or not as they should be.
    """
    fields = [(name, value) for name, value in form.multi_items() if name != "file"]
    twice = sorted({name for name, _ in fields if len(form.getlist(name)) > 1})
    if twice:
        raise invalid_request(*({"where": f"body.{name}", "message": "is there twice"} for name in twice))
    try:
        return _FIELDS.validate_python(dict(fields))
    except ValidationError as error:
        raise invalid_body(error) from error


_FIELDS = TypeAdapter(UploadFields)


def _accept(
    service: Context, who: Principal, file: UploadFile, fields: UploadFields, idempotency_key: str | None
) -> JobResource:
    with service.store.read() as session:
        visible_definition(session, who, fields.definition)
    brought = Brought(
        principal=who,
        file=file.file,
        file_name=file.filename or "",
        definition=fields.definition,
        mode=fields.mode,
        validate_only=fields.validate_only,
        creation_path=CREATION_PATH,
        idempotency_key=idempotency_key,
    )
    accepted = accept_file(service.settings, brought)
    with service.store.read() as session:
        return job_resource(service, session, job_seen_by(session, who, accepted.job_id))
