"""From text to typed values, column by column: a cell either becomes a value or is reported, never lost."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from schemas.definition import Field
from schemas.field_types import FieldType
from schemas.mail_address import EMAIL
from schemas.moments import dates, datetimes, durations, times
from schemas.numbers import are_whole, decimals, floats, integers, matching
from schemas.text_table import Cells

BLANKS = " \t\r\n\u00a0\ufeff\u200b"
UUID = r"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"
TRUE_WORDS = (
    "true",
    "t",
    "yes",
    "y",
    "on",
    "1",
    "wahr",
    "ja",
    "j",
    "vrai",
    "oui",
    "verdadero",
    "sí",
    "si",
    "vero",
    "sì",
    "verdadeiro",
    "sim",
    "waar",
)
FALSE_WORDS = (
    "false",
    "f",
    "no",
    "n",
    "off",
    "0",
    "falsch",
    "nein",
    "faux",
    "non",
    "falso",
    "não",
    "nao",
    "onwaar",
    "nee",
)
"""In English, and what spreadsheets and people say in German, French, Spanish, Italian, Portuguese, Dutch."""

FORMS = {
    FieldType.NUMBER: "1234.5",
    FieldType.DATE: "YYYY-MM-DD",
    FieldType.TIME: "HH:MM:SS",
    FieldType.DATETIME: "YYYY-MM-DD HH:MM:SS",
}
"""How a value is written where the field declares no format."""


@dataclass(frozen=True)
class CastColumn:
    """One column, typed.

    Attributes:
        values: (n_rows,) of `DTYPES[field.type]`; null where the cell was blank or could not be cast.
        failures: code → mask (n_rows,) of the cells that hold text which is no such value.
    """

    values: pl.Series
    failures: Mapping[str, pl.Series]


def cast_column(text: pl.Series, field: Field, cells: Cells = Cells.TEXT) -> CastColumn:
    """Cast a column of text to the field's type; blank cells take the field's default.

    Args:
        text: (n_rows,) String; null where the cell is blank.
        cells: where they are not `TEXT`, the canonical form is taken too, whatever the field's format. What
            reads as two different dates is the canonical one, and an error where they are `EITHER`.
    """
    values = _cast(text, field, cells) if field.type in _PARTICULAR else None
    if values is None or values.null_count() > text.null_count():
        present = _present(text, field)
        nul = present.str.contains("\0", literal=True).fill_null(value=False)
        values = _cast(present.set(nul, None) if nul.any() else present, field, cells)
        failures = _failures(values, present, nul, field)
    else:
        # Blanks around values do not matter to these types, and a cell of nothing else would be none.
        present, failures = text, {}
    if field.default is not None:
        values = values.set(present.is_null(), default_value(field))
    return CastColumn(values, failures)


def form_of(field: Field) -> str:
    """How a number, date or time of this field is written, in words for people."""
    return field.format or FORMS.get(field.type, "")


def _present(text: pl.Series, field: Field) -> pl.Series:
    """The text without the blanks around it, null where there is nothing else."""
    present = text if field.type is FieldType.STRING else text.str.strip_chars(BLANKS)
    blank = present == ""
    return present.set(blank, None) if blank.any() else present


def _failures(values: pl.Series, present: pl.Series, nul: pl.Series, field: Field) -> dict[str, pl.Series]:
    """Code → the cells with text that became no value; codes without such cells are left out."""
    if values.null_count() == present.null_count():
        return {}
    missed = (present.is_not_null() & values.is_null()) & ~nul
    failures = {"cell.nul": nul, f"type.{field.type.value}": missed}
    if field.type is FieldType.INTEGER:
        whole = are_whole(present, field)
        failures |= {"type.integer": missed & ~whole, "type.integer_range": missed & whole}
    return {code: mask for code, mask in failures.items() if mask.any()}


def default_value(field: Field) -> object:
    """What a blank cell of the field becomes; None where the default is no value of the field's type."""
    text = field.default if isinstance(field.default, str) else json.dumps(field.default)
    if field.type is FieldType.DECIMAL:
        text = f"{Decimal(text):f}"  # 1E2 is fine in a document, and no digits as a file has them
    canonical = field.model_copy(update={"default": None, "format": None})
    return cast_column(pl.Series([text], dtype=pl.String), canonical).values[0]


def _cast(text: pl.Series, field: Field, cells: Cells) -> pl.Series:
    if field.type in _BY_FORM:
        return _as_declared(text, field, cells)
    if field.type is FieldType.DURATION:
        return durations(text, cells)
    if field.type is FieldType.MULTICHOICE:
        return _mapped(text, lambda value: _multichoice(value, frozenset(field.choices)))
    cast = _PLAIN.get(field.type)
    return cast(text) if cast else text


def _as_declared(text: pl.Series, field: Field, cells: Cells) -> pl.Series:
    """Numbers, dates, times or datetimes, canonical before declared where the cells may be either."""
    read = _BY_FORM[field.type]
    declared = read(text, field, cells)
    if field.format is None or cells is Cells.TEXT:
        return declared
    canonical = read(text, field.model_copy(update={"format": None}), cells)
    doubtful = (canonical != declared).fill_null(value=False) & (cells is Cells.EITHER)
    return canonical.fill_null(declared).set(doubtful, None)


def _boolean(text: pl.Series) -> pl.Series:
    words = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
    return text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


def _uuid(text: pl.Series) -> pl.Series:
    bare = text.str.to_lowercase().str.strip_prefix("urn:uuid:").str.strip_chars("{}")
    digits = matching(bare, UUID).str.replace_all("-", "", literal=True)
    return digits.str.replace(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")


def _email(text: pl.Series) -> pl.Series:
    return matching(text, EMAIL)


def _json(text: pl.Series) -> pl.Series:
    return _mapped(text, _canonical_json)


def _mapped(text: pl.Series, convert: Callable[[str], str | None]) -> pl.Series:
    values = [None if value is None else convert(value) for value in text]
    return pl.Series(text.name, values, dtype=pl.String)


def _canonical_json(value: str) -> str | None:
    try:
        json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _multichoice(value: str, choices: frozenset[str]) -> str | None:
    """A JSON list of the choices; None where the text is no list of strings or names something else."""
    try:
        parsed = json.loads(value) if value.startswith("[") else value.split(";")
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(choice, str) for choice in parsed):
        return None
    names = [choice.strip() for choice in parsed if choice.strip()]
    if not names and parsed:
        return None
    return json.dumps(names, ensure_ascii=False) if choices.issuperset(names) else None


_PLAIN: Mapping[FieldType, Callable[[pl.Series], pl.Series]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.UUID: _uuid,
    FieldType.EMAIL: _email,
    FieldType.JSON: _json,
}
_BY_FORM: Mapping[FieldType, Callable[[pl.Series, Field, Cells], pl.Series]] = {
    FieldType.INTEGER: lambda text, field, _: integers(text, field),
    FieldType.NUMBER: lambda text, field, _: floats(text, field),
    FieldType.DECIMAL: decimals,
    FieldType.DATE: lambda text, field, _: dates(text, field),
    FieldType.TIME: lambda text, field, _: times(text, field),
    FieldType.DATETIME: lambda text, field, _: datetimes(text, field),
}
_PARTICULAR = frozenset({*_BY_FORM, FieldType.BOOLEAN, FieldType.UUID, FieldType.EMAIL})
"""Types of which no value holds a NUL or is blank."""
