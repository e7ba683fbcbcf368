"""Starmind's wire words: the documented samples are read, and made from the same facts, byte for byte."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from connectors.face import JobView
from connectors.starmind.processes import entry_of, process_of, user_number
from connectors.starmind.wire import (
    Accepted,
    Entity,
    ErrorEntry,
    Login,
    Process,
    ProcessStatus,
    ProcessType,
    Result,
    Session,
    Users,
    moment_text,
    stored_name,
)
from schemas.job import Counts, JobKind, JobState
from schemas.row_error import RowError

# As https://docs.starmind.com/api/v1/resources/import/tag/ has them.
UPLOADED = """{
  "import_id": 73,
  "user_id": 17267,
  "file_name": "test_tag_import.xlsx"
}"""
IMPORTED = """{
  "start_date": "2015-12-11T07:15:50.000Z",
  "result": {
    "file_name": "user_2015-12-11T07:15:50.192Z.json",
    "created_records": 1,
    "errors": [],
    "updated_records": 0,
    "import_id": 73
  },
  "end_date": "2015-12-11T07:16:08.000Z",
  "status": "success",
  "message": null,
  "import_id": 73,
  "type": "import"
}"""
NOT_VALID = """{
  "start_date": "2015-12-12T07:15:50.000Z",
  "result": {
    "file_name": "tag_2015-12-12T07:15:50.192Z.xlsx",
    "created_records": 0,
    "errors": [
        {
          "msg": "requirement failed: Tag length must be between 2 and 255 characters.",
          "metadata": "C",
          "row": 6,
          "field": "Tags"
        }
    ],
    "updated_records": 0,
    "user_id": 17267,
    "import_id": 73
  },
  "end_date": "2015-12-12T07:30:08.000Z",
  "status": "error",
  "message": null,
  "import_id": 73,
  "type": "validation"
}"""


def compact(document: str) -> str:
    """The same JSON, its keys in the same order, without blanks between."""
    return json.dumps(json.loads(document), separators=(",", ":"))


@pytest.mark.parametrize(
    ("sample", "message"), [(UPLOADED, Accepted), (IMPORTED, Process), (NOT_VALID, Process)]
)
def test_a_documented_sample_is_read_and_written_again_key_by_key(sample, message):
    assert message.decode(sample.encode()).encode().decode() == compact(sample)


def test_the_sample_of_a_success_is_what_the_process_says():
    process = Process.decode(IMPORTED.encode())
    assert (process.status, process.type) == (ProcessStatus.SUCCESS, ProcessType.IMPORT)
    assert process.start_date == datetime(2015, 12, 11, 7, 15, 50, tzinfo=UTC)
    assert process.result == Result(
        file_name="user_2015-12-11T07:15:50.192Z.json",
        created_records=1,
        errors=(),
        updated_records=0,
        import_id=73,
    )


def view(**changes: object) -> JobView:
    """A validation whose six rows were read, of which the last is wrong."""
    known = {
        "job_id": "0b0c",
        "key_id": "k1",
        "kind": JobKind.VALIDATE,
        "state": JobState.FINISHED,
        "definition": "starmind-tags",
        "file_name": "test_tag_import.xlsx",
        "creation_path": "STARMIND_API:TAGS",
        "source_job_id": None,
        "counts": Counts(failed=1, unprocessed=4),
        "rows": 5,
        "rows_done": 0,
        "received_at": datetime(2015, 12, 12, 7, 15, 50, 192_400, tzinfo=UTC),
        "ended_at": datetime(2015, 12, 12, 7, 30, 8, tzinfo=UTC),
        "error_code": None,
        "error_message": None,
    }
    return JobView(**known | changes)


def test_a_job_with_the_facts_of_the_sample_is_the_sample():
    error = RowError("min_length", "shorter than 2 characters", 4, 6, None, "Tags", "C", "tags", "x")
    made = process_of(view(), Entity.TAGS, 73, 73)
    written = json.loads(b"".join(made.encode_parts([entry_of(error, {"C": "Tags"})])))
    sample = json.loads(NOT_VALID)
    # The sample's start has no milliseconds, which its file's name has.
    sample["start_date"] = "2015-12-12T07:15:50.192Z"
    sample["result"]["user_id"] = user_number("k1")
    assert json.dumps(written) == json.dumps(sample)


def test_an_import_counts_unchanged_records_as_updated_and_names_the_file_that_was_uploaded():
    job = view(kind=JobKind.IMPORT, source_job_id="0b0c", counts=Counts(created=1, updated=2, unchanged=3))
    made = process_of(job, Entity.TAGS, 76, 73)
    assert (made.import_id, made.type, made.status) == (76, ProcessType.IMPORT, ProcessStatus.SUCCESS)
    assert made.result == Result(
        file_name="tag_2015-12-12T07:15:50.192Z.json",
        created_records=1,
        errors=(),
        updated_records=5,
        user_id=user_number("k1"),
        import_id=73,
    )


@pytest.mark.parametrize("state", [s for s in JobState if not s.terminal])
def test_what_is_not_terminal_is_processing_without_result_or_end(state):
    made = json.loads(
        process_of(view(state=state, ended_at=None, counts=Counts()), Entity.TAGS, 73, 73).encode()
    )
    assert list(made) == ["start_date", "result", "end_date", "status", "message", "import_id", "type"]
    assert (made["result"], made["end_date"], made["status"]) == (None, None, "processing")


@pytest.mark.parametrize("state", [JobState.INVALID, JobState.FAILED, JobState.CANCELLED])
def test_what_ended_for_a_reason_of_its_own_says_why(state):
    made = process_of(view(state=state, counts=Counts(), error_message="no such header"), Entity.TAGS, 73, 73)
    assert (made.status, made.message) == (ProcessStatus.ERROR, "no such header")


@pytest.mark.parametrize(
    ("error", "entry"),
    [
        (
            RowError(
                "required", "a value is required here, but the cell is blank", 0, 2, column="C", field="tags"
            ),
            ("requirement failed: Tag length must be between 2 and 255 characters.", "C", 2, "Tags"),
        ),
        (
            RowError("max_length", "longer than 100 characters", 0, 2, column="C", field="tags"),
            ("requirement failed: Longer than 100 characters.", "C", 2, "Tags"),
        ),
        (
            RowError("record", "fails the check is_odd: amounts are odd", 7, 9, column="D", field="amount"),
            ("requirement failed: Amounts are odd.", "D", 9, "amount"),
        ),
        (
            RowError("type.email", "not an e-mail address", 2, 3, 3, field="email"),
            ("requirement failed: Not an e-mail address.", "", 3, "email"),
        ),
        (
            RowError("file.empty", "the file is empty"),
            ("requirement failed: The file is empty.", "", 0, ""),
        ),
    ],
    ids=["blank tag", "other limit", "record", "no column", "file"],
)
def test_a_row_error_is_told_with_its_letter_row_and_header(error, entry):
    found = entry_of(error, {"C": "Tags"})
    assert (found.msg, found.metadata, found.row, found.field) == entry


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'[{"email": "a@b.cc"}]', ({"email": "a@b.cc"},)),
        (
            b'\xef\xbb\xbf{"users": [{"email": "a@b.cc", "floor": 1.50}], "more": 1}',
            ({"email": "a@b.cc", "floor": "1.50"},),
        ),
        (b"[null, 7]", (None, "7")),
    ],
    ids=["bare", "wrapped", "no objects"],
)
def test_a_list_of_users_may_be_bare_or_wrapped(body, rows):
    assert Users.decode(body).rows == rows


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]", "at least one user"),
        (b'{"users": []}', "at least one user"),
        (b'{"user": [{}]}', "at least one user"),
        (b'"users"', "at least one user"),
        (b'[{"a": NaN}]', "NaN is no value"),
        (b"[{]", "Expecting property name"),
        (b"[" * 100_000, "without end"),
        (b"\xff\xfe\xff", "truncated data"),
        (b"", "Expecting value"),
    ],
)
def test_what_is_no_list_of_users_is_refused(body, says):
    with pytest.raises(ValueError, match=says):
        Users.decode(body)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(0, 2**31 - 1)
MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.sampled_from([UTC]),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
ENTRIES = st.builds(ErrorEntry, msg=TEXT, metadata=TEXT, row=NUMBERS, field=TEXT)
RESULTS = st.builds(
    Result,
    file_name=TEXT,
    created_records=NUMBERS,
    errors=st.lists(ENTRIES, max_size=3).map(tuple),
    updated_records=NUMBERS,
    user_id=st.none() | NUMBERS,
    import_id=NUMBERS,
)
PROCESSES = st.builds(
    Process,
    start_date=MOMENTS,
    result=st.none() | RESULTS,
    end_date=st.none() | MOMENTS,
    status=st.sampled_from(ProcessStatus),
    message=st.none() | TEXT,
    import_id=NUMBERS,
    type=st.sampled_from(ProcessType),
)
MESSAGES = st.one_of(
    PROCESSES,
    st.builds(Login, email=TEXT, password=TEXT),
    st.builds(Session, token=TEXT),
    st.builds(Accepted, import_id=NUMBERS, user_id=NUMBERS, file_name=TEXT),
    st.lists(st.dictionaries(TEXT, st.none() | st.booleans() | TEXT, max_size=3), min_size=1, max_size=3).map(
        lambda rows: Users(rows=tuple(rows))
    ),
)


@given(MESSAGES)
def test_what_the_wire_models_encode_they_decode(message):
    assert type(message).decode(message.encode()) == message


@given(RESULTS, st.lists(ENTRIES, max_size=3))
def test_a_process_in_pieces_is_the_process_with_these_errors(result, errors):
    start = datetime(2026, 1, 31, 7, 15, 50, tzinfo=UTC)
    bare = Process(
        start_date=start,
        result=result.model_copy(update={"errors": ()}),
        end_date=start + timedelta(seconds=1),
        status=ProcessStatus.ERROR,
        message='"errors":[]',
        import_id=1,
        type=ProcessType.IMPORT,
    )
    whole = bare.model_copy(update={"result": result.model_copy(update={"errors": tuple(errors)})})
    assert Process.decode(b"".join(bare.encode_parts(errors))) == whole


@given(st.integers(0, 2**64).map(lambda number: f"{number:016x}"))
def test_the_number_of_a_user_fits_32_bits_and_is_the_same_always(key_id):
    assert 0 < user_number(key_id) == user_number(key_id) < 2**31


def test_moments_are_written_in_utc_with_milliseconds():
    moment = datetime.fromisoformat("2026-01-31T08:15:50.192999+01:00")
    assert moment_text(moment) == "2026-01-31T07:15:50.192Z"
    assert stored_name(Entity.TAGS, moment, "xlsx") == "tag_2026-01-31T07:15:50.192Z.xlsx"
