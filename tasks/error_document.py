"""An error of a row as JSON: one form for the command line and for HTTP."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from schemas.row_error import RowError


class ErrorDocument(TypedDict):
    """One thing that is wrong with one row, or with the file as a whole."""

    row: Annotated[int | None, Field(description="1-based, as a spreadsheet counts; null: no row.")]
    line: Annotated[int | None, Field(description="1-based physical line; null for workbooks.")]
    sheet: str | None
    column: Annotated[str | None, Field(description="Letter of the column.")]
    field: str | None
    code: Annotated[str, Field(description="A code of docs/errors.md; stable.")]
    message: str
    value: Annotated[str | None, Field(description="The text as it stood in the file.")]


def error_document(error: RowError) -> ErrorDocument:
    """The error with what people need to find it."""
    return {
        "row": error.row,
        "line": error.line,
        "sheet": error.sheet,
        "column": error.column,
        "field": error.field,
        "code": error.code,
        "message": error.message,
        "value": error.value,
    }
