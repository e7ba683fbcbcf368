"""Connections by name: whose they are, what a name means, and what jobs under way forbid."""

import pytest

from schemas.connection import ConnectionDocument
from schemas.errors import ConflictError, NotAllowedError, NotFoundError
from schemas.job import JobState
from store.connections import (
    keep_secret,
    list_connections,
    own_connection,
    put_connection,
    remove_connection,
    resolved_connection,
)
from store.definitions import put_definition
from store.jobs import get_job, set_values

URL = "https://vendor.example"


def put(session, tenant="local", name="crm", url=URL, tenants=(), **secrets):
    document = ConnectionDocument(name=name, connector="teamtracks", url=url, tenants=tenants)
    return put_connection(session, tenant, document, secrets)


def test_a_name_means_ones_own_connection_else_the_one_that_was_granted(store):
    with store.write() as session:
        put(session, tenants=["acme", "acme", "other"])
        put(session, tenant="acme", url="https://own.example")
    with store.read() as session:
        meant = {t: resolved_connection(session, t, "crm").url for t in ("local", "acme", "other")}
        assert meant == {"local": URL, "acme": "https://own.example", "other": URL}
        assert resolved_connection(session, "other", "crm").tenants == ["acme", "other"]
        assert [(c.tenant, c.name) for c in list_connections(session, "acme")] == [("acme", "crm")]
        assert [(c.tenant, c.name) for c in list_connections(session, "other")] == [("local", "crm")]
        assert len(list_connections(session)) == 2


def test_whether_there_is_a_name_is_not_told_to_whom_it_was_not_granted(store):
    with store.write() as session:
        put(session)
        put(session, tenant="acme", name="mine")
        said = []
        for name in ("crm", "mine", "nowhere", "no\0where"):
            with pytest.raises(NotAllowedError) as refused:
                resolved_connection(session, "stranger", name)
            assert refused.value.rule == "connection.not_granted"
            said.append(str(refused.value).replace(repr(name), "NAME").replace(name, "NAME"))
        assert len(set(said)) == 1
        assert "lading connections add NAME --connector ... --url ... --grant stranger" in said[0]
        with pytest.raises(NotAllowedError):
            resolved_connection(session, "local", "mine")


def test_said_again_everything_is_as_said_last(store):
    with store.write() as session:
        put(session, tenants=["acme"], token="env:A", password="env:B")
        put(session, url="https://new.example", token="env:C")
    with store.read() as session:
        kept = own_connection(session, "local", "crm")
        assert (kept.url, kept.secrets, kept.tenants) == ("https://new.example", {"token": "env:C"}, [])


def test_a_secret_that_the_vendor_gave_is_kept_beside_the_others_where_it_was_given(store):
    with store.write() as session:
        before = put(session, password="env:B")
        keep_secret(session, before, "token", "sealed:1")
        assert own_connection(session, "local", "crm").secrets == {"password": "env:B", "token": "sealed:1"}
        session.expunge(before)
        put(session, url="https://new.example", password="env:B")
        keep_secret(session, before, "token", "sealed:2")
        assert own_connection(session, "local", "crm").secrets == {"password": "env:B"}
        remove_connection(session, "local", "crm")
        keep_secret(session, before, "token", "sealed:3")
        assert own_connection(session, "local", "crm") is None


@pytest.mark.parametrize("name", ["crm", "no\0where"])
def test_only_ones_own_can_be_removed(store, name):
    with store.write() as session:
        put(session, tenants=["acme"])
        with pytest.raises(NotFoundError, match="'acme' has no connection named"):
            remove_connection(session, "acme", name)


@pytest.mark.parametrize(("tenant", "is_kept"), [("local", True), ("acme", True), ("other", False)])
def test_a_connection_to_which_a_job_delivers_stays_as_it_is(store, new_job, make_definition, tenant, is_kept):
    job_id = new_job()
    destination = {"connection": "crm", "track_id": "1"}
    with store.write() as session:
        put(session, tenants=["acme", "other"])
        put(session, tenant="other", url="https://own.example")
        stored = put_definition(session, tenant, make_definition(destination=destination))
        job = get_job(session, job_id)
        job.definition_id, job.tenant = stored.id, tenant
    with store.write() as session:
        if is_kept:
            with pytest.raises(ConflictError, match=r"'crm' \(definitions things\)"):
                remove_connection(session, "local", "crm")
            with pytest.raises(ConflictError):
                put(session, url="https://elsewhere.example")
            put(session, token="env:NEW")
            set_values(session, job_id, epoch=0, state=JobState.FAILED, rows=0)
        put(session, url="https://elsewhere.example")
        remove_connection(session, "local", "crm")
        assert own_connection(session, "local", "crm") is None
