from functools import partial

import pytest
from hypothesis import given, strategies as st

from connectors.client import Refused
from connectors.integrator.wire import RecordError, RecordResult, decode_results, encode_results
from schemas.errors import OutcomeUnknownError
from tests.connectors.driving import Driver, write_part
from tests.connectors.scripted import integrator
from tests.connectors.scripted.vendor import scripted
from tests.connectors.scripted.ways import WAYS
from tests.connectors.test_clients import CLIENTS

HEADER = ["Id", "Name"]
ROWS = [(f"k{number}", f"Grüße {number}") for number in range(4)]
WRONG = {"code": "duplicate", "message": "is there already", "source": "application", "field": "Name"}

deliver_to = partial(Driver, CLIENTS["integrator"], container=WAYS["integrator"].container)


def delivered(tmp_path, rows=ROWS, faults=None, **script):
    with scripted(integrator.ScriptedIntegrator(**script), faults) as vendor:
        driver = deliver_to(vendor.url, secrets=WAYS["integrator"].secrets)
        return driver.deliver(write_part(tmp_path, "jsonl", HEADER, rows)), vendor


def test_what_is_told_of_each_record_is_its_outcome_and_no_more(tmp_path):
    answers = {
        3: {"statusCode": 422, "errors": [WRONG, {"code": "second"}]},
        4: {"statusCode": 401, "errors": [{"message": "the connection is offline", "source": "connection"}]},
        5: {"statusCode": 200, "_json": {"created": True}, "id": 17},
    }
    end, _ = delivered(tmp_path, [*ROWS, ("k4", "four")], answers=answers, ignored=frozenset({2}))
    assert end.look.outcomes == ["ignored", "failed", "failed", "unconfirmed", "unconfirmed"]
    assert end.look.refused == (
        Refused(3, "Name", "is there already"),
        Refused(3, None, "second"),
        Refused(4, None, "the connection is offline"),
    )


@pytest.mark.parametrize(("status", "code"), [(200, "duplicate"), (500, "duplicate"), (422, "outcome_unknown")])
def test_an_error_of_a_record_that_may_have_been_taken_is_told_and_counts_for_none(tmp_path, status, code):
    end, _ = delivered(tmp_path, answers={3: {"statusCode": status, "errors": [WRONG | {"code": code}]}})
    assert end.look.outcomes == ["unconfirmed"] * 4
    assert end.look.refused == (Refused(None, "Name", "is there already"),)


def test_what_was_told_is_kept_and_the_vendor_is_not_asked_again(tmp_path):
    with scripted(integrator.ScriptedIntegrator(refused={3: "too short"})) as vendor:
        driver = deliver_to(vendor.url, secrets=WAYS["integrator"].secrets)
        end = driver.deliver(write_part(tmp_path, "jsonl", HEADER, ROWS))
    look = driver.step(lambda client: client.look(driver.handle))
    assert (look, look.refused) == (end.look, (Refused(3, None, "too short"),))
    assert vendor.calls == ["submit"]


def test_an_import_that_takes_no_records_says_why(tmp_path):
    with scripted(integrator.ScriptedIntegrator()) as vendor:
        driver = deliver_to(vendor.url, secrets={"token": "wrong"})
        end = driver.deliver(write_part(tmp_path, "jsonl", HEADER, ROWS))
    assert (end.how, vendor.script.taken) == ("refused", [])
    assert str(end.error).startswith(
        f"POST /v1/imports/{integrator.IMPORT_ID}/invoke was answered with 401: the token"
    )


@pytest.mark.parametrize("answer", [{"answers": {2: {"status": 200}}}, {"answers": {2: "ok"}}, {"skipped": 1}])
def test_an_answer_that_tells_not_of_each_record_leaves_them_unconfirmed(tmp_path, answer):
    end, vendor = delivered(tmp_path, **answer)
    assert (end.how, vendor.count("submit")) == ("lost", 1)
    assert isinstance(end.error, OutcomeUnknownError)


texts = st.text(max_size=20)
errors = st.builds(RecordError, code=texts, message=texts, source=st.none() | texts, field=st.none() | texts)
results = st.builds(
    RecordResult,
    status_code=st.sampled_from([200, 401, 422]),
    raw=st.dictionaries(texts, st.integers(), max_size=2),
    id=st.none() | texts,
    ignored=st.none() | st.booleans(),
    errors=st.none() | st.lists(errors, max_size=2).map(tuple),
)


@given(st.lists(results, max_size=4).map(tuple))
def test_what_is_answered_is_what_is_read(answered):
    assert decode_results(encode_results(answered)) == answered
