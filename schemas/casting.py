"""From text to typed values, column by column: a cell either becomes a value or is reported, never lost."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal

import polars as pl

from schemas.definition import Field
from schemas.field_types import DECIMAL_SCALE, FieldType
from schemas.text_table import Cells

BLANKS = " \t\r\n\u00a0\ufeff\u200b"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
DECIMAL = rf"^[+-]?(0*\d{{1,{38 - DECIMAL_SCALE}}}(\.\d{{0,{DECIMAL_SCALE}}}0*)?|\.\d{{1,{DECIMAL_SCALE}}}0*)$"
INTEGER = r"^[+-]?\d+(\.0*)?$"
UUID = r"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"
EMAIL = r"^[^\s@<>,;:\"()\[\]\\]+@([^\s@<>,;:\"()\[\]\\.]+\.)+[^\s@<>,;:\"()\[\]\\.]{2,}$"
OFFSET = r"(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)$"
TOO_FINE = r"\.\d{6}\d*[1-9]\d*([^\d.]|$)"
"""A fraction of a second with more digits than a column keeps."""

LEAP_SECOND = r"\d:\d{2}:60([^\d:]|$)"
TRUE_WORDS = ("true", "t", "yes", "y", "on", "1")
FALSE_WORDS = ("false", "f", "no", "n", "off", "0")
ISO_DATETIME = "YYYY-MM-DD HH:MM:SS"
ISO_FORMS = {FieldType.DATE: "YYYY-MM-DD", FieldType.TIME: "HH:MM:SS", FieldType.DATETIME: ISO_DATETIME}


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
    present = text if field.type is FieldType.STRING else text.str.strip_chars(BLANKS)
    present = present.set(present == "", None)
    nul = present.str.contains("\0", literal=True).fill_null(value=False)
    values, code = _cast(present.set(nul, None), field, cells)
    missed = (present.is_not_null() & values.is_null()) & ~nul
    failures = {"cell.nul": nul} | _split_by_code(missed, present, field, code)
    if field.default is not None:
        values = values.set(present.is_null(), default_value(field))
    return CastColumn(values, {name: mask for name, mask in failures.items() if mask.any()})


def form_of(field: Field) -> str:
    """How a date or time of this field is written, in words for people."""
    return field.format or ISO_FORMS.get(field.type, "")


def _split_by_code(missed: pl.Series, text: pl.Series, field: Field, code: str) -> dict[str, pl.Series]:
    if field.type is not FieldType.INTEGER:
        return {code: missed}
    whole = text.str.contains(INTEGER).fill_null(value=False)
    return {"type.integer": missed & ~whole, "type.integer_range": missed & whole}


def default_value(field: Field) -> object:
    """What a blank cell of the field becomes; None where the default is no value of the field's type."""
    text = field.default if isinstance(field.default, str) else json.dumps(field.default)
    canonical = field.model_copy(update={"default": None, "format": None})
    return cast_column(pl.Series([text], dtype=pl.String), canonical).values[0]


def _cast(text: pl.Series, field: Field, cells: Cells) -> tuple[pl.Series, str]:
    code = f"type.{field.type.value}"
    if field.type in _TEMPORAL:
        return _moments(text, field, cells), code
    if field.type is FieldType.DECIMAL:
        return _decimal(text, cells), code
    if field.type is FieldType.MULTICHOICE:
        return _mapped(text, lambda value: _multichoice(value, frozenset(field.choices))), code
    cast = _PLAIN.get(field.type)
    return (cast(text) if cast else text), code


def _matching(text: pl.Series, pattern: str) -> pl.Series:
    return text.set(~text.str.contains(pattern).fill_null(value=True), None)


def _integer(text: pl.Series) -> pl.Series:
    digits = _matching(text, INTEGER).str.replace(r"\.0*$", "").str.strip_prefix("+")
    return digits.cast(pl.Int64, strict=False)


def _number(text: pl.Series) -> pl.Series:
    values = _matching(text, NUMBER).str.strip_prefix("+").cast(pl.Float64, strict=False)
    vanished = (values == 0) & text.str.contains(r"^[^eE]*[1-9]")
    return values.set((values.is_infinite() | vanished).fill_null(value=False), None)


def _decimal(text: pl.Series, cells: Cells) -> pl.Series:
    exact = _matching(text, DECIMAL)
    if cells is not Cells.TEXT:
        floats = _matching(text.set(exact.is_not_null(), None), NUMBER)
        exact = exact.fill_null(_matching(_mapped(floats, _without_noise), DECIMAL))
    return exact.str.strip_prefix("+").cast(pl.Decimal(38, DECIMAL_SCALE), strict=False)


def _without_noise(number: str) -> str | None:
    """A float's 15 digits, which are what a workbook shows of it; None where there are too many for a float."""
    digits = re.sub(r"[eE].*|\D", "", number).strip("0")
    return f"{Context(prec=15).create_decimal(Decimal(number)):f}" if len(digits) <= 17 else None


def _boolean(text: pl.Series) -> pl.Series:
    words = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
    return text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


def _uuid(text: pl.Series) -> pl.Series:
    bare = text.str.to_lowercase().str.strip_prefix("urn:uuid:").str.strip_chars("{}")
    digits = _matching(bare, UUID).str.replace_all("-", "", literal=True)
    return digits.str.replace(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")


def _email(text: pl.Series) -> pl.Series:
    return _matching(text, EMAIL)


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


def _moments(text: pl.Series, field: Field, cells: Cells) -> pl.Series:
    """Dates, times or datetimes, canonical before declared where the cells may be either."""
    read = _TEMPORAL[field.type]
    declared = read(text, field)
    if field.format is None or cells is Cells.TEXT:
        return declared
    canonical = read(text, field.model_copy(update={"format": None}))
    doubtful = (canonical != declared).fill_null(value=False) & (cells is Cells.EITHER)
    return canonical.fill_null(declared).set(doubtful, None)


def _date(text: pl.Series, field: Field) -> pl.Series:
    form = field.format or "%Y-%m-%d"
    iso = text if field.format else text.str.replace(r"^(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?$", "$1")
    return _plausible_year(iso.str.to_date(form, strict=False), form)


def _time(text: pl.Series, field: Field) -> pl.Series:
    text = _kept_exactly(text, field.format)
    if field.format:
        return text.str.to_time(field.format, strict=False)
    exact = text.str.to_time("%H:%M:%S%.f", strict=False)
    return exact.fill_null(text.str.to_time("%H:%M", strict=False))


def _kept_exactly(text: pl.Series, form: str | None) -> pl.Series:
    """The text without times that would be changed: finer than microseconds, or in a leap second."""
    if form is None:
        changed = text.str.contains(TOO_FINE) | text.str.contains(LEAP_SECOND)
    else:
        # What is read where seconds must be 60 would else become the next minute.
        leap = re.sub(r"%\.?[369]?f", "", form.replace("%T", "%H:%M:%S").replace("%r", "%I:%M:%S %p"))
        whole = text.str.replace(r"(\D60)[.]\d+", "$1")
        seconds = whole.str.to_time(leap.replace("%S", "60"), strict=False) if "%S" in leap else None
        changed = text.str.contains(TOO_FINE) & ("f" in form)
        changed = changed if seconds is None else changed | seconds.is_not_null()
    return text.set(changed.fill_null(value=False), None)


def _datetime(text: pl.Series, field: Field) -> pl.Series:
    text = _kept_exactly(text, field.format)
    if field.format and "z" in field.format:
        moments = text.str.to_datetime(field.format, time_unit="us", time_zone="UTC", strict=False)
        return _plausible_year(moments.dt.replace_time_zone(None), field.format)
    if field.format:
        local = text.str.to_datetime(field.format, time_unit="us", strict=False)
        return _to_utc(_plausible_year(local, field.format), field.timezone)
    bare = text.str.replace(rf"\s*{OFFSET}", "").str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ")
    local = bare.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    for minutes in (bare, bare + " 00:00"):
        local = local.fill_null(minutes.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False))
    offset = _offset(text)
    zoned = _to_utc(local.set(offset.is_not_null(), None), field.timezone)
    return _plausible_year(zoned.fill_null(local - offset), "%Y")


def _offset(text: pl.Series) -> pl.Series:
    """What the text says of its distance from UTC, as a Duration; null where it says nothing."""
    found = text.str.extract(OFFSET).str.replace("^Z$", "+0000").str.replace(":", "", literal=True)
    hours = found.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = found.str.slice(3, 2).cast(pl.Int64, strict=False)
    sign = pl.select(pl.when(found.str.starts_with("-")).then(-1).otherwise(1)).to_series()
    return (sign * (hours * 60 + minutes) * 60_000_000).cast(pl.Duration("us"))


def _to_utc(local: pl.Series, timezone: str | None) -> pl.Series:
    if timezone is None:
        return local
    zoned = local.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _plausible_year(values: pl.Series, form: str) -> pl.Series:
    """Refuse `65` where four digits are declared: it would be the year 65."""
    if "%Y" not in form:
        return values
    years = values.dt.year()
    return values.set(((years < 1000) | (years > 9999)).fill_null(value=False), None)


_PLAIN: Mapping[FieldType, Callable[[pl.Series], pl.Series]] = {
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.UUID: _uuid,
    FieldType.EMAIL: _email,
    FieldType.JSON: _json,
}
_TEMPORAL: Mapping[FieldType, Callable[[pl.Series, Field], pl.Series]] = {
    FieldType.DATE: _date,
    FieldType.TIME: _time,
    FieldType.DATETIME: _datetime,
}
