"""An error of a row as the command line shows it to people."""

from schemas.row_error import RowError

SHOWN_ERRORS = 20
"""How many of a file's errors are shown where nobody asks for all."""


def error_text(error: RowError) -> str:
    """The error in one line: where, what, and the value as it stood."""
    where = [f"{name} {value}" for name, value in (("row", error.row), ("line", error.line)) if value]
    where += [f"column {error.column}"] if error.column else []
    where += [error.field] if error.field else []
    value = "" if error.value is None else f": {error.value!r}"
    return f"{', '.join(where) or 'file'}: {error.message} ({error.code}){value}"
