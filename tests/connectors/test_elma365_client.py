"""What ELMA365 wants of its clients beside what every vendor does: pieces, directories, pauses, patience."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.elma365 import client as elma365_client, upload
from schemas.clock import utc_now
from schemas.errors import FatalError, ProcessEndsError, VendorBusyError, VendorRefusedError
from tests.connectors.driving import write_part
from tests.connectors.scripted.elma365 import ScriptedElma365
from tests.connectors.scripted.vendor import Fault, scripted
from tests.connectors.test_clients import HEADER, ROWS, driver_at

DIRECTORY = "6b1a7c1e-0d0c-4f0f-8f57-5c8ad13f2f35"


@contextmanager
def elma(script=None, faults=None, container=None, **options):
    """The vendor, and a driver of its client."""
    with scripted(script or ScriptedElma365(), faults) as vendor:
        driver = driver_at("elma365", vendor, options=options)
        driver.container = {**driver.container, **(container or {})}
        yield vendor, driver


@pytest.fixture
def part(tmp_path):
    return write_part(tmp_path, "csv", HEADER, ROWS)


@pytest.fixture
def large_part(tmp_path):
    """A file of two pieces and a bit."""
    rows = [(f"k{number}", "x" * 999, "1") for number in range(11_000)]
    return write_part(tmp_path, "csv", HEADER, rows)


def uploads(vendor):
    return [asked for asked in vendor.asked if asked.call == "upload"]


def begin_upload(driver, part):
    """Break the upload off when its first piece is known to be there."""

    def keep(handle):
        driver.keep(handle)
        raise ProcessEndsError

    with driver.client() as client, pytest.raises(ProcessEndsError):
        client.prepare(part, {}, keep)


def test_an_app_that_is_blocked_is_asked_again_and_its_file_not_uploaded_again(part):
    with elma(ScriptedElma365(blocked=3)) as (vendor, driver):
        end = driver.deliver(part)
    assert (end.how, end.look.counts) == ("done", {"total": len(ROWS)})
    assert [(type(busy), busy.wait_seconds) for busy in driver.busy] == [(VendorBusyError, 1.0)] * 3
    assert (vendor.count("upload"), vendor.count("submit")) == (1, 4)
    assert vendor.script.taken == [ROWS]


def test_a_large_file_goes_in_pieces_with_ranges_whose_end_is_exclusive(large_part):
    with elma(faults={"upload": [Fault.BROKEN, Fault.CUT]}) as (vendor, driver):
        end = driver.deliver(large_part)
    size = large_part.path.stat().st_size
    first, second = 5_242_880, 10_485_760
    ranges = [f"bytes 0-{first}/{size}"] * 3 + [
        f"bytes {first}-{second}/{size}",
        f"bytes {second}-{size}/{size}",
    ]
    assert [asked.headers["content-range"] for asked in uploads(vendor)] == ranges
    assert {asked.query["hash"] for asked in uploads(vendor)} == {driver.handle["hash"]}
    assert (end.how, len(vendor.script.taken[0])) == ("done", 11_000)


def test_an_upload_that_was_broken_off_goes_on_where_it_ended(large_part):
    with elma() as (vendor, driver):
        begin_upload(driver, large_part)
        assert driver.deliver(large_part).how == "done"
    assert len(uploads(vendor)) == 3
    assert len(vendor.script.files) == 1


def test_an_upload_whose_pieces_the_vendor_forgot_begins_anew(large_part):
    with elma() as (vendor, driver):
        begin_upload(driver, large_part)
        vendor.script.files.clear()
        assert driver.deliver(large_part).how == "done"
    assert len({asked.query["hash"] for asked in uploads(vendor)}) == 2


@pytest.mark.parametrize("where", ["options", "container"])
@pytest.mark.parametrize(("rows", "path"), [(50_000, upload.TEMPORARY_PATH), (50_001, None)])
def test_a_file_of_more_than_50_000_records_goes_to_the_directory(part, where, rows, path):
    said = {where: {"directory": DIRECTORY}}
    with elma(container=said.get("container"), **said.get("options", {})) as (vendor, driver):
        assert driver.deliver(replace(part, rows=rows)).how == "done"
        with driver.client() as client:
            assert client.part_rows is None
    directory = f"/pub/v1/disk/directory/{DIRECTORY}/upload"
    assert [asked.path for asked in uploads(vendor)] == [path or directory]
    assert vendor.script.taken == [ROWS]


def test_without_a_directory_a_part_has_at_most_50_000_records():
    with elma() as (_, driver), driver.client() as client:
        assert (client.part_rows, client.pause_seconds, client.one_at_a_time) == (50_000, 0.0, True)


def test_with_event_handlers_parts_have_at_most_1_000_records_and_pauses_between_them(part):
    with elma(container={"with_event_handlers": True}, pause_seconds="2.5") as (vendor, driver):
        with driver.client() as client:
            assert (client.part_rows, client.pause_seconds, client.one_at_a_time) == (1_000, 2.5, True)
        driver.deliver(part)
    (begun,) = [asked.json for asked in vendor.asked if asked.call == "submit"]
    assert begun == {"fileHash": driver.handle["hash"], "withEventHandlers": True, "format": ".csv"}


def test_a_workbook_is_imported_as_one_where_the_connection_says_so(tmp_path):
    with elma(format="xlsx", directory=DIRECTORY) as (vendor, driver):
        with driver.client() as client:
            assert (client.file_kind, client.part_rows) == ("xlsx", 1_048_575)
        driver.deliver(write_part(tmp_path, "xlsx", HEADER, ROWS))
    assert vendor.script.taken == [ROWS]


@pytest.mark.parametrize(("x_token", "sent"), [("true", "x-token"), ("false", "authorization")])
def test_the_token_goes_in_the_header_that_the_connection_names(part, x_token, sent):
    with elma(x_token=x_token) as (vendor, driver):
        assert driver.deliver(part).how == "done"
    assert {name for asked in vendor.asked for name in asked.headers} & {"x-token", "authorization"} == {sent}


def test_an_import_is_looked_at_no_more_than_once_a_second(part):
    with elma(ScriptedElma365(looks=3)) as (vendor, driver):
        handle = driver.step(lambda c: c.submit(part, c.prepare(part, {}, driver.keep)))
        with driver.client() as client:
            looks = [client.look(handle) for _ in range(3)]
    first, second, third = vendor.times("look")
    assert min(second - first, third - second) >= 0.99
    assert [(look.done, look.counts) for look in looks] == [
        (False, {"total": 3}),
        (False, {"total": 3}),
        (True, {"total": 7}),
    ]
    assert {look.link for look in looks} == {f"{vendor.url}{vendor.asked[-1].path}"}


def test_a_status_is_asked_for_where_the_connection_says(part):
    with elma(status_path="/pub/v2/{namespace}.{code}/{import_id}") as (vendor, driver):
        end = driver.deliver(part)
    assert vendor.asked[-1].path == f"/pub/v2/goods.things/{driver.handle['import_id']}"
    assert (end.how, type(end.error)) == ("failed", VendorRefusedError)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("poll_seconds", "0.5"),
        ("status_path", "/{namespace}/{secret}"),
        ("status_path", "pub"),
        ("x_token", "Cookie"),
        ("directory", "inbox"),
        ("unknown", "1"),
    ],
)
def test_a_wrong_option_is_an_error(option, value):
    with elma(**{option: value}) as (_, driver), pytest.raises(FatalError, match=option), driver.client():
        pass


def test_an_import_that_ends_in_error_failed_with_the_vendors_words(part):
    with elma(ScriptedElma365(ends_badly="the file has expired")) as (vendor, driver):
        end = driver.deliver(part)
    assert (end.how, end.look.failed, end.look.counts) == ("failed", "the file has expired", {"total": 0})
    assert vendor.count("submit") == 1


def test_a_token_that_is_withdrawn_mid_poll_ends_the_looks_and_begins_nothing(part):
    with elma(ScriptedElma365(looks=5, token_looks=1)) as (vendor, driver):
        end = driver.deliver(part)
    assert (end.how, end.error.status) == ("failed", 403)
    assert vendor.calls == ["upload", "submit", "look", "look"]


def test_a_status_that_nobody_knows_is_no_end(part, monkeypatch):
    monkeypatch.setenv("LADING_ELMA365_STATE_PROCESSING", "underway")
    with elma() as (_, driver):
        end = driver.deliver(part)
    assert (end.how, type(end.error)) == ("failed", FatalError)
    assert "'processing'" in str(end.error)


def test_a_temporary_file_that_grew_old_is_uploaded_anew_once(part, monkeypatch):
    with elma(ScriptedElma365(blocked=2)) as (vendor, driver):
        driver.keep(driver.step(lambda c: c.prepare(part, {}, driver.keep)))
        monkeypatch.setattr(upload, "utc_now", lambda: utc_now() + timedelta(minutes=11))
        with driver.client() as client:
            for _ in range(2):
                with pytest.raises(VendorBusyError):
                    client.submit(part, driver.handle)
            handle = client.submit(part, driver.handle)
    assert handle["hash"] != driver.handle["hash"]
    assert vendor.count("upload") == 2
    assert vendor.script.taken == [ROWS]


def test_what_the_vendor_does_not_begin_is_refused_in_its_own_words(part):
    with elma() as (vendor, driver):
        driver.keep(driver.step(lambda c: c.prepare(part, {}, driver.keep)))
        vendor.script.files.clear()
        with driver.client() as client, pytest.raises(VendorRefusedError, match="there is no such file"):
            client.submit(part, driver.handle)
    assert vendor.script.taken == []


def test_the_limits_are_the_documents():
    assert (upload.PIECE_BYTES, upload.TEMPORARY_ROWS, elma365_client.EVENT_ROWS) == (5_242_880, 50_000, 1_000)
