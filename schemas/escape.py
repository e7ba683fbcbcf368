"""The apostrophe that keeps a spreadsheet from running a cell of a file that we wrote, and its exact undoing.

Every text that begins with apostrophes and a dangerous character gets one apostrophe more, so that taking
one away brings back the original, whatever it was.
"""

import re
from collections.abc import Iterable

import polars as pl

from schemas.headers import FAILED_ROWS_COLUMN, normalise

_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-](?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_ESCAPED = re.compile(r"'(?='*[=+\-@\t\r\n])")
_ESCAPED_RUST = r"^'('*[=+\-@\t\r\n])"
_DANGEROUS_RUST = r"^'*[=+\-@\t\r\n]"
_PLAIN_NUMBER_RUST = r"^[+-](?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?$"


def escape(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet might run it; `-5.00` stays."""
    if _DANGEROUS.match(text) and not _PLAIN_NUMBER.match(text):
        return f"'{text}"
    return text


def escape_again(text: str) -> str:
    """The text for a cell of a workbook, which is never run: only what `unescape` would change is escaped."""
    return f"'{text}" if _ESCAPED.match(text) else text


def unescape(text: str) -> str:
    """The text that `escape` or `escape_again` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def is_failed_rows(headers: Iterable[str]) -> bool:
    """Whether a file with these headers is one of failed rows that Lading wrote."""
    return any(normalise(header) == FAILED_ROWS_COLUMN for header in headers)


def escape_column(name: str) -> pl.Expr:
    """The String column of this name with each of its texts as `escape` gives it."""
    column = pl.col(name)
    risky = column.str.contains(_DANGEROUS_RUST) & ~column.str.contains(_PLAIN_NUMBER_RUST)
    return pl.when(risky).then("'" + column).otherwise(column).alias(name)


def unescape_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """All columns, which are String, as they were before `escape`."""
    return cells.with_columns(pl.all().str.replace(_ESCAPED_RUST, "${1}"))
