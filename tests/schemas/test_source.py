import pytest
from pydantic import ValidationError

from schemas.authority import refuse_source_beyond
from schemas.errors import NotAllowedError
from schemas.source import Source


@pytest.mark.parametrize(
    "cron", ["0 6 * * *", "*/5 8-18/2 1,15 jan-MAR mon-fri", "0 0 29 2 *", "0 0 31 2 mon", "59 23 31 12 7"]
)
def test_five_fields_of_cron_are_a_schedule(cron):
    assert Source(url="a.csv", cron=cron).cron == cron


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("@daily", "1 fields, not five"),
        ("0 6 * * * *", "6 fields, not five"),
        ("60 * * * *", "'60' is no minute of cron: 0 to 59"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * foo *", "'foo' is no month"),
        ("* * * * 8", "'8' is no day of the week"),
        ("*/0 * * * *", r"'\*/0' is no minute of cron"),
        ("5/10 * * * *", "'5/10' is no minute of cron"),
        ("30-10 * * * *", "the last comes before the first"),
        ("0 0 31 2,4 *", "means a day that no month has"),
        ("٣ * * * *", "is no minute"),
    ],
)
def test_what_no_clock_can_follow_is_refused(cron, said):
    with pytest.raises(ValidationError, match=said):
        Source(url="a.csv", cron=cron)


def test_a_time_zone_is_one_that_there_is():
    assert Source(url="a.csv", cron="0 6 * * *", timezone="Europe/Berlin").timezone == "Europe/Berlin"
    with pytest.raises(ValidationError, match="no time zone 'Berlin'"):
        Source(url="a.csv", timezone="Berlin")


@pytest.mark.parametrize(
    ("url", "is_pattern"),
    [
        ("in/*.csv", True),
        ("/in/orders-[0-9].csv", True),
        ("sftp://host/in/**/a.csv", True),
        ("s3://bucket/in/a.csv", False),
        ("https://host/a?b=*", False),
        ("https://host/[a]*.csv", False),
    ],
)
def test_a_path_may_be_a_pattern_and_an_address_of_the_web_never_is(url, is_pattern):
    assert Source(url=url).is_pattern is is_pattern


@pytest.mark.parametrize(
    "url", ["https://me:secret@host/a.csv", "gopher://host/a", "sftp://h*/a.csv", "https://host"]
)
def test_a_url_that_can_not_be_fetched_is_refused(url):
    with pytest.raises(ValidationError):
        Source(url=url)


def test_a_source_covers_its_own_files_and_no_others():
    source = Source(url="sftp://me@host/in/orders-*.csv", secrets={"password": "env:P"})
    assert source.covers("sftp://me@host/in/orders-*.csv")
    assert source.covers("sftp://me@host/in/orders-1.csv")
    for other in ("sftp://me@other/in/orders-1.csv", "sftp://me@host/out/a.csv", "sftp://me@host/in/../b.csv"):
        assert not source.covers(other)
    assert not Source(url="sftp://host/a.csv").covers("sftp://host/a.csv2")


def test_one_file_of_a_pattern_keeps_what_the_place_needs_to_know():
    source = Source(url="s3://bucket/in/*.csv", options={"region": "eu"}, secrets={"secret": "env:S"})
    one = source.at("/in/a.csv")
    assert (one.url, one.options, one.secrets) == (
        "s3://bucket/in/a.csv",
        {"region": "eu"},
        {"secret": "env:S"},
    )
    assert Source(url="in/*.csv").at("/data/in/a.csv").url == "/data/in/a.csv"


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        (Source(url="http://host/a.csv"), "source.url"),
        (Source(url="/etc/passwd"), "source.url"),
        ("/etc/passwd", "source.url"),
        (Source(url="sftp://host/a.csv", secrets={"password": "env:P"}), "secret.reference"),
    ],
)
def test_a_tenant_fetches_from_https_addresses_only(source, rule):
    with pytest.raises(NotAllowedError) as refused:
        refuse_source_beyond(False, "things", source)
    assert refused.value.rule == rule
    refuse_source_beyond(True, "things", source)
    refuse_source_beyond(False, "things", Source(url="https://host/a.csv"))


def test_a_definition_carries_its_source(make_definition):
    source = {"url": "s3://bucket/in/*.csv", "cron": "17 3 * * *", "secrets": {"secret": "env:S"}}
    definition = make_definition(source=source)
    assert definition.source == Source(**source)
    assert type(definition).model_validate(definition.model_dump(mode="json")) == definition
