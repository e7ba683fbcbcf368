"""What OpenAPI says of the answers: their forms, an example of each, and every problem that may come."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import (
    INSUFFICIENT_SCOPE,
    INTERNAL,
    PROBLEM_JSON,
    UNAUTHENTICATED,
    UNAVAILABLE,
    ProblemType,
)
from schemas.connection import ConnectionDocument
from schemas.definition import Definition

JOB_EXAMPLE: dict[str, Any] = {
    "job_id": "6f1c9c0e-5d0f-4d6e-9a51-1f2f6f0c7a10",
    "state": "finished",
    "terminal": True,
    "rows": 23412,
    "created": 23409,
    "updated": 0,
    "unchanged": 0,
    "ignored": 0,
    "failed": 3,
    "unconfirmed": 0,
    "unprocessed": 0,
    "deleted": 0,
    "vendor_counts": None,
    "vendor_link": None,
    "rows_read": 23412,
    "rows_loaded": 23412,
    "warnings": [],
    "errors_total": 3,
    "error_groups": [{"code": "type.date", "field": "date", "rows": 3}],
    "error_code": None,
    "error_message": None,
    "detected": {
        "kind": "csv",
        "columns": [{"header": "Date", "letter": "A"}, {"header": "Time", "letter": "B"}],
        "header_row": 1,
        "sheet": None,
        "encoding": "utf-8",
        "delimiter": ",",
        "packing": None,
        "notes": [],
        "canonical": False,
    },
    "columns_total": 21,
    "notes": [],
    "definition": "earthquakes",
    "definition_version": 1,
    "mode": "upsert",
    "kind": "import",
    "file": "earthquakes.csv",
    "size_bytes": 2397448,
    "sha256": "d3b07384d113edec49eaa6238ad5ff00d3b07384d113edec49eaa6238ad5ff00",
    "creation_path": "API",
    "flow_run_id": None,
    "received_at": "2026-03-01T09:30:00+00:00",
    "validating_at": "2026-03-01T09:30:00.400000+00:00",
    "ready_at": "2026-03-01T09:30:01.200000+00:00",
    "importing_at": "2026-03-01T09:30:01.200000+00:00",
    "ended_at": "2026-03-01T09:30:02+00:00",
    "reported_at": "2026-03-01T09:30:02.100000+00:00",
    "cancel_requested_at": None,
    "upload_expires_at": "2026-03-31T09:30:00+00:00",
    "upload_purged_at": None,
    "stage_expires_at": "2026-03-08T09:30:00+00:00",
    "errors_expire_at": "2026-05-30T09:30:00+00:00",
    "errors_purged_at": None,
    "expires_at": "2026-05-30T09:30:00+00:00",
    "purged_at": None,
    "links": {
        "self": "/jobs/6f1c9c0e-5d0f-4d6e-9a51-1f2f6f0c7a10",
        "errors": "/jobs/6f1c9c0e-5d0f-4d6e-9a51-1f2f6f0c7a10/errors",
        "rows": "/jobs/6f1c9c0e-5d0f-4d6e-9a51-1f2f6f0c7a10/rows",
        "failed_rows": "/jobs/6f1c9c0e-5d0f-4d6e-9a51-1f2f6f0c7a10/failed-rows",
        "cancel": None,
    },
}
DEFINITION_EXAMPLE: dict[str, Any] = {
    "name": "people",
    "key": ["id"],
    "fields": [
        {"name": "id", "header": "Id", "type": "string", "required": True},
        {"name": "born", "header": "Born", "type": "date", "format": "%Y-%m-%d"},
    ],
    "destination": {"table": "people"},
}
DEFINITION_SCHEMA: dict[str, Any] = {"$ref": "#/components/schemas/Definition"}
CONNECTION_EXAMPLE: dict[str, Any] = {
    "name": "crm",
    "connector": "teamtracks",
    "url": "https://api.teamtracks.example",
    "options": {"tenant": "acme"},
    "secrets": {"subscription_key": "0f6d52c4", "token": "eyJhbGciOi"},
}
CONNECTION_SCHEMA: dict[str, Any] = {"$ref": "#/components/schemas/ConnectionDocument"}
_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "Problem details of RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Stable; what kind of problem."},
        "title": {"type": "string", "description": "The kind in words, the same for every such problem."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request, for people."},
        "request_id": {"type": "string", "description": "The operator finds the request in the log by it."},
    },
}

EVERYWHERE = (UNAUTHENTICATED, INSUFFICIENT_SCOPE, UNAVAILABLE, INTERNAL)
"""The types of problems that every route has which needs a key."""

Answers = dict[int | str, dict[str, Any]]


def answers(form: object, example: object, *kinds: ProblemType, status: int = HTTPStatus.OK) -> Answers:
    """What a route answers: one form of success, the problems named, and those that every route has."""
    return {status: success(form, example, "As it should be."), **problem_answers(*kinds, *EVERYWHERE)}


def success(form: object, example: object, description: str) -> dict[str, Any]:
    """One form of success, with an example."""
    content = {"application/json": {"example": example}}
    return {"model": form, "description": description, "content": content}


def file_answer(media_types: tuple[str, ...], *kinds: ProblemType) -> Answers:
    """The same for a route whose success is a file."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    file = {"description": "The file.", "content": dict.fromkeys(media_types, binary)}
    return {HTTPStatus.OK: file, **problem_answers(*kinds, *EVERYWHERE)}


def problem_answers(*kinds: ProblemType) -> Answers:
    """The answers that tell problems of these types, by status."""
    by_status: dict[int | str, list[ProblemType]] = defaultdict(list)
    for kind in kinds:
        by_status[kind.status.value].append(kind)
    return {status: _problem_answer(some) for status, some in sorted(by_status.items())}


def _problem_answer(kinds: list[ProblemType]) -> dict[str, Any]:
    examples = {kind.slug: {"summary": kind.title, "value": _problem_example(kind)} for kind in kinds}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {"description": " / ".join(kind.title for kind in kinds), "content": {PROBLEM_JSON: content}}


def _problem_example(kind: ProblemType) -> dict[str, Any]:
    return {"type": kind.uri, "title": kind.title, "status": kind.status.value, "detail": kind.meaning}


_OF_THE_FRAMEWORK = ("HTTPValidationError", "ValidationError")


def _forget(responses: dict[str, Any]) -> None:
    """Take out what the framework says of requests that are not valid: it is told as a problem here."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]


def _document_schemas() -> dict[str, Any]:
    """The schemas of documents that are brought as they are, and of their parts, by name."""
    found: dict[str, Any] = {}
    for document in (Definition, ConnectionDocument):
        schema = document.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= {**schema.pop("$defs", {}), document.__name__: schema}
    return found


class DocumentedApp(FastAPI):
    """An app whose OpenAPI knows the form of problems."""

    def openapi(self) -> dict[str, Any]:
        """The description of the app, made once."""
        if self.openapi_schema is None:
            made = get_openapi(
                title=self.title, version=self.version, description=self.description, routes=self.routes
            )
            schemas = made["components"]["schemas"]
            for name in _OF_THE_FRAMEWORK:
                schemas.pop(name, None)
            for operations in made["paths"].values():
                for operation in operations.values():
                    _forget(operation["responses"])
            schemas["Problem"] = _PROBLEM_SCHEMA
            schemas |= _document_schemas()
            self.openapi_schema = made
        return self.openapi_schema
