"""The two fields of an import that a PATCH may change, by JSON Patch (RFC 6902)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from connectors.integrator.asking import unprocessable
from connectors.integrator.unfit import invalid, told
from connectors.integrator.wire import ApiError, PatchOperation

_OPERATIONS = TypeAdapter(list[PatchOperation])
_WRITTEN, _REMOVED = frozenset({"add", "replace"}), "remove"
_DEBUG, _ASSISTANT = "debugUntil", "assistantMetadata"
PATHS = {f"/{_DEBUG}": _DEBUG, f"/{_ASSISTANT}": _ASSISTANT}


def patched(document: Mapping[str, Any], operations: object) -> dict[str, Any]:
    """The document with these changes; what is replaced or removed need not be there.

    Raises:
        RefusalError: 422; an operation is none, or speaks of another field.
    """
    try:
        wanted = _OPERATIONS.validate_python(operations)
    except ValidationError as error:
        raise unprocessable(*told(error, "")) from error
    changed = dict(document)
    for operation in wanted:
        name = PATHS.get(operation.path)
        if name is None:
            raise unprocessable(_refused_path(operation.path))
        if operation.op == _REMOVED:
            changed.pop(name, None)
        elif operation.op in _WRITTEN:
            changed[name] = _value(name, operation.value)
        else:
            raise unprocessable(invalid(name, f"op is add, replace or remove, not {operation.op[:50]!a}"))
    return changed


def _value(name: str, value: object) -> object:
    if name != _DEBUG:
        return value
    try:
        datetime.fromisoformat(str(value))
    except ValueError as error:
        raise unprocessable(invalid(_DEBUG, "debugUntil is a time such as 2026-01-31T12:00:00.000Z")) from error
    return value


def _refused_path(path: str) -> ApiError:
    message = f"a PATCH changes {' and '.join(PATHS)} only; PUT the whole import for {path[:200]!a}"
    return ApiError(code="invalid_patch_path", message=message, field=path[:200])
