"""From text to whole numbers, floats and decimals, also as percentages and with separators as declared."""

import re
from decimal import Context, Decimal

import polars as pl

from schemas.definition import Field
from schemas.field_types import DECIMAL_SCALE, NUMBER_FORMS
from schemas.text_table import Cells

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
DECIMAL = rf"^[+-]?(0*\d{{1,{38 - DECIMAL_SCALE}}}(\.\d{{0,{DECIMAL_SCALE}}}0*)?|\.\d{{1,{DECIMAL_SCALE}}}0*)$"
INTEGER = r"^[+-]?\d+(\.0*)?$"
PERCENTAGE = r"^[+-]?(\d+\.?\d*|\.\d+)[ \u00a0\u202f]*%$"


def integers(text: pl.Series, field: Field) -> pl.Series:
    """Int64; null where the text is no whole number, or none of 64 bits."""
    plain = _plain(text, field)
    # Takes nothing that is no whole number, so that only what it leaves needs a second look.
    values = plain.cast(pl.Int64, strict=False)
    if values.null_count() == text.null_count():
        return values
    rest = matching(plain.set(values.is_not_null(), None), INTEGER).str.replace(r"\.0*$", "")
    return values.fill_null(rest.str.strip_prefix("+").cast(pl.Int64, strict=False))


def are_whole(text: pl.Series, field: Field) -> pl.Series:
    """(n_rows,) Boolean: True where the text is a whole number, of 64 bits or more."""
    return _plain(text, field).str.contains(INTEGER).fill_null(value=False)


def floats(text: pl.Series, field: Field) -> pl.Series:
    """Float64; null where the text is no number, or one too large or too small for a float."""
    plain = _shifted(_plain(text, field))
    values = plain.cast(pl.Float64, strict=False)
    finite = values.is_finite()
    if not finite.all():
        values = values.set(~finite.fill_null(value=True), None)
    zero = values == 0
    if zero.any():
        vanished = zero & plain.str.contains(r"^[^eE]*[1-9]")
        values = values.set(vanished.fill_null(value=False), None)
    return values


def decimals(text: pl.Series, field: Field, cells: Cells) -> pl.Series:
    """Decimal, digit by digit as the text has them; null where they are too many.

    Args:
        cells: where they are not `TEXT`, a number with the noise of a float is what a workbook shows of it.
    """
    plain = _shifted(_plain(text, field))
    exact = matching(plain, DECIMAL)
    if cells is not Cells.TEXT and exact.null_count() > text.null_count():
        noisy = matching(plain.set(exact.is_not_null(), None), NUMBER)
        shown = [None if value is None else _without_noise(value) for value in noisy]
        exact = exact.fill_null(matching(pl.Series(text.name, shown, dtype=pl.String), DECIMAL))
    return exact.str.strip_prefix("+").cast(pl.Decimal(38, DECIMAL_SCALE), strict=False)


def matching(text: pl.Series, pattern: str) -> pl.Series:
    """The text where it matches the regular expression, else null."""
    found = text.str.contains(pattern)
    return text if found.all() else text.set(~found.fill_null(value=True), None)


def _plain(text: pl.Series, field: Field) -> pl.Series:
    """The numbers as they are written in code; null where separators stand elsewhere than the form has them."""
    if field.format is None:
        return text
    group, point = NUMBER_FORMS[field.format]
    form = rf"^[+-]?(\d{{1,3}}({group}\d{{3}})+|\d+)?({point}\d*)?([eE][+-]?\d{{1,3}})?[ \u00a0\u202f]*%?$"
    return matching(text, form).str.replace_all(group, "").str.replace(point, ".")


def _shifted(text: pl.Series) -> pl.Series:
    """Percentages as the numbers that they are, digit by digit: `1.5 %` becomes `0.015`."""
    if not text.str.ends_with("%").any():
        return text
    padded = text.str.replace(r"^([+-]?)", "${1}00")
    shifted = padded.str.replace(r"^([+-]?\d*)(\d\d)(?:\.(\d*))?\D*$", "${1}.${2}${3}")
    percentage = text.str.contains(PERCENTAGE).fill_null(value=False)
    return shifted.zip_with(percentage, text)


def _without_noise(number: str) -> str | None:
    """A float's 15 digits, which are what a workbook shows of it; None where there are too many for a float."""
    digits = re.sub(r"[eE].*|\D", "", number).strip("0")
    return f"{Context(prec=15).create_decimal(Decimal(number)):f}" if len(digits) <= 17 else None
