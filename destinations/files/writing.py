"""Writes records to one file, batch by batch, so that memory does not grow with their number."""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import polars as pl

from destinations.files.csv_writing import write_csv
from destinations.files.json_writing import write_array, write_lines
from schemas.definition import Definition
from schemas.destination_document import FileDestination
from schemas.field_types import FieldType


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
                write_lines(definition, out, records)
            elif destination.kind == "json":
                write_array(definition, out, records)
            else:
                write_csv(destination, definition, out, records)
    with path.open("rb") as written:
        os.fsync(written.fileno())


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
