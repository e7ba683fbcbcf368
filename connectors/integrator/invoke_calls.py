"""Invoke: records that an import takes in while its client waits, each answered for itself."""

import json
from collections.abc import Mapping

from pydantic import ValidationError
from starlette.responses import Response

from connectors.face import Imports
from connectors.integrator.asking import JSON, Asked, malformed, unprocessable
from connectors.integrator.choices import Choices
from connectors.integrator.import_calls import ImportCalls
from connectors.integrator.unfit import told
from connectors.integrator.wire import OUTCOME_UNKNOWN, InvokeRequest, RecordError, RecordResult, encode_results
from connectors.invocation import Invocation, RecordAnswer
from connectors.resources import ImportContent, ImportView
from schemas.definition import Definition
from schemas.errors import OutcomeUnknownError
from schemas.job import Outcome
from schemas.principal import Principal
from schemas.row_error import RowError

_WELL, _WRONG = 200, 422
_NOT_TAKEN = frozenset({Outcome.FAILED, Outcome.UNPROCESSED})
_SOURCES = {
    "mapping.lookup": "lookup",
    "load": "application",
    "vendor": "application",
    "destination": "resource",
    "job": "internal",
}
"""The code of an error, or how it begins → what integrator.io calls the step that found it."""


class InvokeCalls:
    """Answers the calls that bring records."""

    def __init__(self, imports: Imports, calls: ImportCalls, choices: Choices) -> None:
        self._imports = imports
        self._calls = calls
        self._choices = choices

    def invoke(self, asked: Asked) -> Response:
        """What became of each record, in their order; 200 also where some, or all, are wrong."""
        view = self._imports.find_import(asked.principal, asked.id)
        request = _request(asked.body)
        definition = self._definition(asked.principal, view)
        invocation = Invocation(
            definition.name, request.data, request.settings or {}, f"invoke of {definition.name}"
        )
        targets = {field.name: field.target for field in definition.fields}
        results = self._results(asked.principal, invocation, targets)
        return Response(encode_results(results), media_type=JSON)

    def _results(
        self, principal: Principal, invocation: Invocation, targets: Mapping[str, str]
    ) -> tuple[RecordResult, ...]:
        try:
            answers = self._imports.invoke(principal, invocation)
        except OutcomeUnknownError as error:
            # A status that clients take for a reason to come again would bring the records twice.
            message = f"{error}; look whether the record is there before it is sent again"
            unknown = RecordError(code=OUTCOME_UNKNOWN, message=message, source="internal")
            return (RecordResult(status_code=_WRONG, errors=(unknown,)),) * len(invocation.records)
        return tuple(_result(answer, targets) for answer in answers)

    def _definition(self, principal: Principal, view: ImportView) -> Definition:
        """What the import runs; where its table was not there before, what it comes to now.

        Raises:
            RefusalError: 422; it comes to nothing that is served.
        """
        if view.definition is not None and not view.is_guessed:
            return view.definition
        made = self._calls.compiled_anew(principal, view)
        if made.definition is None:
            raise unprocessable(*made.problems)
        if made.definition == view.definition:
            return made.definition
        compiled = ImportContent(view.document or {}, made.definition, made.is_guessed)

        def change(current: ImportView) -> ImportContent:
            # Who changed the import meanwhile had it compiled, too.
            if current.modified_at == view.modified_at:
                return compiled
            return ImportContent(current.document or {}, current.definition, current.is_guessed)

        kept = self._imports.change_import(principal, view.id, change).definition
        return kept or made.definition


def _request(body: bytes) -> InvokeRequest:
    try:
        return InvokeRequest.decode(body)
    except ValidationError as error:
        raise unprocessable(*told(error, "")) from error
    except ValueError as error:
        raise malformed(str(error)) from error


def _result(answer: RecordAnswer, targets: Mapping[str, str]) -> RecordResult:
    errors = tuple(_error(error, targets) for error in answer.errors)
    if answer.outcome in _NOT_TAKEN:
        return RecordResult(status_code=_WRONG, errors=errors)
    return RecordResult(
        status_code=_WELL,
        id=_id(answer.target_id),
        ignored=True if answer.outcome is Outcome.IGNORED else None,
        errors=errors or None,
    )


def _error(error: RowError, targets: Mapping[str, str]) -> RecordError:
    """The error, with its field as the client's record or the mapping of the import calls it."""
    source = _SOURCES.get(error.code) or _SOURCES.get(error.code.partition(".")[0], "mapping")
    field = None if error.field is None else targets.get(error.field, error.field)
    where = "" if field is None else f"{field}: "
    return RecordError(code=error.code, message=f"{where}{error.message}", source=source, field=field)


def _id(target_id: str | None) -> str | None:
    """The key at the destination: its one value as text, or several as a JSON list."""
    if target_id is None:
        return None
    values = json.loads(target_id)
    return str(values[0]) if len(values) == 1 else target_id
