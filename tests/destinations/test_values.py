"""What typed values become in SQLite."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, strategies as st

from destinations.values import stored, stored_default
from schemas.definition import Field
from schemas.errors import DestinationError


def _stored(values, dtype):
    frame = pl.DataFrame({"v": pl.Series(values, dtype=dtype)})
    return frame.select(stored("v", frame.schema["v"])).to_series().to_list()


@given(st.lists(st.none() | st.decimals(min_value=-(10**26) + 1, max_value=10**26 - 1, places=12)))
def test_decimals_keep_every_digit_and_no_blank_zeros(values):
    texts = _stored(values, pl.Decimal(38, 12))
    assert [None if t is None else Decimal(t) for t in texts] == values
    assert not any(t and "." in t and t.endswith(("0", ".")) for t in texts)


@given(st.lists(st.none() | st.datetimes()))
def test_datetimes_read_back_as_they_were(values):
    texts = _stored(values, pl.Datetime("us"))
    assert texts == [None if v is None else v.isoformat(" ") for v in values]


@given(st.lists(st.times()), st.lists(st.dates()))
def test_times_and_dates_are_iso_text(times, dates):
    assert _stored(times, pl.Time()) == [t.isoformat() for t in times]
    assert _stored(dates, pl.Date()) == [d.isoformat() for d in dates]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([Decimal(0), Decimal(100), Decimal("-1.50")], pl.Decimal(38, 12), ["0", "100", "-1.5"]),
        ([Decimal(100)], pl.Decimal(10, 0), ["100"]),
        ([datetime(2024, 1, 1, 12, tzinfo=UTC)], pl.Datetime("us", "Europe/Berlin"), ["2024-01-01 12:00:00"]),
        ([True, False, None], pl.Boolean(), [1, 0, None]),
        ([2**63 - 1], pl.Int64(), [2**63 - 1]),
        ([7], pl.UInt8(), [7]),
        ([timedelta(hours=36), timedelta(microseconds=-1), None], pl.Duration("us"), [129600.0, -1e-06, None]),
        ([0.5], pl.Float32(), [0.5]),
        ([date(999, 1, 1)], pl.Date(), ["0999-01-01"]),
    ],
)
def test_value_of_each_type_is_stored_so(values, dtype, expected):
    assert _stored(values, dtype) == expected


def test_default_is_what_a_blank_cell_would_bring():
    assert stored_default(Field(name="n", type="decimal", default="2.50")) == "2.5"
    assert stored_default(Field(name="n")) is None


def test_default_that_no_cell_could_hold_is_refused():
    with pytest.raises(DestinationError, match="default '1e30'"):
        stored_default(Field(name="n", type="decimal", default="1e30"))
