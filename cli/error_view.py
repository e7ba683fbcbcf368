"""An error of a row as the command line shows it: one JSON object, or one line for people."""

from dataclasses import asdict
from typing import Any

from schemas.row_error import RowError

SHOWN_ERRORS = 20
"""How many of a file's errors are shown where nobody asks for all."""

_ERROR_KEYS = ("row", "line", "sheet", "column", "field", "code", "message", "value")


def error_json(error: RowError) -> dict[str, Any]:
    """One error as `--json` shows it."""
    fields = asdict(error)
    return {key: fields[key] for key in _ERROR_KEYS}


def error_text(error: RowError) -> str:
    """The error in one line: where, what, and the value as it stood."""
    where = [f"{name} {value}" for name, value in (("row", error.row), ("line", error.line)) if value]
    where += [f"column {error.column}"] if error.column else []
    where += [error.field] if error.field else []
    value = "" if error.value is None else f": {error.value!r}"
    return f"{', '.join(where) or 'file'}: {error.message} ({error.code}){value}"
