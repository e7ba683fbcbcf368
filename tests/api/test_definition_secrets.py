"""Secrets of webhooks over HTTP: they go in, are kept sealed, and never come out."""

import pytest

from schemas.principal import Scope
from schemas.secret_key import Seal, secret_key
from schemas.webhook import MASK
from schemas.webhook_secrets import opened_key
from store.database import Store
from store.definitions import get_definition

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
URL = "https://hooks.example.org/things"


def document(secret: str, url: str = URL) -> dict:
    return {
        "name": "things",
        "key": ["id"],
        "fields": [{"name": "id"}],
        "destination": {"table": "things"},
        "webhooks": [{"url": url, "secret": secret}],
    }


@pytest.fixture
def stored(service, tenant):
    """Gives what the store has: the secret as it is kept, the bytes with which it signs, the version."""

    def look():
        with Store.opened(service.settings) as store, store.read() as session:
            found = get_definition(session, tenant, "things")
        (hook,) = found.definition.webhooks
        key = opened_key(hook.secret, lambda: Seal(secret_key(service.settings), tenant))
        return hook.secret, key, found.version

    return look


def test_a_secret_goes_in_is_kept_sealed_and_shown_as_a_mask(client, stored):
    answer = client.put("/definitions/things", json=document(SECRET))
    assert answer.status_code == 201
    shown = client.get("/definitions/things")
    assert shown.json()["definition"]["webhooks"] == [
        {"url": URL, "secret": MASK, "events": ["created", "updated"]}
    ]
    kept, _, _ = stored()
    for text in (answer.text, shown.text, kept):
        assert SECRET not in text
    assert kept not in shown.text


def test_a_document_that_is_brought_back_as_it_is_shown_keeps_its_secret_and_its_version(client, stored):
    client.put("/definitions/things", json=document(SECRET))
    before = stored()
    shown = client.get("/definitions/things").json()["definition"]
    assert client.put("/definitions/things", json=shown).status_code == 200
    assert stored() == before
    client.put("/definitions/things", json=document(MASK, "https://new.example.org/"))
    assert (stored()[1], stored()[2]) == (before[1], 2)
    client.put("/definitions/things", json=document(OTHER))
    assert stored()[1] != before[1]


@pytest.mark.parametrize(
    ("secret", "url", "status"),
    [
        (MASK, URL, 422),
        ("sealed:gAAAAA", URL, 422),
        ("env:HOME", URL, 403),
        (SECRET, "http://hooks.example.org/", 403),
        ("not a secret", URL, 422),
    ],
)
def test_what_a_tenant_may_not_say_is_refused_and_not_repeated(client, secret, url, status):
    answer = client.put("/definitions/things", json=document(secret, url))
    assert answer.status_code == status
    assert secret == MASK or secret not in answer.text


def test_a_tenant_may_name_no_folder_to_be_watched(client):
    watching = document(SECRET) | {"watch": {"folder": "/srv/others", "pattern": "*.csv"}}
    answer = client.put("/definitions/things", json=watching)
    assert (answer.status_code, answer.json()["rule"]) == (403, "watch.folder")


def notifying(secret: str, **more) -> dict:
    return document(SECRET) | {"webhooks": [], "notify": {"webhook": {"url": URL, "secret": secret}} | more}


def test_the_secret_of_a_notice_is_kept_sealed_shown_as_a_mask_and_kept_where_that_is_brought_back(
    client, service, tenant
):
    assert client.put("/definitions/things", json=notifying(SECRET)).status_code == 201
    shown = client.get("/definitions/things").json()["definition"]
    assert shown["notify"]["webhook"] == {"url": URL, "secret": MASK}
    assert client.put("/definitions/things", json=shown).status_code == 200
    with Store.opened(service.settings) as store, store.read() as session:
        kept = get_definition(session, tenant, "things").definition.notice_webhook
    assert kept.secret.startswith("sealed:")
    assert opened_key(kept.secret, lambda: Seal(secret_key(service.settings), tenant))


def test_the_operators_secret_is_refused_to_a_tenants_notice(client):
    answer = client.put("/definitions/things", json=notifying("env:HOME"))
    assert (answer.status_code, answer.json()["rule"]) == (403, "secret.reference")


def test_only_a_key_that_may_have_mail_sent_keeps_a_definition_that_mails(service, tenant):
    mailing = notifying(SECRET, mail="somebody@example.com")
    with service.client(service.key(tenant, Scope.DEFINITIONS_WRITE).token) as client:
        answer = client.put("/definitions/things", json=mailing)
        assert (answer.status_code, answer.json()["rule"]) == (403, "mail.scope")
    with service.client(
        service.key(tenant, Scope.DEFINITIONS_WRITE, Scope.BEGIN_WORKFLOW_IMPORT).token
    ) as client:
        assert client.put("/definitions/things", json=mailing).status_code == 201


def to_server(password: str) -> dict:
    place = {"url": "sftp://me@files.example.org/out/{job_id}.csv", "secrets": {"password": password}}
    return document(SECRET) | {"mode": "insert", "webhooks": [], "destination": place}


def test_the_secret_of_a_place_is_kept_sealed_shown_as_a_mask_and_kept_where_that_is_brought_back(service):
    with service.client(service.key("local", Scope.ADMIN).token) as client:
        made = client.put(
            "/definitions/things-to-a-server", json=to_server("geheim") | {"name": "things-to-a-server"}
        )
        assert made.status_code == 201
        shown = client.get("/definitions/things-to-a-server")
        assert shown.json()["definition"]["destination"]["secrets"] == {"password": MASK}
        again = client.put("/definitions/things-to-a-server", json=shown.json()["definition"])
        assert (again.status_code, again.json()["version"]) == (200, 1)
        assert "geheim" not in made.text + shown.text
    with Store.opened(service.settings) as store, store.read() as session:
        kept = get_definition(session, "local", "things-to-a-server").definition.destination
    assert kept.secrets["password"].startswith("sealed:")
