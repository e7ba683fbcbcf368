"""The columns of a written file: all fields of the definition, as text or as they are typed."""

import polars as pl

from schemas.casting import cast_column
from schemas.definition import Definition, Field
from schemas.dtypes import DTYPES


def whole_records(definition: Definition, frame: pl.DataFrame) -> pl.DataFrame:
    """(n, n_fields) all fields in order of the definition; one that the file lacks has its default."""
    return frame.select(
        pl.col(f.name) if f.name in frame.columns else pl.lit(_default(f), DTYPES[f.type]).alias(f.name)
        for f in definition.fields
    )


def as_text(field: Field) -> pl.Expr:
    """The field as ISO 8601 and plain digits say it, String; datetimes whose zone is known in UTC, with a Z."""
    column, dtype = pl.col(field.name), DTYPES[field.type]
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    if isinstance(dtype, pl.Datetime):
        text = column.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f").str.strip_suffix(".000000")
        return text + "Z" if field.timezone is not None else text
    if isinstance(dtype, pl.Date):
        return column.dt.to_string("%Y-%m-%d")
    if isinstance(dtype, pl.Time):
        return column.dt.to_string("%H:%M:%S%.6f").str.strip_suffix(".000000")
    return column.dt.to_string("iso") if isinstance(dtype, pl.Duration) else column.cast(pl.String)


def _default(field: Field) -> object:
    if field.default is None:
        return None
    return cast_column(pl.Series([None], dtype=pl.String), field).values.item()
