"""What LearningBuilder and its clients say to each other: the documents' call, and every value both ways."""

import base64
import io
import json
import string

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from connectors.learningbuilder.wire import (
    BatchAnswer,
    BatchQuery,
    BatchRefusal,
    LineFault,
    decode_credentials,
    decode_records,
    encode_credentials,
    encode_records,
)

# As the newest version of the document has it, its blanks filled in; and with what an older one has before it.
DOCUMENTED = (
    "fileName=ACME%20Process%202026%2F01%2F31&importProcessId=7&creationPath=LH"
    "&sendSuccessEmailTo=well%40example.com&sendFailureEmailTo=failed%40example.com"
)
ASKED = BatchQuery(
    file_name="ACME Process 2026/01/31",
    import_process_id=7,
    creation_path="LH",
    send_success_email_to="well@example.com",
    send_failure_email_to="failed@example.com",
)
LONGEST = 1_000

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
addresses = st.sampled_from(["a@example.com", "o'hara+lading@mail.example.org", "ü@bücher.example"])
queries = st.builds(
    BatchQuery,
    file_name=st.none() | texts,
    import_process_id=st.integers(0, 2**63 - 1),
    creation_path=st.none() | st.text(string.ascii_uppercase + string.digits + "_", min_size=1, max_size=15),
    send_success_email_to=st.none() | addresses,
    send_failure_email_to=st.none() | addresses,
)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
records = st.lists(st.dictionaries(st.sampled_from([":Email", "Name", "Grüße", ""]) | texts, values))


def faults(body: bytes, longest: int = LONGEST) -> list[LineFault | None]:
    return list(decode_records(io.BytesIO(body), longest))


OTHER_CASE = DOCUMENTED.replace("fileName", "FILENAME").replace("importProcessId", "importprocessid")


@pytest.mark.parametrize("query", [DOCUMENTED, f"&{DOCUMENTED}", f"?&{DOCUMENTED}", OTHER_CASE])
def test_the_documented_query_is_read_with_a_stray_ampersand_and_names_in_any_case(query):
    asked = BatchQuery.decode_query(query)
    assert asked == ASKED
    assert asked.stored_creation_path == "IMPORT_QUEUE_API:LH"


@given(queries)
def test_what_the_query_encodes_it_decodes(asked):
    assert BatchQuery.decode_query(asked.encode_query()) == asked


@given(records)
def test_what_the_body_encodes_is_so_many_records(sent):
    assert faults(b"".join(encode_records(sent)), 2**20) == [None] * len(sent)


@pytest.mark.parametrize("path", ["A", "LH", "A_1", "ABCDEFGHIJKLMNO"])
def test_a_creation_path_has_1_to_15_capitals_digits_and_underscores(path):
    asked = BatchQuery.decode_query(f"importProcessId=7&creationPath={path}")
    assert asked.stored_creation_path == f"IMPORT_QUEUE_API:{path}"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("importProcessId=7&creationPath=", "creationPath"),
        ("importProcessId=7&creationPath=ABCDEFGHIJKLMNOP", "creationPath"),
        ("importProcessId=7&creationPath=lh", "creationPath"),
        ("importProcessId=7&creationPath=A-B", "creationPath"),
        ("importProcessId=7&creationPath=A%0A", "creationPath"),
        ("creationPath=LH", "importProcessId"),
        ("importProcessId=", "importProcessId"),
        ("importProcessId=seven", "importProcessId"),
        ("importProcessId=-1", "importProcessId"),
        ("importProcessId=9223372036854775808", "importProcessId"),
        ("importProcessId=7&sendSuccessEmailTo=nobody", "sendSuccessEmailTo"),
        ("importProcessId=7&sendFailureEmailTo=a@example.com,b@example.com", "sendFailureEmailTo"),
        ("importProcessId=7&sendFailureEmailTo=a@example.com%0D%0ABcc:b@example.com", "sendFailureEmailTo"),
    ],
)
def test_a_wrong_parameter_is_named(query, field):
    with pytest.raises(ValidationError) as caught:
        BatchQuery.decode_query(query)
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


def test_a_query_of_an_older_client_has_no_name_and_an_empty_address_is_none():
    asked = BatchQuery.decode_query("importProcessId=7&fileName=&sendSuccessEmailTo=")
    assert asked == BatchQuery(import_process_id=7)
    assert asked.stored_creation_path == "IMPORT_QUEUE_API"


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        (b'[{"a": 1}]', 1, "a JSON array, not an object"),
        (b'\n[{"a": 1},\n', 2, "not a JSON object on one line"),
        (b'{\n  "a": 1\n}', 1, "not a JSON object on one line"),
        (b'{"a": 1}{"a": 2}', 1, "not a JSON object on one line"),
        (b'{"a": NaN}', 1, "not a JSON object on one line"),
        (b'{"a": ' + b"[" * 100_000, 1, "not a JSON object on one line"),
        (b'"text"', 1, "JSON, but not an object"),
        (b"null", 1, "JSON, but not an object"),
        (b'{"a": "\xff"}', 1, "not UTF-8"),
        (
            b'{"importProcessId": 7, "sendFailureNoticeOnErrorTo": "a@example.com", "data": []}',
            1,
            "an object of the early draft of this API; each record is a line of its own",
        ),
    ],
)
def test_a_line_that_is_no_record_is_named(body, line, message):
    assert faults(body, 2**20)[0] == LineFault(line=line, message=message)


def test_blank_lines_a_mark_and_windows_line_ends_are_no_fault():
    body = b'\xef\xbb\xbf{"a": 1}\r\n\r\n   \n{"b": "' + b"9" * 5_000 + b'", "n": ' + b"9" * 5_000 + b"}"
    assert faults(body, 2**20) == [None, None]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_may_be_as_long_as_the_limit_and_no_longer(end):
    line = b'{"a":"' + b"x" * (LONGEST - 8) + b'"}'
    assert faults(line + end) == [None]
    longer = line[:-2] + b'x"}'
    assert faults(longer + end + b"{}") == [LineFault(line=1, message="the line has more than 1,000 bytes")]


def test_credentials_are_read_in_any_case_and_in_both_forms():
    assert decode_credentials(encode_credentials("k.e-y")["Authorization"]) == "k.e-y"
    assert decode_credentials("ApiKey  abc ") == "abc"
    basic = "Basic " + base64.b64encode(b"Member_12:abc:d").decode()
    assert decode_credentials(basic) == "abc:d"
    assert decode_credentials(basic, takes_basic=False) == ""


@pytest.mark.parametrize(
    "header",
    ["", "apikey", "Bearer abc", "abc", "Basic !", "Basic " + base64.b64encode(b"somebody:abc").decode()],
)
def test_other_credentials_are_none(header):
    assert decode_credentials(header) == ""


def test_the_answers_have_the_documented_keys():
    answer = BatchAnswer(
        queue_batch_id="abc-def-123", queue_batch_details="https://x.example/?batchId=abc-def-123"
    )
    assert list(json.loads(answer.encode())) == ["queueBatchId", "queueBatchDetails"]
    assert BatchAnswer.decode(answer.encode()) == answer
    assert json.loads(BatchRefusal(message="no").encode()) == {"message": "no"}
    refusal = BatchRefusal(message="no", errors=(LineFault(line=2, message="bad"),))
    assert json.loads(refusal.encode())["errors"] == [{"line": 2, "field": None, "message": "bad"}]
    assert BatchRefusal.decode(refusal.encode()) == refusal
