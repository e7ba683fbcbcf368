"""The few fields of an import or a connection that a PATCH may change, by JSON Patch (RFC 6902)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from connectors.integrator.asking import unprocessable
from connectors.integrator.unfit import invalid, told
from connectors.integrator.wire import ApiError, PatchOperation

_OPERATIONS = TypeAdapter(list[PatchOperation])
_WRITTEN, _REMOVED = frozenset({"add", "replace"}), "remove"
_TIMES = frozenset({"debugUntil", "debugDate"})
IMPORT_FIELDS = ("debugUntil", "assistantMetadata")
CONNECTION_FIELDS = ("name", "debugDate", "debugUntil")


def patched(document: Mapping[str, Any], operations: object, fields: Collection[str]) -> dict[str, Any]:
    """The document with these changes; what is replaced or removed need not be there.

    Args:
        fields: that may be changed.

    Raises:
        RefusalError: 422; an operation is none, or speaks of another field.
    """
    try:
        wanted = _OPERATIONS.validate_python(operations)
    except ValidationError as error:
        raise unprocessable(*told(error, "")) from error
    changed = dict(document)
    for operation in wanted:
        name = operation.path.removeprefix("/")
        if name == operation.path or name not in fields:
            raise unprocessable(_refused_path(operation.path, fields))
        if operation.op == _REMOVED:
            changed.pop(name, None)
        elif operation.op in _WRITTEN:
            changed[name] = _value(name, operation.value)
        else:
            raise unprocessable(invalid(name, f"op is add, replace or remove, not {operation.op[:50]!a}"))
    return changed


def _value(name: str, value: object) -> object:
    if name not in _TIMES:
        return value
    try:
        datetime.fromisoformat(str(value))
    except ValueError as error:
        raise unprocessable(invalid(name, f"{name} is a time such as 2026-01-31T12:00:00.000Z")) from error
    return value


def _refused_path(path: str, fields: Collection[str]) -> ApiError:
    message = f"a PATCH changes {', '.join(fields)} only; PUT the whole document for {path[:200]!a}"
    return ApiError(code="invalid_patch_path", message=message, field=path[:200])
