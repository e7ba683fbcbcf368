"""The pandera schema that a definition compiles to, and what it says of a typed frame."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from schemas.definition import Definition, Field, whole_match
from schemas.field_types import DTYPES, FieldType, typed_value


def pandera_schema(definition: Definition) -> pa.DataFrameSchema:
    """The checks of every field, over the frame that casting makes; each check is named by its code.

    A field that takes every value of its type is not among the columns: each costs time in every call.
    """
    columns = {field.name: _column(definition, field) for field in definition.fields}
    return pa.DataFrameSchema({name: c for name, c in columns.items() if c.checks or not c.nullable})


def failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """Every value of the frame that breaks a check.

    The checks of the schema are called one by one: `validate` costs several times as much, and its table of
    failures as much again where there are any.

    Returns:
        (n_failures, 3): `index` (UInt32, 0-based row of the frame), `field`, `code`.
    """
    found = [pl.DataFrame(schema={"index": pl.UInt32, "field": pl.String, "code": pl.String})]
    for name, column in schema.columns.items():
        if name not in frame.columns:
            continue
        masks = {} if column.nullable else {"required": frame[name].is_null()}
        masks |= {check.error: failing(check, frame, name) for check in column.checks}
        for code, mask in masks.items():
            if mask.any():
                rows = pl.DataFrame({"index": mask.arg_true().cast(pl.UInt32)})
                found.append(rows.with_columns(pl.lit(name).alias("field"), pl.lit(code).alias("code")))
    return pl.concat(found)


class NoAnswerError(ValueError):
    """A check did not answer with one of true and false for each row."""


def failing(check: pa.Check, frame: pl.DataFrame, column: str | None = None) -> pl.Series:
    """(n_rows,) Boolean: True where the check says no; a null passes where the check ignores nulls.

    Args:
        column: None for a check of whole rows.

    Raises:
        NoAnswerError: the answer is not one of true and false for each row.
        Exception: whatever else the check raises.
    """
    answer: pl.Series = check(frame.lazy(), column).check_output.collect().to_series()
    if answer.dtype != pl.Boolean or answer.len() != frame.height:
        raise NoAnswerError("it has to answer true or false for each row")
    return ~answer


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
