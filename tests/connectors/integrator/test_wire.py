"""What integrator.io and its clients say to each other beside documents, read back as it was written."""

import json

from hypothesis import given, strategies as st

from connectors.integrator.wire import (
    ApiError,
    CloneRequest,
    ErrorEnvelope,
    InvokeRequest,
    PatchOperation,
    ReplaceConnection,
    TokenInfo,
    decoded,
    encoded,
)

texts = st.text(max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
records = st.dictionaries(texts, plain, max_size=4)
errors = st.builds(ApiError, code=texts, message=texts, field=st.none() | texts)
messages = st.one_of(
    st.builds(ErrorEnvelope, errors=st.lists(errors, min_size=1, max_size=3).map(tuple)),
    st.builds(
        CloneRequest,
        name=st.none() | texts,
        connection_map=st.none() | st.dictionaries(texts, texts, max_size=3),
        sandbox=st.none() | st.booleans(),
    ),
    st.builds(lambda said: ReplaceConnection.model_validate({"_newConnectionId": said}), texts),
    st.builds(PatchOperation, op=texts, path=texts, value=plain),
    st.builds(lambda user, scope: TokenInfo(user_id=user, scope=scope), texts, texts),
)
requests = st.builds(InvokeRequest, data=st.lists(records, max_size=3).map(tuple), settings=st.none() | records)


@given(messages)
def test_every_message_is_read_back_as_it_was_written(message):
    assert type(message).decode(message.encode()) == message


@given(requests)
def test_an_invoke_is_read_back_as_it_was_written(request):
    assert InvokeRequest.decode(request.encode()) == request


@given(records.filter(lambda record: "data" not in record))
def test_a_record_that_comes_alone_is_one_record(record):
    assert InvokeRequest.decode(json.dumps(record).encode()) == InvokeRequest(data=(record,))


@given(plain)
def test_every_document_is_read_back_as_it_was_written(document):
    assert decoded(encoded(document)) == document
