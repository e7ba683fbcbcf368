"""Who comes in to Starmind's face, and what is refused."""

import sqlite3
from contextlib import closing

import pytest

from connectors.starmind.wire import Login, Session
from schemas.principal import Scope
from tests.api.conftest import running
from tests.connectors.face_client import face_client
from tests.connectors.starmind.starmind_client import ADA, TAGS, Starmind, refused, workbook


@pytest.fixture
def impatient_service(settings):
    """A service, already started, that does not wait long for its store."""
    with running(settings.model_copy(update={"busy_timeout_seconds": 1.0})) as service:
        with service.client() as client:
            client.get("/health")
        yield service


@pytest.mark.parametrize("header", ["Api-Key", "X-Api-Key", "api-key"])
def test_whoever_logs_in_gets_the_token_for_every_other_call(client, header):
    login = Login(email="anybody@example.com", password=client.key.token)
    headers = {header: client.key.subscription_key}
    answer = client.bare.post("/users/login", content=login.encode(), headers=headers)
    assert answer.status_code == 200
    token = Session.decode(answer.content).token
    listed = client.bare.get("/import/tags/status", headers={"Authorization": f"bearer {token}"} | headers)
    assert (listed.status_code, listed.json()) == (200, [])


@pytest.mark.parametrize("wrong", ["no Api-Key", "other Api-Key", "password", "key id"])
def test_whoever_lacks_the_token_or_its_api_key_does_not_log_in(client, service, tenant, wrong):
    key, other = client.key, service.key(tenant)
    api_key = {"no Api-Key": None, "other Api-Key": other.subscription_key}.get(wrong, key.subscription_key)
    password = {"password": "x", "key id": key.key_id}.get(wrong, key.token)
    answer = client.bare.post(
        "/users/login",
        json={"email": "a@b.cc", "password": password},
        headers={} if api_key is None else {"Api-Key": api_key},
    )
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"email": "a@b.cc", "password": 1}', b"\xff"])
def test_a_login_that_is_none_is_refused(client, body):
    answer = client.bare.post("/users/login", content=body, headers={"Api-Key": client.key.subscription_key})
    assert "can't be read" in refused(answer, 400)


CALLS = [
    ("POST", "/import/tags/upload"),
    ("POST", "/import/users"),
    ("PUT", "/import/tags/1"),
    ("GET", "/import/tags/1/status"),
    ("GET", "/import/users/status"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer wrong.key"])
def test_without_a_valid_token_nothing_is_told(client, method, path, sent):
    answer = client.bare.request(method, path, headers={"Authorization": sent} if sent else {})
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_an_api_key_of_another_key_is_refused_beside_the_token(client, service, tenant, method, path):
    other = service.key(tenant).subscription_key
    refused(client.http.request(method, path, headers={"Api-Key": other}), 401)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_key_without_the_scope_is_refused(service, tenant, method, path):
    scope = Scope.IMPORTS_CREATE if method == "GET" else Scope.IMPORTS_READ
    with face_client(service, "starmind", tenant, scope) as client:
        assert "imports:" in refused(client.http.request(method, path), 403)


def test_a_key_for_other_definitions_imports_and_sees_nothing(starmind, service, tenant):
    number = starmind.valid(workbook(TAGS))
    with face_client(service, "starmind", tenant, definitions=["starmind-users"]) as limited:
        refused(limited.http.post("/import/tags/upload", files={"file": ("a.xlsx", workbook(TAGS))}), 403)
        refused(limited.http.put(f"/import/tags/{number}"), 404)
        refused(limited.http.get(f"/import/tags/{number}/status"), 404)
        assert limited.http.get("/import/tags/status").json() == []
        assert Starmind(limited).users([ADA]).import_id > number


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"files": {"files": ("a.xlsx", b"x")}}, 400),
        ({"files": {"file": (None, b"x")}}, 400),
        ({"files": [("file", ("a.xlsx", b"x")), ("file", ("b.xlsx", b"x"))]}, 400),
        ({"content": b"x", "headers": {"Content-Type": "application/octet-stream"}}, 415),
        ({"json": {"file": "a.xlsx"}}, 415),
        ({"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
        ({"files": {"file": ("a.xlsx", bytes(10 * 2**20))}}, 413),
    ],
    ids=["other part", "no file", "two files", "raw", "json", "cut off", "too large"],
)
def test_an_upload_that_is_no_form_with_one_file_is_refused(starmind, body, status):
    refused(starmind.http.post("/import/tags/upload", **body), status)
    assert starmind.list() == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/import", 404),
        ("GET", "/import/groups/status", 404),
        ("POST", "/import/groups/upload", 404),
        ("POST", "/import/tags", 404),
        ("GET", "/import/tags/upload", 405),
        ("DELETE", "/import/tags/1", 405),
        ("GET", "/openapi.json", 404),
        ("GET", "/docs", 404),
    ],
)
def test_what_is_not_served_is_told_in_starmind_s_shape(client, method, path, status):
    refused(client.http.request(method, path), status)


def test_a_store_that_somebody_else_holds_is_a_503_that_says_when_to_come_again(impatient_service, tenant):
    with face_client(impatient_service, "starmind", tenant) as client:
        path = impatient_service.settings.store_path
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            answer = client.http.post("/import/tags/upload", files={"file": ("a.xlsx", workbook(TAGS))})
        assert "busy" in refused(answer, 503)
        assert answer.headers["retry-after"] == "2"
