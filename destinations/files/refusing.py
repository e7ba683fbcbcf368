"""Which records a kind of file can't hold as they are."""

from collections.abc import Iterator

import polars as pl

from destinations.poison import Refusals, RefusedError
from schemas.definition import Definition
from schemas.dtypes import DTYPES

MOST_CELL_CHARS = 32_767
"""A cell of a workbook holds no more, in the units of UTF-16."""


def refused_records(kind: str, definition: Definition, records: pl.DataFrame, numbers: list[int]) -> Refusals:
    """The records that would lose a part of a value.

    Args:
        kind: of the file.
        records: (n, n_fields), all fields.
        numbers: by which each record is to be named.
    """
    return {numbers[row]: refusal for row, refusal in _too_long(definition, records)} if kind == "xlsx" else {}


def _too_long(definition: Definition, records: pl.DataFrame) -> Iterator[tuple[int, RefusedError]]:
    for field in definition.fields:
        if DTYPES[field.type] == pl.String:
            # UTF-8 has at least as many bytes as UTF-16 has units, so that few are counted.
            text = records[field.name]
            for row in (text.str.len_bytes() > MOST_CELL_CHARS).arg_true():
                if len(text[row].encode("utf-16-le")) // 2 > MOST_CELL_CHARS:
                    said = f"a cell of a workbook holds {MOST_CELL_CHARS:,} characters; csv holds any"
                    yield row, RefusedError(said, field.name)
