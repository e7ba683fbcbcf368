"""What LearningBuilder wants of its clients beside what every vendor does."""

import pytest

from schemas.errors import FatalError
from tests.connectors.driving import write_part
from tests.connectors.scripted.learningbuilder import DETAILS, ScriptedLearningBuilder
from tests.connectors.scripted.vendor import scripted
from tests.connectors.test_clients import HEADER, ROWS, driver_at


@pytest.fixture
def part(tmp_path):
    return write_part(tmp_path, "jsonl", HEADER, ROWS)


def test_a_batch_has_a_name_a_process_and_a_path_and_its_page_is_linked(part):
    with scripted(ScriptedLearningBuilder()) as vendor:
        driver = driver_at("learningbuilder", vendor)
        driver.deliver(part)
        with driver.client() as client:
            assert client.link({}) is None
            assert client.link(driver.handle) == DETAILS.format("abc-def-123")
            assert not client.tells
    (asked,) = vendor.asked
    assert asked.query == {"fileName": "part.jsonl", "importProcessId": "7", "creationPath": "LADING"}
    assert asked.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    assert asked.body == part.path.read_bytes()


def test_whom_the_vendor_is_to_tell_is_an_option(part):
    options = {
        "creation_path": "ACME_1",
        "send_success_email_to": "well@example.com",
        "send_failure_email_to": "bad@example.com",
    }
    with scripted(ScriptedLearningBuilder()) as vendor:
        driver_at("learningbuilder", vendor, options=options).deliver(part)
    (asked,) = vendor.asked
    assert asked.query == {
        "fileName": "part.jsonl",
        "importProcessId": "7",
        "creationPath": "ACME_1",
        "sendSuccessEmailTo": "well@example.com",
        "sendFailureEmailTo": "bad@example.com",
    }


@pytest.mark.parametrize(
    ("option", "value"), [("creation_path", "acme"), ("send_success_email_to", "nobody"), ("unknown", "1")]
)
def test_a_wrong_option_is_an_error(option, value):
    with scripted(ScriptedLearningBuilder()) as vendor:
        driver = driver_at("learningbuilder", vendor, options={option: value})
        with pytest.raises(FatalError, match=option), driver.client():
            pass
