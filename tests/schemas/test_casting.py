import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, strategies as st

from schemas.casting import cast_column
from schemas.definition import Field
from schemas.text_table import Cells


def cast(
    texts: list[str | None], cells: Cells = Cells.TEXT, **field: object
) -> tuple[list[object], dict[str, list[int]]]:
    declared = Field.model_validate({"name": "f", **field})
    column = cast_column(pl.Series(texts, dtype=pl.String), declared, cells)
    return column.values.to_list(), {c: mask.arg_true().to_list() for c, mask in column.failures.items()}


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


GOOD = [
    ("string", {}, " 00123 ", " 00123 "),
    ("integer", {}, " +42 ", 42),
    ("integer", {}, "880.0", 880),
    ("integer", {}, "-9223372036854775808", -(2**63)),
    ("number", {}, "-1.5e3", -1500.0),
    ("number", {}, ".5", 0.5),
    ("decimal", {}, "0.1", Decimal("0.1")),
    ("decimal", {}, "+12345678901234567890.123456789012", Decimal("12345678901234567890.123456789012")),
    ("decimal", {}, "1.50000000000000000000", Decimal("1.5")),
    ("boolean", {}, "YES", True),
    ("boolean", {}, "0", False),
    ("date", {}, "2024-02-29", dt.date(2024, 2, 29)),
    ("date", {"format": "%m/%d/%Y"}, "1/2/1965", dt.date(1965, 1, 2)),
    ("date", {"format": "%d.%m.%y"}, "31.12.99", dt.date(1999, 12, 31)),
    ("time", {}, "8:05:58", dt.time(8, 5, 58)),
    ("time", {}, "13:44", dt.time(13, 44)),
    ("time", {"format": "%I:%M %p"}, "01:30 PM", dt.time(13, 30)),
    ("datetime", {}, "2024-02-29T13:44:18.250", moment("2024-02-29 13:44:18.250")),
    ("datetime", {}, "2024-02-29 13:44", moment("2024-02-29 13:44")),
    ("datetime", {}, "2024-02-29", moment("2024-02-29 00:00")),
    ("datetime", {}, "2024-02-29T13:44:18+02:00", moment("2024-02-29 11:44:18")),
    ("datetime", {}, "2024-02-29T13:44:18Z", moment("2024-02-29 13:44:18")),
    ("datetime", {"timezone": "Europe/Berlin"}, "2024-07-01 12:00:00", moment("2024-07-01 10:00:00")),
    ("datetime", {"timezone": "Europe/Berlin"}, "2024-07-01 12:00:00-05:00", moment("2024-07-01 17:00:00")),
    ("datetime", {"format": "%d/%m/%Y %H:%M"}, "29/02/2024 13:44", moment("2024-02-29 13:44")),
    ("datetime", {"format": "%Y-%m-%d %H:%M %z"}, "2024-02-29 13:44 +0100", moment("2024-02-29 12:44")),
    ("time", {}, "13:44:18.1234560", dt.time(13, 44, 18, 123456)),
    ("datetime", {}, "2024-02-29T13:44:18.1234560+14:59", moment("2024-02-28 22:45:18.123456")),
    ("datetime", {"format": "%d.%m.%Y%H%M%S%.f"}, "29.02.2024010906.5", moment("2024-02-29 01:09:06.500")),
    ("datetime", {"format": "%d/%m/%Y %H:%M:%S"}, "29/02/1960 16:00:00", moment("1960-02-29 16:00:00")),
    ("number", {}, "0e-400", 0.0),
    ("number", {}, "15%", 0.15),
    ("number", {}, "-0.1 %", -0.001),
    ("number", {"format": "1.234,5"}, "-1.234.567,25", -1234567.25),
    ("number", {"format": "1.234,5"}, "1234,5", 1234.5),
    ("number", {"format": "1,234.5"}, "1,234", 1234.0),
    ("number", {"format": "1 234,5"}, "1\u202f234,5 %", 12.345),
    ("number", {"format": "1'234.5"}, "1\u2019234.5", 1234.5),
    ("integer", {"format": "1,234.5"}, "1,234,567", 1234567),
    ("integer", {}, "9007199254740993", 9007199254740993),
    ("decimal", {}, "7%", Decimal("0.07")),
    ("decimal", {}, ".5\u00a0%", Decimal("0.005")),
    ("decimal", {}, "+1234567890123456.789%", Decimal("12345678901234.56789")),
    ("decimal", {"format": "1.234,5"}, "12.345.678.901.234.567,10", Decimal("12345678901234567.1")),
    ("duration", {}, "36:00:00", dt.timedelta(hours=36)),
    ("duration", {}, "100:05", dt.timedelta(hours=100, minutes=5)),
    ("duration", {}, "-0:00:01.500", dt.timedelta(seconds=-1.5)),
    ("duration", {}, "P1DT12H", dt.timedelta(hours=36)),
    ("duration", {}, "PT90M0.000001S", dt.timedelta(minutes=90, microseconds=1)),
    ("boolean", {}, "WAHR", True),
    ("boolean", {}, "nein", False),
    ("boolean", {}, "Sí", True),
    ("boolean", {}, "FAUX", False),
    ("number", {}, "5e-324", 5e-324),
    ("multichoice", {"choices": ["A"]}, "[]", "[]"),
    ("multichoice", {"choices": ["A"]}, "A;", '["A"]'),
    ("choice", {"choices": ["A", "B"]}, " A ", "A"),
    ("multichoice", {"choices": ["A", "B;C", "D"]}, "A; D", '["A", "D"]'),
    ("multichoice", {"choices": ["A", "B;C"]}, '["B;C"]', '["B;C"]'),
    ("json", {}, '{"a": [1, 2.50]}', '{"a": [1, 2.50]}'),
    ("uuid", {}, "{BF40C69B5AAA4A4B99F469211AA23288}", "bf40c69b-5aaa-4a4b-99f4-69211aa23288"),
    ("email", {}, "jo@mail.example.com", "jo@mail.example.com"),
]


@pytest.mark.parametrize(("type_", "extra", "text", "value"), GOOD)
def test_text_becomes_the_value_that_people_mean(type_, extra, text, value):
    assert cast([text], type=type_, **extra) == ([value], {})


BAD = [
    ("integer", {}, "12 apples", "type.integer"),
    ("integer", {}, "1.5", "type.integer"),
    ("integer", {}, "99999999999999999999", "type.integer_range"),
    ("number", {}, "1,5", "type.number"),
    ("number", {}, "NaN", "type.number"),
    ("number", {}, "-inf", "type.number"),
    ("number", {}, "1,234.5", "type.number"),
    ("number", {}, "%", "type.number"),
    ("number", {}, "5%%", "type.number"),
    ("number", {}, "1e5%", "type.number"),
    ("number", {"format": "1.234,5"}, "1.5", "type.number"),
    ("number", {"format": "1.234,5"}, "1,234.5", "type.number"),
    ("number", {"format": "1,234.5"}, "12,34", "type.number"),
    ("integer", {}, "15%", "type.integer"),
    ("integer", {"format": "1,234.5"}, "99,999,999,999,999,999,999", "type.integer_range"),
    ("decimal", {}, "0.00000000001%", "type.decimal"),
    ("duration", {}, "36 hours", "type.duration"),
    ("duration", {}, "1:60", "type.duration"),
    ("duration", {}, "1:00:00.1234567", "type.duration"),
    ("duration", {}, "P1M", "type.duration"),
    ("duration", {}, "PT", "type.duration"),
    ("duration", {}, "2024-02-29", "type.duration"),
    ("number", {}, "1e999", "type.number"),
    ("number", {}, "-1.5e-400", "type.number"),
    ("decimal", {}, "1.2.3", "type.decimal"),
    ("decimal", {}, "0.1234567890123", "type.decimal"),
    ("decimal", {}, "123456789012345678901234567", "type.decimal"),
    ("boolean", {}, "perhaps", "type.boolean"),
    ("date", {}, "2023-02-29", "type.date"),
    ("date", {"format": "%m/%d/%Y"}, "01/02/65", "type.date"),
    ("date", {"format": "%m/%d/%Y"}, "1975-02-23T02:58:41.000Z", "type.date"),
    ("date", {}, "2024-02-29 12:00:00", "type.date"),
    ("time", {}, "25:00", "type.time"),
    ("time", {}, "1975-02-23T02:58:41.000Z", "type.time"),
    ("time", {}, "13:44:18.123456789", "type.time"),
    ("time", {}, "13:44:18.0000000000001", "type.time"),
    ("time", {}, "23:59:60", "type.time"),
    ("time", {}, "13:44:60", "type.time"),
    ("time", {"format": "%I:%M:%S %p"}, "01:44:60 PM", "type.time"),
    ("time", {"format": "%H.%M.%S%.f"}, "13.44.60.5", "type.time"),
    ("time", {"format": "%H.%M.%S%.f"}, "13.44.18.1234567", "type.time"),
    ("datetime", {}, "2024-02-29T13:44:18.123456789Z", "type.datetime"),
    ("datetime", {}, "2024-02-29 23:59:60", "type.datetime"),
    ("datetime", {}, "2024-02-29T13:44:60.5Z", "type.datetime"),
    ("datetime", {}, "2024-02-29 13:44:18+99:99", "type.datetime"),
    ("datetime", {}, "2024-02-29 13:44:18+15:00", "type.datetime"),
    ("datetime", {}, "2024-02-29 13:44:18+01:60", "type.datetime"),
    ("datetime", {"format": "%d/%m/%Y %T"}, "29/02/2024 23:59:60", "type.datetime"),
    ("datetime", {"format": "%d/%m/%Y %T %z"}, "29/02/2024 23:59:60 +0100", "type.datetime"),
    ("datetime", {}, "yesterday", "type.datetime"),
    ("datetime", {"timezone": "Europe/Berlin"}, "2024-03-31 02:30:00", "type.datetime"),
    ("datetime", {"timezone": "Europe/Berlin"}, "2024-10-27 02:30:00", "type.datetime"),
    ("multichoice", {"choices": ["A"]}, "A;X", "type.multichoice"),
    ("multichoice", {"choices": ["A"]}, "[1]", "type.multichoice"),
    ("multichoice", {"choices": ["A"]}, ";", "type.multichoice"),
    ("multichoice", {"choices": ["A"]}, '[" "]', "type.multichoice"),
    ("json", {}, "{a: 1}", "type.json"),
    ("json", {}, "NaN", "type.json"),
    ("json", {}, "[" * 100_000, "type.json"),
    ("uuid", {}, "1234", "type.uuid"),
    ("email", {}, "jo at example.com", "type.email"),
    ("string", {}, "A\0B", "cell.nul"),
    ("json", {}, '"A\0"', "cell.nul"),
]


@pytest.mark.parametrize(("type_", "extra", "text", "code"), BAD)
def test_text_that_is_no_such_value_is_reported_and_never_lost(type_, extra, text, code):
    assert cast([text], type=type_, **extra) == ([None], {code: [0]})


@pytest.mark.parametrize(
    "type_", ["string", "integer", "decimal", "boolean", "date", "datetime", "json", "uuid"]
)
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_cell_is_null_and_no_error(type_, blank):
    values, failures = cast([blank], type=type_)
    assert failures == {}
    assert values == ([blank] if type_ == "string" and blank == "  " else [None])


@pytest.mark.parametrize(
    ("type_", "default", "value"),
    [
        ("integer", 7, 7),
        ("boolean", True, True),
        ("date", "2024-01-02", dt.date(2024, 1, 2)),
        ("string", "x", "x"),
    ],
)
def test_a_blank_cell_takes_the_default_and_a_bad_one_does_not(type_, default, value):
    values, failures = cast([None, "\0"], type=type_, default=default)
    assert values == [value, None]
    assert failures == {"cell.nul": [1]}


def test_a_real_date_cell_of_a_workbook_needs_no_format():
    field = {"type": "date", "format": "%m/%d/%Y"}
    assert cast(["2024-02-29"], Cells.CANONICAL, **field) == ([dt.date(2024, 2, 29)], {})
    assert cast(["2024-02-29"], **field) == ([None], {"type.date": [0]})


def test_a_decimal_from_a_workbook_is_what_the_sheet_shows():
    assert cast(["0.30000000000000004"], Cells.CANONICAL, type="decimal") == ([Decimal("0.3")], {})


@pytest.mark.parametrize(
    "text",
    ["0.300000000000000044", "12345678901234567890.1234567890123", "0.1234567890123", "1e-13", "1e27"],
)
def test_more_digits_than_a_float_or_a_decimal_has_are_no_noise(text):
    assert cast([text], Cells.CANONICAL, type="decimal") == ([None], {"type.decimal": [0]})


def test_a_real_date_cell_is_not_read_by_a_format_that_swaps_it():
    field = {"type": "date", "format": "%Y-%d-%m"}
    assert cast(["2024-03-05", "2024-31-05"], Cells.CANONICAL, **field) == (
        [dt.date(2024, 3, 5), dt.date(2024, 5, 31)],
        {},
    )


def test_cells_that_may_be_either_form_are_read_where_both_forms_agree():
    texts = ["2024-03-05", "2024-31-05", "2024-05-05"]
    assert cast(texts, Cells.EITHER, type="date", format="%Y-%d-%m") == (
        [None, dt.date(2024, 5, 31), dt.date(2024, 5, 5)],
        {"type.date": [0]},
    )
    assert cast(["2024-03-05"], Cells.EITHER, type="date", format="%d/%m/%Y") == ([dt.date(2024, 3, 5)], {})


def test_a_number_cell_of_a_workbook_is_not_read_by_the_form_of_texts():
    texts = ["1.234", "1.234,5", "2.5"]
    field = {"type": "number", "format": "1.234,5"}
    assert cast(texts, Cells.CANONICAL, **field) == ([1.234, 1234.5, 2.5], {})
    assert cast(texts, Cells.EITHER, **field) == ([None, 1234.5, 2.5], {"type.number": [0]})


def test_a_duration_of_a_workbook_is_told_from_the_date_that_its_reader_makes_of_it():
    texts = ["12:00:00", "1900-01-01", "1900-01-01 12:00:00", "1900-03-01 12:00:00", "1899-12-30 12:00:00"]
    hours = [dt.timedelta(hours=h) for h in (12, 24, 36, 61 * 24 + 12, -12)]
    assert cast(texts, Cells.CANONICAL, type="duration") == (hours, {})
    # The sixtieth day of 1900 is a day that never was, and later ones may be counted from 1904.
    doubtful = ["1900-02-28 12:00:00", "1904-01-02 12:00:00"]
    assert cast(doubtful, Cells.CANONICAL, type="duration") == ([None, None], {"type.duration": [0, 1]})
    assert cast(texts[1:2], type="duration") == ([None], {"type.duration": [0]})


def test_what_a_value_becomes_does_not_depend_on_its_neighbours():
    texts = ["2024-02-29 13:44:18", "2024-02-29T13:44:18Z", "2024-02-29", "2024-02-29 13:44:60"]
    alone = [cast([text], type="datetime")[0][0] for text in texts]
    assert cast(texts, type="datetime")[0] == alone
    numbers = ["1", "1.0", "+1", "x", "1e0005", "0"]
    for type_ in ("integer", "number"):
        assert cast(numbers, type=type_)[0] == [cast([text], type=type_)[0][0] for text in numbers]


def test_a_default_without_an_offset_is_read_in_the_zone_of_the_field():
    field = {"type": "datetime", "timezone": "Europe/Berlin", "default": "2024-07-01 12:00:00"}
    assert cast([None, "2024-07-01 12:00:00"], **field) == ([moment("2024-07-01 10:00:00")] * 2, {})


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_of_64_bits_round_trips(number):
    assert cast([str(number)], type="integer") == ([number], {})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**25), max_value=10**25))
def test_every_decimal_of_the_kept_digits_round_trips(number):
    assert cast([f"{number:f}"], type="decimal") == ([number], {})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**20), max_value=10**20))
def test_every_percentage_is_its_hundredth_to_the_last_digit(number):
    assert cast([f"{number:f}%"], type="decimal") == ([number.scaleb(-2)], {})
    assert cast([f"{number:f}%"], type="number") == ([float(number.scaleb(-2))], {})


@given(st.timedeltas(min_value=dt.timedelta(days=-9999), max_value=dt.timedelta(days=9999)))
def test_every_duration_round_trips(length):
    seconds, microseconds = divmod(abs(length) // dt.timedelta(microseconds=1), 1_000_000)
    sign = "-" if length < dt.timedelta() else ""
    clock = f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{microseconds:06}"
    assert cast([clock, f"{sign}PT{seconds}.{microseconds:06}S"], type="duration") == ([length, length], {})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_round_trips(number):
    assert cast([repr(number)], type="number") == ([number], {})


@given(
    st.dates(min_value=dt.date(1000, 1, 1)), st.sampled_from(["%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d %B %Y"])
)
def test_every_date_round_trips_in_every_form(day, form):
    assert cast([day.strftime(form)], type="date", format=form) == ([day], {})


@given(st.datetimes(min_value=dt.datetime(1000, 1, 1)))  # noqa: DTZ001 - naive on purpose: no zone is declared
def test_every_moment_round_trips(when):
    assert cast([when.isoformat()], type="datetime") == ([when], {})


@given(
    st.lists(st.none() | st.text(), max_size=20), st.sampled_from(["integer", "number", "date", "json", "uuid"])
)
def test_no_text_vanishes(texts, type_):
    values, failures = cast(texts, type=type_)
    reported = {index for indices in failures.values() for index in indices}
    for index, (text, value) in enumerate(zip(texts, values, strict=True)):
        blank = text is None or not text.strip(" \t\r\n\u00a0\ufeff\u200b")
        assert (value is None) == (blank or index in reported)


def test_a_default_of_a_decimal_may_be_written_with_an_exponent():
    field = Field(name="x", type="decimal", default="12E-3")
    assert cast_column(pl.Series([None, "1"], dtype=pl.String), field).values.to_list() == [Decimal("0.012"), 1]
