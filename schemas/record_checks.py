"""What the record model that a definition names says of a typed frame: its checks alone, row by row."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from schemas.definition import Definition
from schemas.dtypes import DTYPES
from schemas.errors import DefinitionError
from schemas.pandera_schema import NoAnswerError, failing
from schemas.records import record_model


@dataclass(frozen=True)
class _Part:
    """One check of the model.

    Attributes:
        field: the column that it checks; None where it checks whole rows.
        check: gives a truth value for each row; None where only a value has to be there.
        name, message: what it is called, and what it tells people.
    """

    field: str | None
    check: pa.Check | None
    name: str
    message: str


class RecordChecks:
    """The checks of one model, for files with the columns of some fields."""

    def __init__(self, definition: Definition, present: Collection[str]) -> None:
        """Make the checks ready.

        Args:
            present: the fields that the file has; the others are null for checks of whole rows.

        Raises:
            DefinitionError: there is no such model, or it does not fit the definition.
        """
        self._record = definition.record or ""
        model = fitting_model(definition)
        types = {field.name: DTYPES[field.type] for field in definition.fields}
        self._absent = [pl.lit(None, types[name]).alias(name) for name in types if name not in present]
        self._parts = [part for part in _parts(model) if part.field is None or part.field in present]

    def failures(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Every value or row of the frame that fails a check.

        Returns:
            (n_failures, 3): `index` (UInt32, 0-based row of the frame), `field` (null for the row as a
            whole), `detail` (what the check says).

        Raises:
            DefinitionError: a check failed itself, or did not answer for each row.
        """
        whole = frame.with_columns(self._absent)
        found = [_no_failures()]
        for part in self._parts:
            rows = self._failing(part, whole).arg_true().cast(pl.UInt32)
            found.append(
                pl.DataFrame({"index": rows}).with_columns(
                    pl.lit(part.field, pl.String).alias("field"), pl.lit(part.message).alias("detail")
                )
            )
        return pl.concat(found)

    def _failing(self, part: _Part, frame: pl.DataFrame) -> pl.Series:
        """(n_rows,) Boolean: True where the check says no."""
        if part.check is None:
            return frame[part.field or ""].is_null()
        try:
            return failing(part.check, frame, part.field)
        except Exception as error:  # what somebody else's check may raise is not known, and may quote a value
            what = f"the check {part.name!r} of the record {self._record!r}"
            why = str(error) if isinstance(error, NoAnswerError) else type(error).__name__
            raise DefinitionError(f"{what} failed itself: {why}") from error


def fitting_model(definition: Definition) -> pa.DataFrameSchema:
    """The schema of the model that the definition names.

    Raises:
        DefinitionError: there is none, or it does not fit the definition; the message says why.
    """
    name = definition.record or ""
    model = record_model(name)
    problems = [*_misfits(definition, model), *_impossible(model)]
    if problems:
        raise DefinitionError(
            f"the record {name!r} does not fit the definition {definition.name!r}: " + "; ".join(problems)
        )
    return model


def _misfits(definition: Definition, model: pa.DataFrameSchema) -> Iterator[str]:
    types = {field.name: DTYPES[field.type] for field in definition.fields}
    for name, column in model.columns.items():
        if name not in types:
            yield f"there is no field {name!r}"
        elif column.dtype is not None and not _takes(column, types[name]):
            yield f"the field {name!r} is {types[name]}, but {column.dtype} in the model"


def _takes(column: pa.Column, dtype: pl.DataType) -> bool:
    schema = pa.DataFrameSchema({"c": pa.Column(column.dtype, nullable=True)})
    try:
        schema.validate(pl.DataFrame(schema={"c": dtype}), lazy=True)
    except pa.errors.SchemaErrors:
        return False
    return True


def _impossible(model: pa.DataFrameSchema) -> Iterator[str]:
    """What a model must leave to the definition, because it would change values or see only some rows."""
    for name, part in {"the model": model, **model.columns}.items():
        if part.coerce or part.parsers or getattr(part, "default", None) is not None:
            yield f"{name} changes values (coerce, parsers, default); the definition's types do that"
        if part.unique:
            yield f"{name} is 'unique', which the definition says, for it sees the whole file"
        if getattr(part, "regex", False):
            yield f"{name} stands for several columns (regex)"


def _parts(model: pa.DataFrameSchema) -> Iterator[_Part]:
    for name, column in model.columns.items():
        if not column.nullable:
            yield _Part(name, None, "not_nullable", "a value is required here")
        yield from (_Part(name, check, *_told(check)) for check in column.checks)
    yield from (_Part(None, check, *_told(check)) for check in model.checks)


def _told(check: pa.Check) -> tuple[str, str]:
    """The name of a check, and its message."""
    name = str(check.name or check.error)
    return name, f"fails the check {name}: {check.description or check.error or 'it has no description'}"


def _no_failures() -> pl.DataFrame:
    return pl.DataFrame(schema={"index": pl.UInt32, "field": pl.String, "detail": pl.String})
