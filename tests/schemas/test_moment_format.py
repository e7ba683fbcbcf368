import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from time import perf_counter

import pytest
from hypothesis import given, strategies as st

from schemas.moment_format import writer
from schemas.moment_reading import reader

MOMENT = datetime(2020, 7, 9, 19, 59, 39, 156_000, UTC)
"""The moment of the vendor's own table of tokens."""

WRITTEN = """M 7|Mo 7th|MM 07|MMM Jul|MMMM July|Q 3|Qo 3rd|D 9|Do 9th|DD 09|DDD 191|DDDD 191|d 4|do 4th
dd Th|ddd Thu|dddd Thursday|E 4|W 28|WW 28|YY 20|YYYY 2020|GG 20|GGGG 2020|A PM|a pm|H 19|HH 19|h 7|hh 07
m 59|mm 59|s 39|ss 39|S 1|SS 15|SSS 156|SSSSSS 156000|Z +00:00|ZZ +0000|X 1594324779|x 1594324779156
LT 7:59 PM|LTS 7:59:39 PM|L 07/09/2020|l 7/9/2020|LL July 9, 2020|ll Jul 9, 2020|LLL July 9, 2020 7:59 PM
lll Jul 9, 2020 7:59 PM|LLLL Thursday, July 9, 2020 7:59 PM|llll Thu, Jul 9, 2020 7:59 PM"""


@pytest.mark.parametrize("case", WRITTEN.replace("\n", "|").split("|"))
def test_each_token_is_written_as_moment_writes_it(case):
    token, _, text = case.partition(" ")
    assert writer(token)(MOMENT) == text


def test_what_is_in_brackets_and_what_is_no_token_stays():
    assert writer("YYYY-MM-DD [at] HH:mm, [Do]T-")(MOMENT) == "2020-07-09 at 19:59, DoT-"


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        ("MM/DD/YYYY", "2/9/2024", "2024-02-09T00:00:00"),
        ("YYYYMMDD", "20240229", "2024-02-29T00:00:00"),
        ("DD-MMM-YYYY HH:mm:ss", " 29-feb-2024 01:02:03 ", "2024-02-29T01:02:03"),
        ("D MMMM YYYY", "1 August 2024", "2024-08-01T00:00:00"),
        ("h:mm A, MMM Do YY", "3:05 pm, Jul 4th 68", "2068-07-04T15:05:00"),
        ("hh a D.M.YY", "12 a.m. 1.2.69", "1969-02-01T00:00:00"),
        ("MM/YYYY", "02/2024", "2024-02-01T00:00:00"),
        ("YYYY-MM-DDTHH:mm:ss.SSS", "2024-02-29T01:02:03.5", "2024-02-29T01:02:03.500000"),
        ("X", "1594324779.5", "2020-07-09T19:59:39.500000+00:00"),
        ("x", "1594324779156", "2020-07-09T19:59:39.156000+00:00"),
        ("YYYY-MM-DD HH:mm Z", "2024-01-01 00:00 +02:30", "2024-01-01T00:00:00+02:30"),
        ("YYYY-MM-DD HH:mmZZ", "2024-01-01 00:00Z", "2024-01-01T00:00:00+00:00"),
        ("LLLL", "Thursday, July 9, 2020 7:59 PM", "2020-07-09T19:59:00"),
    ],
)
def test_a_text_of_the_form_is_read(form, text, moment):
    assert reader(form)(text).moment.isoformat() == moment


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("YYYY-MM-DD", "2024-02-30"),
        ("YYYY-MM-DD", "2024-02-29 12:00"),
        ("YYYY-MM-DD", "24-02-29"),
        ("MMM YYYY", "Foo 2024"),
        ("h A YYYY", "13 PM 2024"),
        ("X", "999999999999"),
        ("YYYY-MM-DD HH:mm Z", "2024-01-01 00:00 +99:99"),
        ("YYYY   MM", "2024" + " " * 10_000 + "x"),
    ],
)
def test_a_text_that_is_not_of_the_form_is_no_date(form, text):
    began = perf_counter()
    with pytest.raises(ValueError, match=re.escape(f"not a date of the form {form}")):
        reader(form)(text)
    assert perf_counter() - began < 1


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("HH:mm", "names no year"),
        ("MM MM YYYY", "names the same part twice"),
        ("dddd dddd YYYY", "names the day of the week twice"),
        ("Q YYYY", "the token 'Q' of moment.js is for writing dates"),
        ("w YYYY", "the token 'w' of moment.js is not served"),
    ],
)
def test_a_form_that_can_not_be_read_by_is_refused(form, says):
    with pytest.raises(ValueError, match=says):
        reader(form)


FORMS = st.sampled_from(
    ["YYYY-MM-DDTHH:mm:ss.SSSSSSZ", "D/M/YYYY h:m:s.SSSSSS A ZZ", "dddd, MMMM Do YYYY, HH:mm:ss.SSSSSS Z"]
)
MOMENTS = st.datetimes(
    datetime(1000, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(minutes=-150))]),
)


@given(FORMS, MOMENTS)
def test_what_is_written_is_read_back(form, moment):
    assert reader(form)(writer(form)(moment)).moment == moment


@given(st.text(), st.text())
def test_any_form_reads_or_is_refused(form, text):
    with suppress(ValueError):
        assert reader(form)(text).moment.year
