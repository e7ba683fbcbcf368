"""The JSON Schema of one record of a definition, keyed by field name."""

from typing import Any

from schemas.definition import Definition, Field
from schemas.field_types import FieldType

_TYPES: dict[FieldType, dict[str, Any]] = {
    FieldType.STRING: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.DECIMAL: {"type": "string", "pattern": r"^[+-]?\d{1,26}(\.\d{1,12})?$"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.TIME: {"type": "string", "format": "time"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
    FieldType.DURATION: {"type": "string", "format": "duration"},
    FieldType.CHOICE: {"type": "string"},
    FieldType.MULTICHOICE: {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    FieldType.JSON: {},
    FieldType.UUID: {"type": "string", "format": "uuid"},
    FieldType.EMAIL: {"type": "string", "format": "email"},
}
_KEYWORDS = {"min": "minimum", "max": "maximum", "min_length": "minLength", "max_length": "maxLength"}


def json_schema(definition: Definition) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one record, as JSON values."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.name,
        "type": "object",
        "properties": {f.name: _property(f, required=definition.is_required(f)) for f in definition.fields},
        "required": [f.name for f in definition.fields if definition.is_required(f) and f.default is None],
        "additionalProperties": False,
    }


def _property(field: Field, *, required: bool) -> dict[str, Any]:
    value = _value(field)
    schema: dict[str, Any] = value if required or not value else {"anyOf": [value, {"type": "null"}]}
    schema["title"] = field.headers[0]
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _value(field: Field) -> dict[str, Any]:
    schema = dict(_TYPES[field.type])
    for constraint, keyword in _KEYWORDS.items():
        limit = getattr(field, constraint)
        if limit is not None and not isinstance(limit, str):
            schema[keyword] = limit
    if field.pattern is not None:
        schema["pattern"] = f"^(?:{field.pattern})$"
    if field.type is FieldType.CHOICE:
        schema["enum"] = list(field.choices)
    if field.type is FieldType.MULTICHOICE:
        schema["items"] = {"type": "string", "enum": list(field.choices)}
    return schema
