"""Records as JSON: numbers and truth values as JSON has them, fields of type json nested, all else as text."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import BinaryIO

import polars as pl

from destinations.files.columns import as_text
from schemas.definition import Definition, Field
from schemas.field_types import FieldType

KEPT = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN})
"""Types that JSON has as they are; a decimal would lose digits in most readers, and is text."""


def write_lines(definition: Definition, out: BinaryIO, records: Iterable[pl.DataFrame]) -> None:
    """One object a line."""
    for frame in records:
        if not frame.is_empty():
            out.write(_objects(definition, frame, between="\n"))
            out.write(b"\n")


def write_array(definition: Definition, out: BinaryIO, records: Iterable[pl.DataFrame]) -> None:
    """One array with an object for each record, each on a line of its own."""
    out.write(b"[")
    before = b"\n"
    for frame in records:
        if not frame.is_empty():
            out.write(before)
            out.write(_objects(definition, frame, between=",\n"))
            before = b",\n"
    out.write(b"\n]\n")


def _objects(definition: Definition, frame: pl.DataFrame, between: str) -> bytes:
    """An object for each record, without the end of a line anywhere in it."""
    runs = groupby(definition.fields, lambda field: field.type is FieldType.JSON)
    members = [member for is_json, fields in runs for member in _members(is_json, fields)]
    text = pl.concat_str(pl.lit("{"), pl.concat_str(members, separator=","), pl.lit("}"))
    joined: str = frame.select(text.str.join(between)).item()
    return joined.encode()


def _members(is_json: bool, fields: Iterable[Field]) -> Iterator[pl.Expr]:
    """The names and values of fields that follow each other, as JSON, String."""
    if is_json:
        yield from map(_nested, fields)
    else:
        columns = [(pl.col(f.name) if f.type in KEPT else as_text(f)).alias(f.headers[0]) for f in fields]
        # One object of them all, without its braces.
        yield pl.struct(columns).struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")


def _nested(field: Field) -> pl.Expr:
    name = json.dumps(field.headers[0], ensure_ascii=False)
    # It was read as JSON, so the end of a line is white space between values, not a part of one.
    value = pl.col(field.name).str.replace_all(r"[\r\n]", " ").fill_null("null")
    return pl.concat_str(pl.lit(f"{name}:"), value)
