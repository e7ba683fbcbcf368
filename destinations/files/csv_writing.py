"""Records as csv, UTF-8, in the form that the destination wants."""

from collections.abc import Iterable
from typing import BinaryIO

import polars as pl

from destinations.files.columns import as_text
from destinations.files.json_writing import KEPT
from schemas.csv_options import CsvOptions
from schemas.definition import Definition
from schemas.destination_document import FileDestination
from schemas.escape import escape, escape_column
from schemas.field_types import FieldType

_RISKLESS = KEPT | {FieldType.DECIMAL, FieldType.DATE, FieldType.TIME, FieldType.DATETIME, FieldType.DURATION}


def write_csv(
    destination: FileDestination, definition: Definition, out: BinaryIO, records: Iterable[pl.DataFrame]
) -> None:
    """One row for each record; the header of a field is the first that it has."""
    options, names = destination.csv, [f.name for f in definition.fields]
    texts = [as_text(f).alias(f.name) for f in definition.fields]
    spaced = [_spaced(name, options) for name in names]
    risky = [escape_column(f.name) for f in definition.fields if f.type not in _RISKLESS]
    if options.include_header:
        headers = [escape(f.headers[0]) if destination.escape else f.headers[0] for f in definition.fields]
        head = pl.DataFrame([[header] for header in headers], schema=names)
        _write_rows(head.with_columns(spaced), out, options)
    for frame in records:
        cells = frame.select(texts).with_columns(spaced)
        _write_rows(cells.with_columns(risky) if destination.escape else cells, out, options)
    if options.truncate_last_row_delimiter:
        out.truncate(max(0, out.tell() - len(options.row_delimiter)))


def _write_rows(cells: pl.DataFrame, out: BinaryIO, options: CsvOptions) -> None:
    cells.write_csv(
        out,
        include_header=False,
        separator=options.column_delimiter,
        line_terminator=options.row_delimiter,
        quote_style="always" if options.wrap_with_quotes else "necessary",
    )


def _spaced(name: str, options: CsvOptions) -> pl.Expr:
    """The String column of this name without the white space that is not wanted."""
    column = pl.col(name)
    if options.replace_tab_with_space:
        column = column.str.replace_all("\t", " ", literal=True)
    if options.replace_newline_with_space:
        column = column.str.replace_all(r"\r\n|\n|\r", " ")
    return column
