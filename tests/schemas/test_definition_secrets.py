"""Secrets of a definition's places: sealed, masked, kept where a mask is brought back, opened for a tenant."""

import pytest

from schemas.definition_secrets import are_kept_safely, masked, sealed
from schemas.errors import DefinitionError, FatalError
from schemas.place_secrets import opened_secrets_of, unsealing
from schemas.secret_key import Seal, secret_key
from schemas.webhook import MASK

URL = "sftp://me@files.example.org/out/{job_id}.csv"


@pytest.fixture
def to_file(make_definition):
    """Makes a definition whose records go to a file on a server, with this password."""

    def make(password, url=URL, **more):
        out = {"url": url, "secrets": {"password": password}, **more}
        return make_definition(mode="insert", destination=out)

    return make


@pytest.fixture
def seal(settings):
    return lambda: Seal(secret_key(settings), "acme")


def password_of(settings, definition, tenant="acme"):
    return opened_secrets_of(definition.destination, unsealing(settings, tenant))["password"]


def test_a_secret_is_stored_sealed_shown_as_a_mask_and_opened_for_its_tenant(to_file, seal, settings):
    brought = to_file("geheim")
    stored = sealed(brought, None, seal)
    assert "geheim" not in stored.model_dump_json()
    assert (are_kept_safely(brought), are_kept_safely(stored)) == (False, True)
    assert masked(stored).destination.secrets == {"password": MASK}
    assert not are_kept_safely(masked(stored))
    assert password_of(settings, stored) == "geheim"
    with pytest.raises(FatalError, match="can't be opened"):
        password_of(settings, stored, "globex")


def test_a_secret_is_in_no_text_of_its_place(to_file):
    assert "geheim" not in f"{to_file('geheim').destination!r}"


def test_what_is_brought_back_as_it_is_shown_or_was_said_is_the_same_definition(to_file, seal):
    stored = sealed(to_file("geheim"), None, seal)
    assert sealed(masked(stored), stored, seal) == stored
    assert sealed(to_file("geheim"), stored, seal) == stored


def test_a_new_secret_takes_the_place_of_the_old_one(to_file, seal, settings):
    stored = sealed(to_file("geheim"), None, seal)
    assert password_of(settings, sealed(to_file("neu"), stored, seal)) == "neu"


def test_a_mask_keeps_the_secret_in_another_folder_of_the_same_server(to_file, seal, settings):
    stored = sealed(to_file("geheim"), None, seal)
    moved = to_file(MASK, "sftp://me@files.example.org/in/x.csv")
    assert password_of(settings, sealed(moved, stored, seal)) == "geheim"


@pytest.mark.parametrize(
    "other",
    [
        {"url": "sftp://me@mine.example.org/out/x.csv"},
        {"url": "sftp://you@files.example.org/out/x.csv"},
        {"url": "sftp://me@files.example.org:2222/out/x.csv"},
        {"url": "ftp://me@files.example.org/out/x.csv"},
        {"options": {"host_key": "ssh-ed25519 AAAA"}},
    ],
    ids=str,
)
def test_a_secret_that_was_told_for_one_server_is_sent_to_no_other(to_file, seal, other):
    stored = sealed(to_file("geheim"), None, seal)
    with pytest.raises(DefinitionError, match="stands for no secret of this server yet"):
        sealed(to_file(MASK, **other), stored, seal)


def test_a_seal_from_outside_is_refused_and_one_from_here_is_kept(to_file, seal, settings):
    closed = f"sealed:{seal().close('geheim')}"
    with pytest.raises(DefinitionError, match=r"destination\.secrets\.password: a sealed secret"):
        sealed(to_file(closed), None, seal)
    assert password_of(settings, sealed(to_file(closed), None, seal, {closed})) == "geheim"


def test_a_reference_is_kept_and_shown_and_read_where_it_is_used(to_file, seal, settings, monkeypatch):
    stored = sealed(to_file("env:FILES"), None, seal)
    assert masked(stored).destination.secrets == {"password": "env:FILES"}
    monkeypatch.setenv("FILES", "geheim")
    assert password_of(settings, stored) == "geheim"


def test_the_secrets_of_a_source_are_sealed_too(make_definition, seal, settings):
    source = {"url": "sftp://me@files.example.org/in/*.csv", "secrets": {"password": "geheim"}}
    stored = sealed(make_definition(source=source), None, seal)
    assert masked(stored).source.secrets == {"password": MASK}
    assert opened_secrets_of(stored.source, unsealing(settings, "acme")) == {"password": "geheim"}


def test_what_the_operator_sealed_is_opened_for_a_tenant_that_uses_the_definition(to_file, settings):
    shared = sealed(to_file("geheim"), None, lambda: Seal(secret_key(settings), "local"))
    assert password_of(settings, shared, "acme") == "geheim"
