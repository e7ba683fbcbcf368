"""From typed columns to what is written: text, 64-bit integers and floats. Knows nothing of tables."""

from collections.abc import Sequence

import polars as pl
from polars import selectors as cs

from destinations.outcomes import SEQ
from schemas.casting import cast_column
from schemas.definition import Definition, Field
from schemas.destination import KEEP, StagedChunk
from schemas.errors import DestinationError

Stored = str | int | float


def stored(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column `name`, of type `dtype`, as String, Int64 or Float64.

    Dates and times become ISO text (datetimes in UTC, with a blank between date and time, and six digits
    of a second where there are any), decimals their exact digits, durations seconds, truth values 0 and 1.
    """
    column = pl.col(name)
    if isinstance(dtype, pl.Decimal):
        return _digits(column.cast(pl.String), dtype.scale)
    if isinstance(dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return utc.dt.to_string("%Y-%m-%d %H:%M:%S%.6f").str.strip_suffix(".000000")
    if dtype in {pl.Date(), pl.Time()}:
        form = "%Y-%m-%d" if dtype == pl.Date else "%H:%M:%S%.6f"
        return column.dt.to_string(form).str.strip_suffix(".000000")
    if isinstance(dtype, pl.Duration):
        return column.dt.total_microseconds() / 1_000_000
    if dtype.is_float():
        return column.cast(pl.Float64)
    return column.cast(pl.Int64 if dtype.is_integer() or dtype == pl.Boolean else pl.String)


def whole_frame(chunks: Sequence[StagedChunk]) -> pl.DataFrame:
    """All rows of the chunks; one that lacks a `_keep:` column of another keeps nothing there."""
    frames = [chunk.frame for chunk in chunks]
    if all(frame.width == frames[0].width for frame in frames):
        return pl.concat(frames, rechunk=True)
    together = pl.concat(frames, how="diagonal", rechunk=True)
    return together.with_columns(cs.starts_with(KEEP).fill_null(value=False))


def stored_rows(definition: Definition, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows numbered, with the fields that the file has as they are stored.

    Args:
        frame: (n_rows, …) as a staged chunk has it.

    Returns:
        (n_rows, 4 + n_fields + n_kept): `SEQ`, `_ordinal`, `_row`, `_verdict`, those fields, `_keep:` columns.
    """
    schema = frame.schema
    fields = [stored(f.name, schema[f.name]) for f in definition.fields if f.name in schema]
    return frame.select("_ordinal", "_row", "_verdict", *fields, cs.starts_with(KEEP)).with_row_index(SEQ)


def stored_default(field: Field) -> Stored | None:
    """What a record without this field gets: the same as if its cell were blank.

    Raises:
        DestinationError: the default is no value of the field's type.
    """
    if field.default is None:
        return None
    typed = pl.DataFrame({field.name: cast_column(pl.Series([None], dtype=pl.String), field).values})
    value: Stored | None = typed.select(stored(field.name, typed.dtypes[0])).item()
    if value is None:
        raise DestinationError(
            f"the default {field.default!r} of the field {field.name!r} is no {field.type.value}"
        )
    return value


def _digits(text: pl.Expr, scale: int) -> pl.Expr:
    return text.str.strip_chars_end("0").str.strip_chars_end(".") if scale else text
