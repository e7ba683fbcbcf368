"""Every client of a vendor, against the vendor scripted: whatever goes wrong, the end is the right one."""

import logging

import pytest

from connectors import known_connectors
from connectors.client import RecordsRefusedError
from schemas.errors import OutcomeUnknownError, VendorBusyError, VendorRefusedError
from tests.connectors.driving import Driver, write_part
from tests.connectors.scripted.vendor import RETRY_AFTER_SECONDS, Fault, scripted
from tests.connectors.scripted.ways import WAYS

CLIENTS = {name: known for name, known in known_connectors().items() if known.client is not None}
HEADER = ["Id", "Name", "Amount"]
ROWS = [(f"k{number}", f"name {number}, \"quoted\" and 'so'", str(number)) for number in range(7)]
ASKED = [(name, call) for name in CLIENTS for call in WAYS[name].calls]
"""Each call of each vendor in the course of an import."""
TELLING = [name for name in CLIENTS if WAYS[name].tells]
UNHEARD = [Fault.CUT, Fault.DROPPED, Fault.GARBAGE]
"""The vendor did what it was asked, and its answer did not arrive."""
NOT_NOW = [Fault.TOO_MANY, Fault.UNAVAILABLE]


def driver_at(name, vendor, **changes):
    """What drives the connector's client at this vendor."""
    way = WAYS[name]
    known = {"secrets": way.secrets, "options": way.options} | changes
    return Driver(CLIENTS[name], vendor.url, way.container, **known)


@pytest.fixture
def drive(tmp_path):
    """Makes what drives the connector's client at this vendor, and a part for it of `ROWS`."""

    def at(name, vendor, **changes):
        driver = driver_at(name, vendor, **changes)
        with driver.client() as client:
            return driver, write_part(tmp_path, client.file_kind, HEADER, ROWS)

    return at


def assert_taken_once(vendor):
    assert vendor.script.taken == [ROWS]
    assert vendor.count("submit") == 1


def told(look):
    """How many rows the vendor's counts tell of; None where it tells of none."""
    return None if look.counts is None else look.counts.get("total", sum(look.counts.values()))


def assert_done(end, name):
    """It ended well, and the vendor's counts are those of the rows, as far as it has any."""
    assert (end.how, end.error) == ("done", None)
    assert (told(end.look), end.look.refused) == (len(ROWS) if WAYS[name].tells else None, ())


@pytest.mark.parametrize("name", CLIENTS)
def test_every_row_is_taken_once_and_the_vendor_is_asked_until_it_is_done(drive, name):
    with scripted(WAYS[name].script(looks=3)) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
    assert_taken_once(vendor)
    assert_done(end, name)


@pytest.mark.parametrize("fault", NOT_NOW)
@pytest.mark.parametrize(("name", "call"), ASKED)
def test_a_vendor_that_takes_nothing_now_is_asked_again_when_it_said(drive, name, call, fault):
    with scripted(WAYS[name].script(), {call: [fault, fault]}) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
    assert_done(end, name)
    assert vendor.script.taken == [ROWS]
    waits = [busy.wait_seconds for busy in driver.busy if isinstance(busy, VendorBusyError)] + driver.slept
    assert len([wait for wait in waits if wait >= RETRY_AFTER_SECONDS]) >= 2


@pytest.mark.parametrize("fault", [*UNHEARD, Fault.BROKEN])
@pytest.mark.parametrize(("name", "call"), [(name, call) for name, call in ASKED if call != "submit"])
def test_what_may_be_repeated_is_after_any_fault(drive, name, call, fault):
    with scripted(WAYS[name].script(), {call: [fault]}) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
    assert_done(end, name)
    assert_taken_once(vendor)


@pytest.mark.parametrize("fault", [*UNHEARD, Fault.BROKEN])
@pytest.mark.parametrize("name", CLIENTS)
def test_a_part_whose_answer_was_lost_is_not_handed_over_again_unless_that_does_no_harm(drive, name, fault):
    with scripted(WAYS[name].script(), {"submit": [fault]}) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
        with driver.client() as client:
            is_repeatable = client.submit_is_repeatable
    if is_repeatable:
        assert_done(end, name)
        assert set(map(tuple, vendor.script.taken)) == {tuple(ROWS)}
    else:
        assert (end.how, vendor.count("submit")) == ("lost", 1)
        assert isinstance(end.error, OutcomeUnknownError)


@pytest.mark.parametrize(("name", "call"), ASKED)
def test_a_slow_vendor_is_waited_for(drive, name, call):
    with scripted(WAYS[name].script(), {call: [Fault.SLOW]}) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
    assert_done(end, name)
    assert_taken_once(vendor)
    # One that validates first says that it does.
    assert [error for error in driver.busy if not isinstance(error, VendorBusyError)] == []


@pytest.mark.parametrize("name", TELLING)
def test_a_job_that_never_ends_is_never_called_done(drive, name):
    with scripted(WAYS[name].script(looks=None)) as vendor:
        driver, part = drive(name, vendor)
        driver.most_tries = 4
        end = driver.deliver(part)
    assert end.how == "late"
    assert vendor.count("submit") <= 1


@pytest.mark.parametrize("name", CLIENTS)
def test_wrong_secrets_are_refused_and_right_ones_known_without_a_trace(drive, name):
    with scripted(WAYS[name].script()) as vendor:
        driver, part = drive(name, vendor)
        driver.container = {}
        with driver.client() as client:
            assert "knows the" in client.test()
        driver.secrets = dict.fromkeys(WAYS[name].secrets, "wrong-one")
        with driver.client() as client, pytest.raises(VendorRefusedError) as caught:
            client.test()
        driver.container = WAYS[name].container
        end = driver.deliver(part)
    assert end.how == "refused"
    assert "wrong-one" not in str(caught.value)
    assert vendor.script.taken == []


@pytest.mark.parametrize("name", CLIENTS)
def test_no_secret_and_no_value_is_read_in_a_log(drive, name, caplog):
    caplog.set_level(logging.DEBUG)
    faults = {call: [Fault.BROKEN, Fault.TOO_MANY] for call in WAYS[name].calls}
    with scripted(WAYS[name].script(), faults) as vendor:
        driver, part = drive(name, vendor)
        driver.deliver(part)
    said = caplog.text + "".join(map(str, driver.busy))
    assert said
    assert [secret for secret in (*WAYS[name].secrets.values(), "quoted") if secret in said] == []


@pytest.mark.parametrize("name", [name for name in CLIENTS if WAYS[name].tells_rows])
def test_a_row_that_the_vendor_does_not_take_is_told_with_its_place_and_the_vendors_words(drive, name):
    with scripted(WAYS[name].script(refused={4: "requirement failed: too short"})) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
    told_of = end.error.refused if isinstance(end.error, RecordsRefusedError) else end.look.refused
    assert [(one.row, one.message) for one in told_of] == [(4, "requirement failed: too short")]
    assert end.how == ("done" if end.error is None else "refused")
    assert len(vendor.script.taken) == (1 if end.error is None else 0)


@pytest.mark.parametrize("name", [name for name in CLIENTS if WAYS[name].renewing])
def test_a_token_that_expires_mid_poll_is_renewed_kept_and_nothing_handed_over_again(drive, name):
    options, secrets = WAYS[name].renewing
    with scripted(WAYS[name].script(looks=4, token_looks=2)) as vendor:
        driver, part = drive(name, vendor, options=options, secrets=secrets)
        end = driver.deliver(part)
        assert driver.kept == {"token": vendor.script.token}
    assert_done(end, name)
    assert_taken_once(vendor)
    assert vendor.count("token") == 2


@pytest.mark.parametrize("fault", [*UNHEARD, Fault.BROKEN, *NOT_NOW])
@pytest.mark.parametrize("name", [name for name in CLIENTS if WAYS[name].renewing])
def test_a_token_is_asked_for_until_it_comes(drive, name, fault):
    options, secrets = WAYS[name].renewing
    with scripted(WAYS[name].script(), {"token": [fault]}) as vendor:
        driver, part = drive(name, vendor, options=options, secrets=secrets)
        end = driver.deliver(part)
    assert_done(end, name)
    assert_taken_once(vendor)


@pytest.mark.parametrize("name", [name for name in CLIENTS if WAYS[name].renewing])
def test_an_expired_token_that_can_not_be_renewed_ends_the_looks(drive, name):
    with scripted(WAYS[name].script(looks=3)) as vendor:
        driver, part = drive(name, vendor)
        end = driver.deliver(part)
        vendor.script.token = "expired"
        looked = vendor.count("look")
        with driver.client() as client, pytest.raises(VendorRefusedError, match="401"):
            client.look(driver.handle)
    assert (end.how, vendor.count("look"), vendor.count("token")) == ("done", looked + 1, 0)
