"""What each type of field is in polars."""

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from schemas.field_types import DECIMAL_DIGITS, DECIMAL_SCALE, FieldType

_DTYPES: Mapping[FieldType, pl.DataType] = {
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
    FieldType.DECIMAL: pl.Decimal(DECIMAL_DIGITS, DECIMAL_SCALE),
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.DATE: pl.Date(),
    FieldType.TIME: pl.Time(),
    FieldType.DATETIME: pl.Datetime("us"),
    FieldType.DURATION: pl.Duration("us"),
}

DTYPES: Mapping[FieldType, pl.DataType] = MappingProxyType({t: _DTYPES.get(t, pl.String()) for t in FieldType})
"""Type → dtype of its column in a typed frame; datetimes are naive, in UTC where a zone is known."""
