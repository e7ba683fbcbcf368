"""The ordinary columns of a block cast together, in two passes over all of them; the rest is left to others.

To ask polars once is much cheaper than to ask it for every column and question. What is cast here is what
`schemas.casting` would have made of it; a column in which one cell needs a second look is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from schemas.casting import BLANKS
from schemas.definition import Field
from schemas.field_types import FieldType
from schemas.mail_address import EMAIL
from schemas.moments import plausible_year
from schemas.text_table import Cells

_TYPED = ":typed"


@dataclass(frozen=True)
class _Form:
    """How an ordinary column is cast.

    Attributes:
        values: of the column of text; null where that is null or no such value.
        doubt: one truth value, over the texts and those values: whether a cell needs a second look.
    """

    values: pl.Expr
    doubt: pl.Expr


def quick_columns(cells: pl.DataFrame, fields: Mapping[str, Field], kind: Cells) -> dict[str, pl.Series]:
    """The typed values of the columns in which every cell is blank or an ordinary value of its field.

    Args:
        cells: (n_rows, n_columns) String; null where a cell is blank.
        fields: column of `cells` → the field that it feeds.
    """
    forms = {name: form for name, field in fields.items() if (form := _form(name, field, kind)) is not None}
    cast = cells.with_columns(form.values.alias(name + _TYPED) for name, form in forms.items())
    doubts = cast.select(form.doubt.alias(name) for name, form in forms.items())
    return {name: cast[name + _TYPED].alias(name) for name in forms if not doubts.item(0, name)}


def _form(name: str, field: Field, kind: Cells) -> _Form | None:
    """The form of a column; None where cells may be written in more ways than one."""
    is_plain = field.format is None and field.timezone is None
    is_usual = is_plain or (field.type is FieldType.DATE and kind is Cells.TEXT)
    form = _FORMS.get(field.type)
    if form is None or not is_usual or field.default is not None:
        return None
    return form(pl.col(name), pl.col(name + _TYPED), field)


def _string(text: pl.Expr, _: pl.Expr, __: Field) -> _Form:
    return _Form(text, _has_nul(text))


def _choice(text: pl.Expr, values: pl.Expr, _: Field) -> _Form:
    return _Form(text.str.strip_chars(BLANKS), _has_nul(text) | (values == "").any())


def _email(text: pl.Expr, _: pl.Expr, __: Field) -> _Form:
    return _Form(text, ~text.str.contains(EMAIL).all())


def _integer(text: pl.Expr, values: pl.Expr, _: Field) -> _Form:
    return _Form(text.cast(pl.Int64, strict=False), _missed(text, values))


def _number(text: pl.Expr, values: pl.Expr, _: Field) -> _Form:
    # A zero may be what became of a number too small for a float.
    ordinary = values.is_finite() & (values != 0)
    return _Form(text.cast(pl.Float64, strict=False), _missed(text, values) | ~ordinary.all())


def _date(text: pl.Expr, values: pl.Expr, field: Field) -> _Form:
    form = field.format or "%Y-%m-%d"
    doubt = _missed(text, values) | ~plausible_year(values, form).all()
    return _Form(text.str.to_date(form, strict=False), doubt)


def _datetime(text: pl.Expr, values: pl.Expr, _: Field) -> _Form:
    moments = text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    leaps = text.str.contains(":60", literal=True).any()
    return _Form(moments, _missed(text, values) | leaps | ~plausible_year(values, "%Y").all())


def _missed(text: pl.Expr, values: pl.Expr) -> pl.Expr:
    return values.null_count() != text.null_count()


def _has_nul(text: pl.Expr) -> pl.Expr:
    return text.str.contains("\0", literal=True).any()


_FORMS: Mapping[FieldType, Callable[[pl.Expr, pl.Expr, Field], _Form]] = {
    FieldType.STRING: _string,
    FieldType.CHOICE: _choice,
    FieldType.EMAIL: _email,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
}
