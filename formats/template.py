"""The workbook that people fill for a definition: headers, formats, drop-downs and limits, nothing else."""

import csv
import io
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from schemas.definition import Definition, Field
from schemas.field_types import TEXTUAL, FieldType, Scalar, typed_value
from schemas.row_error import column_letter

if TYPE_CHECKING:
    import xlsxwriter

LAST_ROW = 1_048_575
"""0-based; formats and limits reach down to the end of the sheet."""

_SHEET_CHARS = 31
_INLINE_CHARS = 255
_MESSAGE_CHARS = 255
_CHOICES_SHEET = "_choices"
_SAFE_INTEGER = 10**15
_NUMBER_FORMATS = {
    FieldType.INTEGER: "0",
    FieldType.NUMBER: "General",
    FieldType.BOOLEAN: "General",
    FieldType.DATE: "yyyy-mm-dd",
    FieldType.TIME: "hh:mm:ss",
    FieldType.DATETIME: "yyyy-mm-dd hh:mm:ss",
    FieldType.DURATION: "[h]:mm:ss",
}
_TEXT_FORMAT = "@"
"""For all other types: keeps leading zeros and every digit as typed."""

_TYPE_WORDS = {
    FieldType.STRING: "text",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.DECIMAL: "a decimal number, kept exactly as typed",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "a date",
    FieldType.TIME: "a time of day",
    FieldType.DATETIME: "a date and time",
    FieldType.DURATION: "a duration, hours:minutes:seconds",
    FieldType.CHOICE: "one of the choices",
    FieldType.MULTICHOICE: "one or more of the choices, separated by ;",
    FieldType.JSON: "JSON",
    FieldType.UUID: "a UUID",
    FieldType.EMAIL: "an e-mail address",
}
_EXCEL_KINDS = {
    FieldType.INTEGER: "integer",
    FieldType.NUMBER: "decimal",
    FieldType.DATE: "date",
    FieldType.TIME: "time",
    FieldType.DATETIME: "date",
}
"""Types whose limits Excel can check; decimals are text in the sheet."""

Limit = int | float | date | time


def write_template(definition: Definition, target: Path | BinaryIO) -> None:
    """Write the empty workbook of the definition; reading it back finds every header in row 1."""
    import xlsxwriter

    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(_sheet_name(definition.name))
        bold = book.add_format({"bold": True, "bottom": 1, "num_format": _TEXT_FORMAT})
        for column, (header, field) in enumerate(_columns(definition).items()):
            form = _TEXT_FORMAT if field is None else _NUMBER_FORMATS.get(field.type, _TEXT_FORMAT)
            number_format = book.add_format({"num_format": form})
            sheet.set_column(column, column, min(max(len(header) + 2, 12), 40), number_format)
            sheet.write_string(0, column, header, bold)
            if field is None:
                continue
            sheet.write_comment(0, column, describe(definition, field), {"x_scale": 2})
            if rule := _rule(book, definition, field):
                sheet.data_validation(1, column, LAST_ROW, column, rule)
        sheet.freeze_panes(1, 0)


def csv_template(definition: Definition) -> bytes:
    """The same as a CSV file, which has nothing but the headers."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(_columns(definition))
    return text.getvalue().encode()


def _columns(definition: Definition) -> dict[str, Field | None]:
    """Each header of a file → the field that has its values; None: the mapping makes others of them."""
    if definition.mapping is None:
        return {field.headers[0]: field for field in definition.fields}
    fields = {field.target: field for field in definition.fields}
    found: dict[str, Field | None] = {}
    for rule in definition.mapping.fields:
        for name in rule.read_names:
            is_alone = name not in found and name == rule.extract and rule.keeps_values
            found[name] = fields.get(rule.generate) if is_alone else None
    return found


def describe(definition: Definition, field: Field) -> str:
    """What belongs into the field's column, in words, one fact a line."""
    facts = [
        _TYPE_WORDS[field.type],
        "required" if definition.is_required(field) else "may be blank",
        "each value only once" if field.unique else "",
        "part of the key" if field.name in definition.key else "",
        f"at least {field.min}" if field.min is not None else "",
        f"at most {field.max}" if field.max is not None else "",
        f"at least {field.min_length} characters" if field.min_length is not None else "",
        f"at most {field.max_length} characters" if field.max_length is not None else "",
        f"must match {field.pattern}" if field.pattern is not None else "",
        f"choices: {', '.join(field.choices)}" if field.choices else "",
        f"blank means {field.default}" if field.default is not None else "",
        f"as text: {field.format}" if field.format is not None else "",
        f"time zone: {field.timezone}" if field.timezone is not None else "",
    ]
    return "\n".join(fact for fact in facts if fact)


def _sheet_name(name: str) -> str:
    """The definition's name as Excel allows it; `history` is a name that Excel keeps for itself."""
    return f"{name}_" if name == "history" else name[:_SHEET_CHARS]


def _rule(book: "xlsxwriter.Workbook", definition: Definition, field: Field) -> dict[str, Any] | None:
    """The data validation of the field's cells; None where Excel can't check anything."""
    if field.type is FieldType.CHOICE:
        rule: dict[str, Any] = {"validate": "list", "source": _choice_source(book, field.choices)}
    elif field.type is FieldType.BOOLEAN:
        rule = {"validate": "list", "source": ["TRUE", "FALSE"]}
    elif field.type in TEXTUAL:
        rule = _limits("length", field.min_length, field.max_length)
    elif field.type in _EXCEL_KINDS and field.timezone is None:
        low, high = _limit(field, field.min), _limit(field, field.max)
        rule = _limits(_EXCEL_KINDS[field.type], low, high)
    else:
        rule = {}
    if not rule:
        return None
    told = describe(definition, field)[:_MESSAGE_CHARS]
    return rule | {"error_type": "stop", "error_title": "Not allowed here", "error_message": told}


def _choice_source(book: "xlsxwriter.Workbook", choices: Sequence[str]) -> list[str] | str:
    """The choices themselves, or the range of a hidden sheet where they are too many or hold commas."""
    plain = all(c == c.strip() and "," not in c and '"' not in c and not c.startswith("=") for c in choices)
    if plain and len(",".join(choices)) <= _INLINE_CHARS:
        return list(choices)
    sheet = book.get_worksheet_by_name(_CHOICES_SHEET)
    if sheet is None:
        sheet = book.add_worksheet(_CHOICES_SHEET)
        sheet.hide()
    column = 0 if sheet.dim_colmax is None else sheet.dim_colmax + 1
    for row, choice in enumerate(choices):
        sheet.write_string(row, column, choice)
    letter = column_letter(column)
    return f"={_CHOICES_SHEET}!${letter}$1:${letter}${len(choices)}"


def _limits(kind: str, low: Limit | None, high: Limit | None) -> dict[str, Any]:
    if low is not None and high is not None:
        return {"validate": kind, "criteria": "between", "minimum": low, "maximum": high}
    if low is not None:
        return {"validate": kind, "criteria": ">=", "value": low}
    return {} if high is None else {"validate": kind, "criteria": "<=", "value": high}


def _limit(field: Field, limit: Scalar | None) -> Limit | None:
    """The limit as Excel can hold it; None where it can't."""
    if limit is None:
        return None
    found = typed_value(field.type, limit)
    if isinstance(found, date):
        return found if found.year >= 1900 else None
    if isinstance(found, int | float):
        return found if abs(found) < _SAFE_INTEGER else None
    return found if isinstance(found, time) else None
