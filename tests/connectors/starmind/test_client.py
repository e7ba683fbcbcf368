"""The client of Starmind: against our own face, and where the vendor goes wrong in its own way."""

import pytest

from connectors import known_connectors
from connectors.client import RecordsRefusedError, Refused
from connectors.starmind.client import look_of
from connectors.starmind.wire import Process
from schemas.document import parse_definition
from schemas.errors import FatalError, VendorBusyError
from store.database import Store
from store.definitions import put_definition
from tests.connectors.driving import Driver, write_part
from tests.connectors.scripted.vendor import scripted
from tests.connectors.scripted.ways import WAYS
from tests.connectors.starmind.test_wire import IMPORTED, NOT_VALID

WAY = WAYS["starmind"]
CONNECTOR = known_connectors()["starmind"]
HEADER = ["Id", "Language", "Tags", "Description"]
ROWS = [("1", "en", "learning", "From data"), ("2", "de", "Straße", ""), ("3", "", "ÄÖ", "")]


def driver_at(url, **changes):
    return Driver(CONNECTOR, url, WAY.container, **({"secrets": WAY.secrets, "options": WAY.options} | changes))


@pytest.fixture
def ours(service):
    """What drives our own face, where tags are imported by the definition that comes with the product."""
    definition = parse_definition(CONNECTOR.definitions["starmind-tags"])
    with Store.opened(service.settings) as store, store.write() as session:
        put_definition(session, "acme", definition)
    key = service.key("acme")
    secrets = {"api_key": key.subscription_key, "password": key.token}
    return driver_at(f"{service.url}/starmind", secrets=secrets, options={"email": "api@acme.example"})


def test_our_own_face_validates_the_workbook_and_imports_it(ours, finish, tmp_path):
    part = write_part(tmp_path, "xlsx", HEADER, ROWS)
    with ours.client() as client:
        with pytest.raises(VendorBusyError, match="validates the file"):
            client.prepare(part, {}, ours.keep)
        uploaded = ours.handle
        finish()
        ours.keep(client.prepare(part, uploaded, ours.keep))
        assert ours.handle == {**uploaded, "is_validated": 1}
        handles = [client.submit(part, ours.handle) for _ in range(2)]
        assert not client.look(handles[0]).done
        finish()
        first, second = map(client.look, handles)
    assert (first.done, first.failed, first.refused) == (True, None, ())
    assert first.counts == {"created": 3, "updated": 0, "total": 3}
    assert second.counts == {"created": 0, "updated": 3, "total": 3}
    assert list(ours.kept) == ["token"]


def test_rows_that_are_not_valid_end_it_with_the_vendors_words_and_nothing_is_imported(ours, finish, tmp_path):
    part = write_part(tmp_path, "xlsx", HEADER, [*ROWS, ("4", "en", "x", "")])
    with ours.client() as client:
        with pytest.raises(VendorBusyError):
            client.prepare(part, {}, ours.keep)
        finish()
        with pytest.raises(RecordsRefusedError) as refused:
            client.prepare(part, ours.handle, ours.keep)
    (only,) = refused.value.refused
    assert (only.row, only.field) == (5, "Tags")
    assert "Tag length must be between 2 and 255 characters." in only.message


def test_the_vendors_errors_keep_their_rows(tmp_path):
    with scripted(WAY.script(refused={3: "too short"})) as vendor:
        driver = driver_at(vendor.url)
        end = driver.deliver(write_part(tmp_path, "xlsx", HEADER, ROWS))
    assert (end.how, vendor.count("submit"), vendor.script.taken) == ("refused", 0, [])
    assert end.error.refused == (Refused(3, "Tags", "too short"),)


def test_a_token_that_runs_out_in_the_middle_is_fetched_anew_and_kept(tmp_path):
    options, secrets = WAY.renewing
    with scripted(WAY.script(looks=2, token_looks=3)) as vendor:
        driver = driver_at(vendor.url, options=options, secrets=secrets)
        end = driver.deliver(write_part(tmp_path, "xlsx", HEADER, ROWS))
    assert (end.how, end.look.counts["total"]) == ("done", 3)
    assert (vendor.count("token"), vendor.count("upload"), vendor.count("submit")) == (2, 1, 1)
    assert driver.kept == {"token": vendor.script.token}


def test_the_state_of_a_validation_is_not_taken_for_that_of_an_import(tmp_path):
    with scripted(WAY.script(looks=1)) as vendor, driver_at(vendor.url).client() as client:
        handle = client.prepare(write_part(tmp_path, "xlsx", HEADER, ROWS), {}, lambda _: None)
        with pytest.raises(FatalError, match="the import 73 with the state of a process of type validation"):
            client.look({**handle, "import_id": handle["upload_id"]})


def test_the_documents_samples_are_told_in_our_words():
    imported = Process.decode(IMPORTED.encode())
    look = look_of(imported)
    assert (look.done, look.failed) == (True, None)
    result = imported.result
    assert look.counts == {
        "created": result.created_records,
        "updated": result.updated_records,
        "total": result.created_records + result.updated_records,
    }
    wrong = look_of(Process.decode(NOT_VALID.encode()))
    assert wrong.done
    assert wrong.failed == wrong.refused[0].message
    assert (wrong.refused[0].row, wrong.refused[0].field) == (
        Process.decode(NOT_VALID.encode()).result.errors[0].row,
        "Tags",
    )
