"""Writes records to one file, batch by batch, so that memory does not grow with their number."""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import polars as pl

from destinations.files.columns import as_text
from schemas.definition import Definition
from schemas.destination_document import FileDestination
from schemas.escape import escape, escape_column
from schemas.field_types import FieldType

_KEPT = {FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN}
"""Types that JSON has as they are; a decimal would lose digits in most readers, and is text."""

_RISKLESS = _KEPT | {FieldType.DECIMAL, FieldType.DATE, FieldType.TIME, FieldType.DATETIME, FieldType.DURATION}


def write_file(
    destination: FileDestination, definition: Definition, path: Path, records: Iterable[pl.DataFrame]
) -> None:
    """Write all records, each frame with all fields; the file outlasts a power cut."""
    if destination.kind == "xlsx":
        from destinations.files.workbook import write_workbook

        write_workbook(definition, path, records)
    else:
        with path.open("wb") as out:
            if destination.kind == "parquet":
                _write_parquet(definition, out, records)
            elif destination.kind == "jsonl":
                _write_jsonl(definition, out, records)
            else:
                _write_csv(definition, out, records, escaped=destination.escape)
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _write_csv(
    definition: Definition, out: BinaryIO, records: Iterable[pl.DataFrame], *, escaped: bool
) -> None:
    """UTF-8, a comma between, CR LF after each line; the header of a field is the first that it has."""
    texts = [as_text(f).alias(f.name) for f in definition.fields]
    risky = [escape_column(f.name) for f in definition.fields if f.type not in _RISKLESS] if escaped else []
    headers = [f.headers[0] for f in definition.fields]
    head = pl.DataFrame(
        [[escape(h) if escaped else h] for h in headers], schema=[f.name for f in definition.fields]
    )
    head.write_csv(out, include_header=False, line_terminator="\r\n")
    for frame in records:
        lines = frame.select(texts).with_columns(risky)
        lines.write_csv(out, include_header=False, line_terminator="\r\n")


def _write_jsonl(definition: Definition, out: BinaryIO, records: Iterable[pl.DataFrame]) -> None:
    """One object a line; numbers and truth values as JSON has them, all else as text."""
    columns = [
        (pl.col(f.name) if f.type in _KEPT else as_text(f)).alias(f.headers[0]) for f in definition.fields
    ]
    for frame in records:
        frame.select(columns).write_ndjson(out)


def _write_parquet(definition: Definition, out: BinaryIO, records: Iterable[pl.DataFrame]) -> None:
    """Typed columns, named as the fields are; datetimes whose zone is known are in UTC."""
    import pyarrow.parquet as pq

    zoned = [
        pl.col(f.name).dt.replace_time_zone("UTC")
        for f in definition.fields
        if f.type is FieldType.DATETIME and f.timezone is not None
    ]
    # There is at least one frame, for a job without rows has nothing to write.
    tables = (frame.with_columns(zoned).to_arrow(compat_level=pl.CompatLevel.oldest()) for frame in records)
    first = next(tables)
    with pq.ParquetWriter(out, first.schema, compression="zstd") as writer:
        for table in chain([first], tables):
            writer.write_table(table)
