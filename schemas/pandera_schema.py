"""The pandera schema that a definition compiles to, and what it says of a typed frame."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas.definition import Definition, Field, whole_match
from schemas.dtypes import DTYPES
from schemas.field_types import FieldType, typed_value


def pandera_schema(definition: Definition) -> pa.DataFrameSchema:
    """The checks of every field, over the frame that casting makes; each check is named by its code.

    A field that takes every value of its type is not among the columns: each costs time in every call.
    """
    return _schema(definition.fields, definition.key)


@lru_cache(maxsize=64)
def _schema(fields: tuple[Field, ...], key: tuple[str, ...]) -> pa.DataFrameSchema:
    """Made once: making one takes as long as checking a thousand rows."""
    pa.Check.get_backend(pl.LazyFrame())  # a check that is made before pandera knows polars never learns of it
    columns = {field.name: _column(field, is_required=field.required or field.name in key) for field in fields}
    return pa.DataFrameSchema({name: c for name, c in columns.items() if c.checks or not c.nullable})


def failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """Every value of the frame that breaks a check.

    The checks of the schema are asked together: to call each costs three times as much, `validate` more than
    that, and its table of failures as much again where there are any.

    Returns:
        (n_failures, 3): `index` (UInt32, 0-based row of the frame), `field`, `code`.
    """
    columns = {name: column for name, column in schema.columns.items() if name in frame.columns}
    found = [pl.DataFrame(schema={"index": pl.UInt32, "field": pl.String, "code": pl.String})]
    for name, column in columns.items():
        if not column.nullable and frame[name].null_count():
            found.append(_failures(name, "required", frame[name].is_null()))
    asked = [(name, check) for name, column in columns.items() for check in column.checks]
    answers = pl.collect_all([_asked(check, frame.lazy(), name) for name, check in asked])
    for (name, check), answer in zip(asked, answers, strict=True):
        passed = answer.to_series()
        if not passed.all():
            found.append(_failures(name, check.error, ~passed.fill_null(value=True)))
    return pl.concat(found)


def _asked(check: pa.Check, frame: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """One Boolean column: what pandera's own check says of each value, null where there is none."""
    backend: Any = check.get_backend(frame)(check)
    answer: pl.LazyFrame = backend.apply(pa.PolarsData(frame, column))
    return answer


def _failures(field: str, code: str, mask: pl.Series) -> pl.DataFrame:
    rows = pl.DataFrame({"index": mask.arg_true().cast(pl.UInt32)})
    return rows.with_columns(pl.lit(field).alias("field"), pl.lit(code).alias("code"))


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


def _column(field: Field, *, is_required: bool) -> pa.Column:
    return pa.Column(
        DTYPES[field.type],
        checks=_checks(field),
        nullable=not is_required,
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
