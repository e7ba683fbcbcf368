"""What TeamTracks and its clients say to each other: the documents' samples, and every value both ways."""

import json
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from pydantic.alias_generators import to_camel

from connectors.teamtracks.wire import (
    Credentials,
    ImportAnswer,
    JobAnswer,
    ObjectFault,
    TokenAnswer,
    TokenRequest,
)

KEYS = [
    "finished",
    "dateFinished",
    "successfullyCreated",
    "failedToCreate",
    "successfullyUpdated",
    "unchanged",
    "failedToUpdate",
    "objectsCreated",
    "errors",
]
SUBMITTED = b"""{
"jobId": "24786e69-262a-4242-9d65-c15bf89c930e"
}"""
RUNNING = b"""{
"finished": false,
"dateFinished": 0,
"successfullyCreated": 0,
"failedToCreate": 0,
"successfullyUpdated": 0,
"unchanged": 0,
"failedToUpdate": 0
}"""
# With the comma behind the last id, which is in the document.
FINISHED = b"""{
"finished": true,
"dateFinished": 1724442508936,
"successfullyCreated": 4,
"failedToCreate": 0,
"successfullyUpdated": 0,
"unchanged": 0,
"failedToUpdate": 0,
"objectsCreated": [
"bf40c69b-5aaa-4a4b-99f4-69211aa23288",
"09b04611-9197-4eb2-a75a-69b8eced4020",
"8775ed19-7515-46db-a672-755748393043",
"9d16daed-70a7-4077-b100-971571bb39c1",
],
"errors": []
}"""

counts = st.integers(0, 10**7)
faults = st.builds(
    ObjectFault,
    row=st.none() | st.integers(1, 2**20),
    field=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    message=st.text(st.characters(exclude_categories=["Cs"])),
)
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), min_size=1)
answers = st.builds(
    JobAnswer,
    finished=st.just(value=True),
    date_finished=st.integers(1, 2**53),
    successfully_created=counts,
    failed_to_create=counts,
    successfully_updated=counts,
    unchanged=counts,
    failed_to_update=counts,
    objects_created=st.lists(st.uuids(), max_size=5).map(tuple),
    errors=st.lists(faults, max_size=5).map(tuple),
)


def test_the_documented_answers_parse_and_are_produced_from_the_same_facts():
    assert (
        ImportAnswer.decode(SUBMITTED).encode()
        == json.dumps(json.loads(SUBMITTED), separators=(",", ":")).encode()
    )
    running = JobAnswer.decode(RUNNING)
    assert running == JobAnswer(finished=False)
    assert list(json.loads(running.encode()).items()) == list(json.loads(RUNNING).items())
    finished = JobAnswer.decode(FINISHED)
    assert finished.objects_created is not None
    assert finished.objects_created[0] == UUID("bf40c69b-5aaa-4a4b-99f4-69211aa23288")
    mended = FINISHED.replace(b'c1",', b'c1"')
    assert list(json.loads(finished.encode()).items()) == list(json.loads(mended).items())


def test_a_running_job_has_seven_keys_and_a_finished_one_nine():
    assert list(json.loads(JobAnswer(finished=False).encode())) == KEYS[:7]
    assert list(json.loads(JobAnswer(finished=True, objects_created=(), errors=()).encode())) == KEYS
    assert [to_camel(name) for name in JobAnswer.model_fields] == KEYS


def test_errors_may_be_plain_text_at_another_server():
    assert JobAnswer.decode(
        b'{"finished": true, "errors": ["bad", {"message": "worse", "row": 2}]}'
    ).errors == (
        ObjectFault(message="bad"),
        ObjectFault(message="worse", row=2),
    )


def test_what_a_server_leaves_out_or_adds_is_no_fault():
    assert JobAnswer.decode(b'{"finished": true, "percentage": 100}') == JobAnswer(finished=True)


def test_an_answer_is_made_in_parts_and_no_id_is_asked_for_before_its_part():
    asked = []

    def ids():
        for number in range(5_000):
            asked.append(number)
            yield UUID(int=number)

    parts = JobAnswer(finished=True).encode_parts(ids(), ())
    assert next(parts).endswith(b',"objectsCreated":[')
    assert asked == []
    next(parts)
    assert len(asked) == 1_000
    rest = b"".join(parts)
    assert len(asked) == 5_000
    assert rest.endswith(b'],"errors":[]}')


@given(answers)
def test_what_an_answer_encodes_it_decodes(answer):
    assert JobAnswer.decode(answer.encode()) == answer


@given(st.builds(Credentials, visible, visible, st.just("") | visible))
def test_what_credentials_encode_they_decode(credentials):
    assert Credentials.decode(credentials.encode()) == credentials


@given(st.builds(TokenRequest, client_id=visible, email=visible, password=visible))
def test_what_the_question_for_a_token_encodes_it_decodes(request):
    assert TokenRequest.decode(request.encode()) == request


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer abc", "abc"),
        ('"Bearer abc"', "abc"),
        ("bearer abc", "abc"),
        ("Bearer  abc ", "abc"),
        ("Basic abc", ""),
        ("abc", ""),
        ("Bearer", ""),
        ("", ""),
    ],
)
def test_the_bearer_value_is_read_with_quotes_and_in_any_case(authorization, token):
    found = Credentials.decode(
        {"AUTHORIZATION": authorization, "Tenant": "t", "ocp-apim-subscription-key": "k"}
    )
    assert found == Credentials("t", "k", token)


def test_a_token_has_the_word_bearer_once():
    assert TokenAnswer.of("abc").encode() == b'{"token":"Bearer abc"}'
    assert TokenAnswer.decode(b'{"token": "Bearer abc"}').authorization == "Bearer abc"
    assert TokenAnswer.decode(b'{"token": "abc"}').authorization == "Bearer abc"
