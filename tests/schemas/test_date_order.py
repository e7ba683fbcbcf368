"""Which reading of a date the order of the rows speaks for."""

import polars as pl
import pytest

from schemas.casting import cast_column
from schemas.date_order import DateOrder, swapped_format
from schemas.definition import Field
from schemas.text_table import Cells


def order_of(texts, form, *, cells=Cells.TEXT, block_rows=100, **field):
    declared = Field.model_validate({"name": "f", "type": "date", "format": form} | field)
    order = DateOrder(declared, swapped_format(form) or "")
    for first in range(0, len(texts), block_rows):
        text = pl.Series(texts[first : first + block_rows], dtype=pl.String)
        order.add(text, cast_column(text, declared, cells).values, cells)
    return order


@pytest.mark.parametrize(
    ("form", "other"),
    [
        ("%m/%d/%Y", "%d/%m/%Y"),
        ("%d.%m.%y", "%m.%d.%y"),
        ("%e-%m-%Y %H:%M", "%m-%d-%Y %H:%M"),
        ("%D %T", "%d/%m/%y %T"),
        ("%Y-%d-%m", "%Y-%m-%d"),
        ("%Y-%m-%d", None),
        ("%F", None),
        ("%d %B %Y", None),
        ("%H:%M", None),
        (None, None),
    ],
)
def test_a_form_with_day_and_month_as_numbers_has_another_reading(form, other):
    assert swapped_format(form) == other


@pytest.mark.parametrize("block_rows", [1, 2, 100])
def test_steps_back_are_counted_as_declared_and_with_the_ambiguous_dates_swapped(block_rows):
    texts = ["01/02/2024", "01/13/2024", None, "02/02/2024", "03/01/2024", "no date", "02/05/2024"]
    order = order_of(texts, "%m/%d/%Y", block_rows=block_rows)
    assert (order.dates, order.ambiguous, order.settled) == (5, 3, 1)
    assert order.steps == (1, 2)
    assert not order.speaks_otherwise


def test_rows_from_the_latest_to_the_earliest_are_in_order_too():
    texts = [f"{day}/2024" for day in ("25/03", "14/03", "03/05", "20/02", "02/11", "31/01", "15/01")]
    order = order_of(texts, "%d/%m/%Y")
    assert (order.is_rising, order.steps, order.speaks_otherwise) == (False, (2, 0), True)


def test_real_date_cells_and_defaults_are_never_ambiguous():
    assert order_of(["2024-03-05", "05/03/2024"], "%d/%m/%Y", cells=Cells.CANONICAL).ambiguous == 1
    assert order_of(["2024-03-05", "2024-05-03"], "%Y-%d-%m", cells=Cells.CANONICAL).ambiguous == 0
    filled = order_of([None, "05/03/2024", None], "%d/%m/%Y", default="2020-01-02")
    assert (filled.dates, filled.ambiguous, filled.steps) == (1, 1, (0, 0))


def test_moments_of_one_day_and_of_a_zone_are_told_apart():
    texts = ["31/10/2024 23:30", "01/11/2024 00:30", "01/11/2024 00:15"]
    field = {"type": "datetime", "timezone": "Europe/Berlin"}
    assert order_of(texts, "%d/%m/%Y %H:%M", **field).steps == (1, 2)
