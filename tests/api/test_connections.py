"""Connections over HTTP: each tenant has its own, their secrets go in and never come out."""

import os
from pathlib import Path

import pytest

from schemas.connection_secrets import opened_secrets
from schemas.principal import Scope
from schemas.secret_key import Seal, secret_key
from store.connections import own_connection
from store.database import Store

SECRETS = {"subscription_key": "s3cret-subscription", "token": "s3cret-token"}
MASKED = dict.fromkeys(SECRETS, "******")
URL = "https://api.team-tracks.example"


def document(**changes):
    return {
        "name": "crm",
        "connector": "teamtracks",
        "url": URL,
        "options": {"tenant": "acme"},
        "secrets": SECRETS,
    } | changes


@pytest.fixture
def opened(service, tenant):
    """Gives the secrets of the tenant's connection `crm` as a client of the vendor gets them."""

    def look():
        with Store.opened(service.settings) as store, store.read() as session:
            kept = own_connection(session, tenant, "crm").secrets
        return opened_secrets(kept, lambda: Seal(secret_key(service.settings), tenant))

    return look


@pytest.fixture
def operator(service):
    with service.client(service.key("local", Scope.ADMIN).token) as client:
        yield client
        client.delete("/connections/crm")


def test_a_connection_is_kept_shown_with_masks_changed_and_removed(client, opened):
    made = client.post("/connections", json=document())
    assert (made.status_code, made.headers["Location"]) == (201, "/connections/crm")
    shown = client.get("/connections/crm")
    assert {key: shown.json()[key] for key in ("connector", "url", "options", "secrets", "tenants")} == {
        "connector": "teamtracks",
        "url": URL,
        "options": {"tenant": "acme"},
        "secrets": MASKED,
        "tenants": [],
    }
    assert "s3cret" not in made.text + shown.text
    assert opened() == SECRETS
    changed = client.put("/connections/crm", json=document(options={"tenant": "other"}, secrets=MASKED))
    assert (changed.status_code, changed.json()["options"]) == (200, {"tenant": "other"})
    assert opened() == SECRETS
    assert client.delete("/connections/crm").status_code == 204
    assert client.get("/connections/crm").status_code == 404


@pytest.mark.parametrize("changes", [{"url": f"{URL}.evil.example"}, {"connector": "starmind", "options": {}}])
def test_a_mask_brings_a_secret_to_no_other_address_and_no_other_vendor(client, opened, changes):
    client.post("/connections", json=document())
    moved = document(secrets={"token": "******"}) | changes
    if moved["connector"] == "teamtracks":
        moved["secrets"] = MASKED
    answer = client.put("/connections/crm", json=moved)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-connection")
    assert opened() == SECRETS


def test_another_tenants_connection_is_not_there(service, client):
    client.post("/connections", json=document())
    with service.client(service.key("stranger").token) as stranger:
        assert stranger.get("/connections").json()["connections"] == []
        for method, path in (
            ("GET", "/connections/crm"),
            ("DELETE", "/connections/crm"),
            ("POST", "/connections/crm/test"),
        ):
            answer = stranger.request(method, path)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
            assert "team-tracks" not in answer.text
        assert stranger.put("/connections/crm", json=document(name="crm")).status_code == 201
        stranger.delete("/connections/crm")
    assert client.get("/connections/crm").status_code == 200


def test_of_a_granted_connection_name_and_vendor_are_seen_and_ones_own_goes_first(client, operator, tenant):
    assert operator.put("/connections/crm", json=document(tenants=[tenant])).status_code == 201
    (shared,) = client.get("/connections").json()["connections"]
    assert sorted(shared) == ["connector", "created_at", "is_shared", "name"]
    assert (shared["name"], shared["connector"], shared["is_shared"]) == ("crm", "teamtracks", True)
    assert client.get("/connections/crm").status_code == 404
    client.post("/connections", json=document())
    (own,) = client.get("/connections").json()["connections"]
    assert (own["is_shared"], own["url"]) == (False, URL)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"secrets": {**SECRETS, "token": "env:HOME"}}, "secret.reference"),
        ({"url": "http://api.team-tracks.example"}, "connection.url"),
        ({"tenants": ["other"]}, "connection.grant"),
    ],
)
def test_what_only_the_operator_may_say_is_refused_to_a_tenant(client, operator, changes, rule):
    answer = client.post("/connections", json=document(**changes))
    assert (answer.status_code, answer.json()["rule"]) == (403, rule)
    assert client.get("/connections/crm").status_code == 404
    assert operator.put("/connections/crm", json=document(**changes)).status_code == 201


def test_the_operators_references_are_shown_as_they_are(operator):
    said = {"subscription_key": "env:CRM_KEY", "token": "s3cret-token"}
    shown = operator.put("/connections/crm", json=document(secrets=said)).json()
    assert shown["secrets"] == {"subscription_key": "env:CRM_KEY", "token": "******"}


@pytest.mark.parametrize(
    ("changes", "type_", "says"),
    [
        ({"connector": "nobody"}, "invalid-connection", "none named 'nobody'; known: "),
        (
            {"options": {"tenant": "a", "colour": "x"}},
            "invalid-connection",
            "options: teamtracks knows no 'colour'",
        ),
        (
            {"options": {"tenant": "a", "file_kind": "pdf"}},
            "invalid-connection",
            "options.file_kind: Input should be 'csv' or 'xlsx'",
        ),
        ({"options": {"tenant": " "}}, "invalid-connection", "options.tenant: String should match"),
        (
            {"connector": "starmind", "options": {"email": " "}, "secrets": {"token": "s3cret"}},
            "invalid-connection",
            "options.email: String should match",
        ),
        ({"secrets": {"token": "s3cret"}}, "invalid-connection", "teamtracks needs as options and secrets: "),
        ({"secrets": {**SECRETS, "token": "sealed:x"}}, "invalid-connection", "can't be brought from outside"),
        ({"secrets": MASKED}, "invalid-connection", "secrets.subscription_key: the mask ****** stands for no"),
        ({"url": "https://me:s3cret@api.example"}, "invalid-request", "holds a user or a password"),
        ({"url": "https://api.example/?a=b"}, "invalid-request", "has a query"),
        ({"url": "ftp://api.example"}, "invalid-request", "body.url"),
        ({"secrets": {"token": "s3cret\nX-Evil: 1"}}, "invalid-request", "body.secrets.token"),
        ({"name": "Crm"}, "invalid-request", "body.name"),
        ({"password": "s3cret"}, "invalid-request", "body.password"),
    ],
)
def test_what_can_be_no_connection_is_refused_by_name_and_no_secret_repeated(client, changes, type_, says):
    answer = client.post("/connections", json=document(**changes))
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{type_}")
    assert says in answer.json()["detail"]
    assert "s3cret" not in answer.text


def test_a_body_that_is_none_is_refused(client):
    assert client.post("/connections", content=b"{").status_code == 415
    json = {"Content-Type": "application/json"}
    assert client.post("/connections", content=b"{", headers=json).status_code == 422
    assert client.post("/connections", content=b" " * 300_000, headers=json).status_code == 413
    assert client.put("/connections/other", json=document()).status_code == 422


def test_a_key_needs_the_scope(service, tenant):
    with service.client(service.key(tenant, Scope.IMPORTS_READ, Scope.DEFINITIONS_WRITE).token) as client:
        for method, path in (
            ("GET", "/connections"),
            ("POST", "/connections"),
            ("POST", "/connections/x/test"),
        ):
            answer = client.request(method, path, json=document())
            assert (answer.status_code, answer.json()["scope"]) == (403, "connections:write")


def test_trying_one_says_what_answered_and_a_private_address_is_not_called(service, client, operator):
    client.post("/connections", json=document(url="https://127.0.0.1:1"))
    refused = client.post("/connections/crm/test")
    assert (refused.status_code, refused.json()["rule"]) == (403, "outgoing.address")
    operator.put("/connections/crm", json=document(url="http://127.0.0.1:1"))
    failed = operator.post("/connections/crm/test")
    assert (failed.status_code, failed.json()["type"]) == (424, "/problems/connection-failed")
    assert "could not be made" in failed.json()["detail"]
    key = service.key("local", Scope.ADMIN)
    secrets = {"subscription_key": key.subscription_key, "token": key.token}
    ours = document(url=f"{service.url}/teamtracks", options={"tenant": "local"}, secrets=secrets)
    operator.put("/connections/crm", json=ours)
    tried = operator.post("/connections/crm/test")
    assert (tried.status_code, tried.json()["message"]) == (
        200,
        "TeamTracks knows the tenant, the subscription key and the token",
    )
    operator.put("/connections/crm", json=ours | {"secrets": secrets | {"token": "s3cret-wrong"}})
    wrong = operator.post("/connections/crm/test")
    assert wrong.status_code == 424
    assert "was answered with 401" in wrong.json()["detail"]
    assert "s3cret-wrong" not in wrong.text


def test_lists_have_pages(client):
    for name in ("a", "b", "c"):
        client.post("/connections", json=document(name=name))
    first = client.get("/connections?limit=2").json()
    assert [found["name"] for found in first["connections"]] == ["a", "b"]
    last = client.get(first["next"]).json()
    assert ([found["name"] for found in last["connections"]], last["next"]) == (["c"], None)


def test_no_secret_is_anywhere_in_the_home_in_clear(service, client, operator):
    client.post("/connections", json=document())
    operator.put("/connections/crm", json=document(url="http://127.0.0.1:1"))
    client.post("/connections/crm/test")
    operator.post("/connections/crm/test")
    with Store.opened(service.settings) as store, store.read() as session:
        assert own_connection(session, "local", "crm").secrets["token"].startswith("sealed:")
    read_bytes = 0
    for folder, _, names in os.walk(service.settings.home):
        for name in names:
            content = (Path(folder) / name).read_bytes()
            read_bytes += len(content)
            assert [secret for secret in SECRETS.values() if secret.encode() in content] == [], name
    assert read_bytes > 10_000
