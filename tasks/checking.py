"""One block of text, checked: typed values where they are, and every error of every row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandera.polars as pa
import polars as pl

from schemas.casting import CastColumn, cast_column, form_of
from schemas.codes import CODES
from schemas.definition import Definition, Field
from schemas.destination import Verdict
from schemas.headers import FAILED_ROWS_COLUMN, UNREADABLE, Binding, normalise
from schemas.pandera_schema import failures, limits, pandera_schema
from schemas.quick_casting import quick_columns
from schemas.record_checks import RecordChecks
from schemas.row_error import VALUE_CHARACTERS, RowError
from schemas.text_table import Detected, MalformedRow, TextBlock
from tasks.remarks import Remarks
from tasks.staging import LINE, ORDINAL, RAW, ROW, VERDICT


@dataclass(frozen=True)
class CheckedBlock:
    """A block after casting and checking.

    Attributes:
        frame: the block as it is staged; see `tasks.staging`.
        errors: in order of ordinal; those of one row in the order of the definition's fields.
    """

    frame: pl.DataFrame
    errors: list[RowError]


class Checker:
    """Checks the blocks of one file against one definition.

    Attributes:
        remarks: what the values are like that were checked so far.
    """

    def __init__(self, definition: Definition, detected: Detected, binding: Binding) -> None:
        self._detected = detected
        self._columns = binding.columns
        self._no_identifiers = binding.no_identifiers
        self._fields = [f for f in definition.fields if f.name in binding.columns]
        self.remarks = Remarks(self._fields, detected, binding.columns)
        self._keep_raw = [f for f in self._fields if f.unique or f.name in definition.key]
        self._position = {f.name: index for index, f in enumerate(self._fields)}
        self._schema: pa.DataFrameSchema = pandera_schema(
            definition.model_copy(update={"fields": tuple(self._fields)})
        )
        self._record = RecordChecks(definition, self._position) if definition.record else None

    def check(self, block: TextBlock, faults: Sequence[RowError] = ()) -> CheckedBlock:
        """Cast every cell, check every value; a malformed row fails without either.

        Args:
            faults: what is known to be wrong; such a field of such a row is not judged again.
        """
        block = with_unmended(block, self._detected)
        typed, cast_failures = self._cast(block)
        problems = pl.concat([cast_failures, self._checked(typed, cast_failures, block)])
        shown = {(c.ordinal, c.column): c.text for c in block.error_cells}
        errors = self._malformed(block) + [self._error(block, shown, *problem) for problem in problems.rows()]
        errors += self._record_errors(typed, cast_failures, block)
        errors += self._misidentified(block)
        if faults:
            known = {(fault.ordinal, fault.field) for fault in faults}
            errors = [e for e in errors if (e.ordinal, e.field) not in known]
            errors += [self._completed(block, fault) for fault in faults]
        errors.sort(key=lambda e: (e.ordinal or 0, self._position.get(e.field or "", -1)))
        return CheckedBlock(self._staged(block, typed, errors), errors)

    def _staged(self, block: TextBlock, typed: pl.DataFrame, errors: list[RowError]) -> pl.DataFrame:
        n_rows = block.cells.height
        ordinals = pl.int_range(block.first_ordinal, block.first_ordinal + n_rows, dtype=pl.UInt32, eager=True)
        failed = pl.Series([e.ordinal for e in errors], dtype=pl.UInt32).unique()
        verdicts = ordinals.is_in(failed.implode()).cast(pl.UInt8) * int(Verdict.FAILED)
        lines = pl.Series([None] * n_rows, dtype=pl.UInt32) if block.lines is None else block.lines
        head = [ordinals.alias(ORDINAL), block.rows.alias(ROW), lines.alias(LINE), verdicts.alias(VERDICT)]
        raw = [self._text(block, f).alias(RAW + f.name) for f in self._keep_raw]
        return pl.DataFrame([*head, *typed.get_columns(), *raw])

    def _cast(self, block: TextBlock) -> tuple[pl.DataFrame, pl.DataFrame]:
        series, problems = [], [_no_problems()]
        fields = {str(self._columns[field.name]): field for field in self._fields}
        quick = quick_columns(block.cells, fields, self._detected.cells)
        for name, field in fields.items():
            text = block.cells.get_column(name)
            is_quick = name in quick
            column = CastColumn(quick[name], {}) if is_quick else cast_column(text, field, self._detected.cells)
            self.remarks.look(field.name, text, column.values)
            series.append(column.values.alias(field.name))
            problems += [_problems(mask, field.name, code) for code, mask in column.failures.items()]
        for name, position in self._columns.items():
            indices = [c.ordinal - block.first_ordinal for c in block.error_cells if c.column == position]
            if indices:
                problems.append(_frame(pl.Series(indices, dtype=pl.UInt32), name, "cell.error"))
        return pl.DataFrame(series), pl.concat(problems)

    def _checked(self, typed: pl.DataFrame, cast_failures: pl.DataFrame, block: TextBlock) -> pl.DataFrame:
        """What pandera finds, without what follows from a cell that could not be read at all."""
        found = failures(self._schema, typed)
        return found.filter(_stands_in(block)).join(cast_failures, on=["index", "field"], how="anti")

    def _record_errors(
        self, typed: pl.DataFrame, cast_failures: pl.DataFrame, block: TextBlock
    ) -> Iterator[RowError]:
        """What the record model finds, likewise; a row with an unreadable cell is not judged as a whole."""
        if self._record is None:
            return
        found = self._record.failures(typed).filter(_stands_in(block))
        unread = pl.col("index").is_in(cast_failures["index"].implode()) & pl.col("field").is_null()
        judged = found.filter(~unread).join(cast_failures, on=["index", "field"], how="anti")
        for index, name, detail in judged.rows():
            place = (block.first_ordinal + index, *self._place(block, index))
            if name is None:
                yield RowError("record", CODES["record"].says(detail=detail), *place)
            else:
                yield self._error(block, {}, index, name, "record", detail)

    def _misidentified(self, block: TextBlock) -> Iterator[RowError]:
        """Rows that are to be identified by something else than the key."""
        for column in self._no_identifiers:
            header, letter = self._detected.columns[column].header, self._detected.columns[column].letter
            message = CODES["row.identifier"].says(detail=f"{header!r} is no field of the key")
            texts = block.cells.get_column(str(column))
            for index in texts.is_not_null().arg_true():
                ordinal, value = block.first_ordinal + index, texts[index][:VALUE_CHARACTERS]
                place = self._place(block, index)
                yield RowError("row.identifier", message, ordinal, *place, column=letter, value=value)

    def _text(self, block: TextBlock, field: Field) -> pl.Series:
        return block.cells.get_column(str(self._columns[field.name]))

    def _malformed(self, block: TextBlock) -> list[RowError]:
        errors = []
        for row in block.malformed:
            index = row.ordinal - block.first_ordinal
            message = CODES[row.code].says(detail=row.detail)
            value = row.text[:VALUE_CHARACTERS]
            errors.append(RowError(row.code, message, row.ordinal, *self._place(block, index), value=value))
        return errors

    def _completed(self, block: TextBlock, fault: RowError) -> RowError:
        """The fault with its place."""
        row, line, sheet = self._place(block, (fault.ordinal or 0) - block.first_ordinal)
        column = self._columns.get(fault.field or "")
        letter = fault.column if column is None else self._detected.columns[column].letter
        return replace(fault, row=row, line=line, sheet=sheet, column=letter)

    def _error(
        self,
        block: TextBlock,
        shown: Mapping[tuple[int, int], str],
        index: int,
        name: str,
        code: str,
        detail: str = "",
    ) -> RowError:
        """The error of one cell; `shown` has the texts of error cells by ordinal and column."""
        field = self._fields[self._position[name]]
        column = self._columns[name]
        value: str | None = block.cells.item(index, column) or shown.get((block.first_ordinal + index, column))
        values: Mapping[str, object] = {
            "limit": limits(field).get(code),
            "form": form_of(field),
            "value": value,
            "detail": detail,
        }
        return RowError(
            code,
            CODES[code].says(**values),
            block.first_ordinal + index,
            *self._place(block, index),
            column=self._detected.columns[column].letter,
            field=name,
            value=None if value is None else value[:VALUE_CHARACTERS],
        )

    def _place(self, block: TextBlock, index: int) -> tuple[int, int | None, str | None]:
        line = None if block.lines is None else int(block.lines[index])
        return int(block.rows[index]), line, self._detected.sheet


def with_unmended(block: TextBlock, detected: Detected) -> TextBlock:
    """The block in which rows of a failed-rows file are malformed still, until somebody mends them."""
    headers = [normalise(column.header) for column in detected.columns]
    if FAILED_ROWS_COLUMN not in headers:
        return block
    reasons = block.cells[str(headers.index(FAILED_ROWS_COLUMN))]
    unmended = reasons.str.starts_with(UNREADABLE).fill_null(value=False)
    rows = [
        MalformedRow(block.first_ordinal + index, "row.unmended", block.cells.item(index, 0) or "", "")
        for index in unmended.arg_true()
    ]
    malformed = sorted([*block.malformed, *rows], key=lambda row: row.ordinal)
    cells = block.cells.with_columns(pl.when(~unmended).then(pl.all()).name.keep())
    return replace(block, cells=cells, malformed=tuple(malformed))


def _stands_in(block: TextBlock) -> pl.Expr:
    """True for an `index` at which the block has a row with cells, not a malformed one."""
    malformed = pl.Series([m.ordinal - block.first_ordinal for m in block.malformed], dtype=pl.UInt32)
    return ~pl.col("index").is_in(malformed.implode())


def _no_problems() -> pl.DataFrame:
    return pl.DataFrame(schema={"index": pl.UInt32, "field": pl.String, "code": pl.String})


def _problems(mask: pl.Series, field: str, code: str) -> pl.DataFrame:
    return _frame(mask.arg_true(), field, code)


def _frame(indices: pl.Series, field: str, code: str) -> pl.DataFrame:
    return pl.DataFrame({"index": indices.cast(pl.UInt32)}).with_columns(
        pl.lit(field).alias("field"), pl.lit(code).alias("code")
    )
