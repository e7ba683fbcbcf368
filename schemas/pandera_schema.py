"""The pandera schema that a definition compiles to, and what it says of a typed frame."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from schemas.definition import Definition, Field, whole_match
from schemas.field_types import DTYPES, FieldType, typed_value

REQUIRED = "not_nullable"
"""Pandera's own name for a null where none may be."""


def pandera_schema(definition: Definition) -> pa.DataFrameSchema:
    """The checks of every field, over the frame that casting makes; each check is named by its code."""
    return pa.DataFrameSchema({field.name: _column(definition, field) for field in definition.fields})


def failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """Every value of the frame that breaks a check.

    Returns:
        (n_failures, 3): `index` (UInt32, 0-based row of the frame), `field`, `code`.
    """
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        broken = cases.filter(pl.col("index").is_null())
        if broken.height:
            raise RuntimeError(
                f"a check itself failed: {broken['check'][0]}: {broken['failure_case'][0]}"
            ) from errors
        return cases.select(
            pl.col("index").cast(pl.UInt32),
            pl.col("column").alias("field"),
            pl.col("check").replace(REQUIRED, "required").alias("code"),
        )
    return pl.DataFrame(schema={"index": pl.UInt32, "field": pl.String, "code": pl.String})


def _column(definition: Definition, field: Field) -> pa.Column:
    return pa.Column(
        DTYPES[field.type],
        checks=_checks(field),
        nullable=not definition.is_required(field),
        required=False,
    )


def _checks(field: Field) -> list[pa.Check]:
    checks = []
    if field.min is not None:
        checks.append(pa.Check.ge(typed_value(field.type, field.min, field.timezone), error="min"))
    if field.max is not None:
        checks.append(pa.Check.le(typed_value(field.type, field.max, field.timezone), error="max"))
    if field.min_length is not None:
        checks.append(pa.Check.str_length(min_value=field.min_length, error="min_length"))
    if field.max_length is not None:
        checks.append(pa.Check.str_length(max_value=field.max_length, error="max_length"))
    if field.pattern is not None:
        checks.append(pa.Check.str_matches(whole_match(field.pattern), error="pattern"))
    if field.type is FieldType.CHOICE:
        checks.append(pa.Check.isin(list(field.choices), error="choices"))
    return checks


def limits(field: Field) -> Mapping[str, object]:
    """Code → what the field allows, for messages."""
    return {
        "min": field.min,
        "max": field.max,
        "min_length": field.min_length,
        "max_length": field.max_length,
        "pattern": field.pattern,
        "choices": ", ".join(field.choices),
    }
