"""The operator gives vendors' systems names; secrets stay where they are."""

import pytest

from tests.connectors.scripted import teamtracks
from tests.connectors.scripted.vendor import scripted

pytestmark = pytest.mark.slow

TOKEN = "t0ken-of-the-vendor"
ADD = ["connections", "add", "crm", "--connector", "teamtracks", "--option", f"tenant={teamtracks.TENANT}"]
KEYS = ["--secret", "subscription_key=env:CRM_KEY", "--secret", "token=env:CRM_TOKEN"]


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("CRM_KEY", teamtracks.SUBSCRIPTION_KEY)
    monkeypatch.setenv("CRM_TOKEN", TOKEN)


@pytest.mark.usefixtures("secrets")
def test_a_connection_is_named_listed_tried_and_taken_back(lading, home):
    with scripted(teamtracks.ScriptedTeamTracks(token=TOKEN)) as vendor:
        added = lading(*ADD, "--url", vendor.url, *KEYS, "--grant", "acme", "--json").json
        assert added == {
            "name": "crm",
            "tenant": "local",
            "connector": "teamtracks",
            "url": vendor.url,
            "options": {"tenant": "acme-tenant"},
            "secrets": {"subscription_key": "env:CRM_KEY", "token": "env:CRM_TOKEN"},
            "tenants": ["acme"],
        }
        assert lading("connections", "list", "--json").json == {"connections": [added]}
        assert lading("connections", "list").out == (
            f"crm: teamtracks at {vendor.url} (tenant=acme-tenant, subscription_key=env:CRM_KEY, "
            "token=env:CRM_TOKEN); for local, acme\n"
        )
        tried = lading("connections", "test", "crm")
        assert (tried.status, "TeamTracks knows the tenant" in tried.out) == (0, True)
        vendor.script.token = "another"
        refused = lading("connections", "test", "crm")
    assert (refused.status, "was answered with 401: the token is not valid" in refused.err) == (4, True)
    gone = lading("connections", "test", "crm")
    assert (gone.status, "could not be made" in gone.err) == (4, True)
    for path in (path for path in home.home.rglob("*") if path.is_file()):
        assert TOKEN.encode() not in path.read_bytes()
    assert lading("connections", "remove", "crm", "--json").json == {"name": "crm"}
    assert lading("connections", "list", "--json").json == {"connections": []}


def test_a_token_that_was_fetched_is_kept_sealed(lading, home, monkeypatch):
    monkeypatch.setenv("CRM_KEY", teamtracks.SUBSCRIPTION_KEY)
    monkeypatch.setenv("CRM_PASSWORD", teamtracks.PASSWORD)
    with scripted(teamtracks.ScriptedTeamTracks()) as vendor:
        lading(
            *(*ADD, "--url", vendor.url, "--option", "client_id=c", "--option", "email=a@acme.example"),
            *("--secret", "subscription_key=env:CRM_KEY", "--secret", "password=env:CRM_PASSWORD"),
        )
        assert [lading("connections", "test", "crm").status for _ in range(2)] == [0, 0]
        assert vendor.count("token") == 1
    (kept,) = lading("connections", "list", "--json").json["connections"]
    assert kept["secrets"]["token"] == "******"
    for path in (path for path in home.home.rglob("*") if path.is_file()):
        assert vendor.script.token.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--secret", "token=s3cret"], "put it into an environment variable and name that: token=env:VARIABLE"),
        (["--secret", "s3cret"], "--secret takes KEY=VALUE; one of them has no ="),
        ([*KEYS, "--secret", "token=env:B"], "--secret names 'token' twice"),
        ([*KEYS, "--option", "colour=x"], "options: teamtracks knows no 'colour'"),
        (KEYS[:2], "teamtracks needs as options and secrets: "),
        ([*KEYS, "--grant", "A"], "tenants.0: "),
    ],
)
def test_what_can_be_no_connection_is_wrong_usage(lading, arguments, says):
    said = lading(*ADD, "--url", "https://vendor.example", *arguments)
    assert (said.status, says in said.err, "s3cret" in said.err) == (2, True, False)
    assert lading("connections", "list", "--json").json == {"connections": []}


def test_a_secret_that_is_not_set_is_named(lading):
    lading(*ADD, "--url", "https://vendor.example", *KEYS)
    said = lading("connections", "test", "crm")
    assert (said.status, "the environment variable CRM_KEY, the connection's secret" in said.err) == (2, True)
    assert lading("connections", "test", "nobody").status == 2
