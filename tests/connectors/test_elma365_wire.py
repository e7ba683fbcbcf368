"""What ELMA365 and its clients say to each other: the documents' samples, and every value both ways."""

import json
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from connectors.elma365.wire import (
    ContentRange,
    Credentials,
    ImportAnswer,
    ImportRequest,
    Refusal,
    StoredFile,
    UploadAnswer,
    named,
)

HASH = UUID("7a2fb6a0-6f0e-4d7c-9a55-0c1f4a4c3c11")
whole = st.integers(0, 10**12)
tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=1)
requests = st.builds(
    ImportRequest,
    file_hash=st.none() | st.uuids(),
    format=st.sampled_from([None, "xlsx", "csv"]),
    with_event_handlers=st.booleans(),
)
answers = st.builds(
    ImportAnswer,
    success=st.booleans(),
    error=st.text(),
    import_id=st.none() | st.uuids(),
    status=st.text(),
    count=whole,
)
files = st.builds(
    lambda i, n, s: StoredFile.model_validate({"__id": i, "name": n, "size": s}), st.uuids(), st.text(), whole
)
uploads = st.builds(UploadAnswer, success=st.booleans(), error=st.text(), file=st.none() | files)
refusals = st.builds(Refusal, error=st.text())


@given(st.one_of(requests, answers, uploads, refusals))
def test_every_message_is_read_back_as_it_was_written(message):
    assert type(message).decode(message.encode()) == message


@given(st.builds(Credentials, tokens, st.booleans()))
def test_credentials_are_read_back_from_their_header(credentials):
    assert Credentials.decode(credentials.encode()) == credentials


@given(st.builds(lambda a, b, t: ContentRange(min(a, b), max(a, b), t), whole, whole, whole))
def test_a_range_is_read_back_from_its_header(part):
    assert ContentRange.decode(part.encode()) == part


@pytest.mark.parametrize(
    ("header", "size_bytes"),
    [
        ("bytes 0-1000/1000", 1_000),  # the documents' own: the end is exclusive
        ("bytes 0-5242880/7340032", 5_242_880),
        ("bytes 5242880-7340032/7340032", 2_097_152),
        ("bytes 0-999/1000", 1_000),  # RFC 9110: it is inclusive
        ("BYTES 0-999/1000", 1_000),
        ("0-1000/1000", 1_000),
        ("bytes 0-0/0", 0),
        ("bytes 0-0/1", 1),
    ],
)
def test_a_range_with_its_end_exclusive_or_inclusive_fits_its_part(header, size_bytes):
    part = ContentRange.decode(header)
    assert part.fits(size_bytes)
    assert not part.fits(size_bytes + 2)


@pytest.mark.parametrize(
    "header", ["", "bytes */1000", "bytes 9-3/10", "bytes 0-/1", "pages 0-1/1", "bytes \u0660-\u0661/\u0661"]
)
def test_what_is_no_range_is_refused(header):
    with pytest.raises(ValueError, match="Content-Range"):
        ContentRange.decode(header)


@pytest.mark.parametrize("said", [".xlsx", "xlsx", ".XLSX", "Xlsx", " .xlsx "])
def test_the_format_has_a_dot_or_none_in_any_case_and_goes_out_with_one(said):
    body = json.dumps(
        {"fileHash": str(HASH), "format": said, "withEventHandlers": False, "unknown": 1}
    ).encode()
    request = ImportRequest.decode(body)
    assert request == ImportRequest(file_hash=HASH, format="xlsx", with_event_handlers=False)
    assert json.loads(request.encode()) == {
        "fileHash": str(HASH),
        "withEventHandlers": False,
        "format": ".xlsx",
    }


@pytest.mark.parametrize("said", [".xls", "json", ".."])
def test_another_format_is_refused(said):
    with pytest.raises(ValueError, match=r"\.xlsx or \.csv"):
        ImportRequest.decode(json.dumps({"format": said}).encode())


def test_an_answer_has_just_these_keys_in_this_order():
    answer = ImportAnswer(success=True, import_id=HASH, status="processing", count=3)
    assert answer.encode() == (
        b'{"success":true,"error":"","importId":"%b","status":"processing","count":3}' % str(HASH).encode()
    )
    assert UploadAnswer().encode() == b'{"success":true,"error":""}'
    stored = StoredFile(id=HASH, name="a.csv", size=5)
    assert json.loads(UploadAnswer(file=stored).encode())["file"] == {
        "__id": str(HASH),
        "name": "a.csv",
        "size": 5,
    }
    assert Refusal(error="no").encode() == b'{"success":false,"error":"no"}'


@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "id": str(HASH), "status": "done", "imported": 3},
        {"success": True, "__id": str(HASH), "status": "done", "total": 3},
        {"success": True, "result": {"importId": str(HASH), "status": "done", "importedCount": 3}},
        {"success": True, "error": "", "item": {"__id": str(HASH), "status": "done", "count": 3}},
    ],
)
def test_an_answer_with_names_that_the_documents_leave_open_is_understood(body):
    answer = ImportAnswer.decode(json.dumps(body).encode())
    assert answer == ImportAnswer(success=True, import_id=HASH, status="done", count=3)


def test_a_file_is_named_for_what_it_is_said_to_be():
    assert named("rows.csv", "csv") == "rows.csv"
    assert named("ROWS.CSV", "csv") == "ROWS.CSV"
    assert named(str(HASH), "xlsx") == f"{HASH}.xlsx"
    assert named("rows", None) == "rows"
