"""Bad inputs, imported for real: each ends as the catalogue says, and no row is lost on the way."""

import pytest

from docs.bad_inputs.catalogue import BAD_INPUTS, Refused
from docs.bad_inputs.outcomes import outcomes
from schemas.codes import FILE_CODES, ROW_CODES
from schemas.job import Outcome as RowOutcome

pytestmark = pytest.mark.slow
NAMES = [given.name for given in BAD_INPUTS]
REFUSED = [given.name for given in BAD_INPUTS if isinstance(given.expected, Refused)]
READ = [name for name in NAMES if name not in REFUSED]


@pytest.fixture(scope="module")
def by_name():
    return {outcome.given.name: outcome for outcome in outcomes()}


def test_every_input_has_a_name_of_its_own():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_table_is_refused_by_a_code_and_leaves_nothing(by_name, name):
    found = by_name[name]
    assert (found.job["state"], found.job["error_code"]) == ("invalid", found.given.expected.code)
    assert found.job["error_code"] in FILE_CODES
    assert "Traceback" not in found.job["error_message"]
    assert "panicked" not in found.job["error_message"]
    assert (found.job["rows"], found.records, found.failed_rows) == (0, (), None)


@pytest.mark.parametrize("name", READ)
def test_every_row_of_a_file_that_is_read_is_a_record_or_has_an_error(by_name, name):
    found, expected = by_name[name], by_name[name].given.expected
    records = expected.records if isinstance(expected.records, int) else len(expected.records)
    failed = len({error.row for error in found.errors})
    assert found.job["state"] == "finished"
    assert (found.job["rows"], found.job["created"], found.job["failed"]) == (records + failed, records, failed)
    assert sum(found.job[outcome.value] for outcome in RowOutcome) == found.job["rows"]
    assert len(found.records) == records
    if not isinstance(expected.records, int):
        assert found.records == expected.records


@pytest.mark.parametrize("name", READ)
def test_every_error_is_the_one_that_is_expected_in_its_place(by_name, name):
    found = by_name[name]
    places = tuple((error.code, error.row, error.line, error.column) for error in found.errors)
    assert places == found.given.expected.errors
    assert {error.code for error in found.errors} <= ROW_CODES.keys()


@pytest.mark.parametrize("name", READ)
def test_what_is_doubtful_is_told_and_nothing_else_is(by_name, name):
    found, told = by_name[name], by_name[name].given.expected.told
    remarks = [*found.job["warnings"], *found.job["notes"]]
    assert len(remarks) == len(told)
    assert [part for part in told if not any(part in remark for remark in remarks)] == []


@pytest.mark.parametrize("name", READ)
def test_failed_rows_are_given_back_and_only_they(by_name, name):
    found, expected = by_name[name], by_name[name].given.expected
    assert (found.failed_rows is not None) == bool(expected.errors)
    for part in expected.given_back:
        assert part in found.failed_rows.decode("utf-8-sig")
