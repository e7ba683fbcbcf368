"""Error values that the reader does not know, such as `#SPILL!`: it would refuse the whole sheet for one."""

import re

import polars as pl

from formats.moments import KNOWN_ERRORS
from formats.sheet_rows import SheetRows

_KNOWN = b"|".join(re.escape(error).encode() for error in sorted(KNOWN_ERRORS))
_NEW_ERROR = re.compile(
    rb"""(<c\s[^>]*(?<=\s))t="e"([^>]*>\s*(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?\s*<v[^>]*>)(?!(?:%s)</v>)""" % _KNOWN
)


def mark_new_errors(rows: bytes, mark: str) -> bytes:
    """The rows with a text instead of each error that the reader does not know: the mark, and the error."""
    return _NEW_ERROR.sub(rb'\1t="str"\g<2>' + mark.encode(), rows) if b't="e"' in rows else rows


def with_new_errors(part: SheetRows, mark: str) -> SheetRows:
    """The rows with the texts that `mark_new_errors` made taken out and put among the errors."""
    marked = [column for column in part.cells if column.str.starts_with(mark).any()]
    if not marked:
        return part
    errors, cells = [part.errors], part.cells
    for column in marked:
        is_error = column.str.starts_with(mark).fill_null(value=False)
        found = pl.DataFrame({"row": part.rows, "text": column}).filter(is_error)
        place = pl.lit(int(column.name)).alias("column")
        errors.append(found.select("row", place.cast(pl.Int64), pl.col("text").str.strip_prefix(mark)))
        cells = cells.with_columns(column.set(is_error, None))
    return SheetRows(cells, part.rows, pl.concat(errors))
