"""The blanks in the name of a file: which are known, and what they become."""

import pytest

from schemas.file_name import filled_in, refuse_unknown_blanks

FACTS = {
    "definition": "things",
    "job_id": "../17",
    "timestamp": "20240229T123456.789012Z",
    "date": "2024-02-29",
    "file_name": "...",
    "tenant": "acme",
    "mode": "insert",
}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{definition}-{timestamp}.csv", "things-20240229T123456.789012Z.csv"),
        ("{date}/{mode}", "2024-02-29/insert"),
        ("{timestamp:YYYYMMDD}", "20240229"),
        ("{date:DD.MM.YY}", "29.02.24"),
        ("{timestamp:YYYY-MM-DDTHH_mm_ss.SSS}", "2024-02-29T12_34_56.789"),
        ("{date:..YYYY}", "2024"),
        ("{job_id}{file_name}", "_17_"),
        ("plain.csv", "plain.csv"),
    ],
)
def test_blanks_are_filled_in(text, name):
    refuse_unknown_blanks(text)
    assert filled_in(text, FACTS) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "there is no blank {}"),
        ("{tabel}", "there is no blank {tabel}; known are {definition}, {job_id}, {timestamp}"),
        ("{tenant:YYYY}", "there is no blank {tenant:YYYY}"),
        ("{date:}", "{date:} has no format"),
        ("{date:..}", "has no format"),
        ("{date:YYYY/MM}", "has no format"),
        ("{date:dddd}", "has no format"),
    ],
)
def test_what_can_not_be_filled_in_is_refused(text, says):
    with pytest.raises(ValueError, match=r"blank|format") as refused:
        refuse_unknown_blanks(text)
    assert says in str(refused.value)
