"""What is cast quickly is what the careful way makes of it, and whatever is not ordinary is left to that."""

import polars as pl
import pytest
from hypothesis import example, given, strategies as st
from polars.testing import assert_series_equal

from schemas.casting import cast_column
from schemas.definition import Field
from schemas.field_types import FieldType
from schemas.quick_casting import quick_columns
from schemas.text_table import Cells

FIELDS = (
    Field(name="f", type=FieldType.STRING),
    Field(name="f", type=FieldType.STRING, default="none"),
    Field(name="f", type=FieldType.CHOICE, choices=("a", "b")),
    Field(name="f", type=FieldType.EMAIL),
    Field(name="f", type=FieldType.INTEGER),
    Field(name="f", type=FieldType.INTEGER, format="1,234.5"),
    Field(name="f", type=FieldType.NUMBER),
    Field(name="f", type=FieldType.DATE),
    Field(name="f", type=FieldType.DATE, format="%d.%m.%Y"),
    Field(name="f", type=FieldType.DATE, format="%d.%m.%y"),
    Field(name="f", type=FieldType.DATETIME),
    Field(name="f", type=FieldType.DATETIME, timezone="Europe/Berlin"),
    Field(name="f", type=FieldType.BOOLEAN),
)
VALUES = (
    *(
        "a",
        " b ",
        "a\0",
        "\u200b",
        "a@example.org",
        "a@",
        "7",
        " 7",
        "+7",
        "7.0",
        "7e2",
        "1,000",
        "-0.5",
        "0",
        "0.0",
    ),
    *("1e-999", "1e999", "nan", "inf", "5%", "9" * 30, "2024-02-29", "2023-02-29", "65-01-01", "0065-01-01"),
    *(
        "2024-02-29 00:00",
        "2024-02-29 10:11:12",
        "2024-02-29 10:11:60",
        "2024-02-29T10:11:12Z",
        "1.2.65",
        "true",
    ),
    *("2024-02-29 10:11:12.5", "31.12.2024", "31.12.65", "1.2.0065", "٣", "1_000", "2024-2-9"),
)
texts = st.lists(st.one_of(st.none(), st.sampled_from(VALUES), st.text(min_size=1, max_size=3)), max_size=4)


@pytest.mark.parametrize("kind", Cells)
@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f"{f.type.value} {f.format or f.timezone or f.default}")
@given(texts)
@example(["7", None])
@example(["a@example.org"])
@example(["2024-02-29"])
@example(["2024-02-29 10:11:12"])
def test_a_column_is_cast_as_the_careful_way_casts_it_or_left_to_that(field, kind, values):
    cells = pl.DataFrame({"0": pl.Series(values, dtype=pl.String)})
    found = quick_columns(cells, {"0": field}, kind)
    careful = cast_column(cells["0"], field, kind)
    if "0" in found:
        assert careful.failures == {}
        assert_series_equal(found["0"], careful.values, check_names=False)


@pytest.mark.parametrize(
    ("field_type", "value"),
    [
        (FieldType.STRING, "some text"),
        (FieldType.EMAIL, "a@example.org"),
        (FieldType.INTEGER, "7"),
        (FieldType.NUMBER, "-7.25"),
        (FieldType.DATE, "2024-02-29"),
        (FieldType.DATETIME, "2024-02-29 10:11:12"),
    ],
)
def test_an_ordinary_column_is_cast_quickly(field_type, value):
    cells = pl.DataFrame({"0": [value, None]}, schema={"0": pl.String})
    assert list(quick_columns(cells, {"0": Field(name="f", type=field_type)}, Cells.TEXT)) == ["0"]
