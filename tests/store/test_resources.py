"""Imports and connections as documents: whose they are, and what was changed in them when."""

from datetime import timedelta

from schemas.clock import utc_now
from store.definitions import made_at, put_definition
from store.resource_tables import ImportResource, ResourceChange
from store.resources import (
    ChangeFilter,
    add_changes,
    find_integrator_connection,
    find_resource,
    keep_integrator_connection,
    keep_resource,
    list_changes,
    list_integrator_connections,
    list_resources,
    remove_integrator_connection,
)

LONG_AGO = utc_now() - timedelta(days=10)


def resource(resource_id="a" * 24, tenant="acme", **said):
    document = {"name": "x\0\ud800", "unknown": {"deep": [1, {"a": None}]}, "n": 12345678901234567890}
    return ImportResource(tenant=tenant, id=resource_id, api_identifier="i1", document=document, **said)


def change(path="name", tenant="acme", resource_id="a" * 24, **said):
    known = {"event": "update", "source": "api", "key_id": "k1", "old_value": {"a": [1]}, "new_value": False}
    return ResourceChange(tenant=tenant, resource_id=resource_id, field_path=path, **{**known, **said})


def test_a_document_is_kept_as_it_is_and_belongs_to_one_tenant(store):
    kept = resource()
    with store.write() as session:
        keep_resource(session, kept)
        keep_resource(session, resource(tenant="other"))
        keep_resource(session, resource("b" * 24, removed_at=utc_now()))
    with store.read() as session:
        assert find_resource(session, "acme", "a" * 24).document == resource().document
        assert [found.id for found in list_resources(session, "acme")] == ["a" * 24]
        assert find_resource(session, "acme", "b" * 24).removed_at is not None
        for tenant, resource_id in (("acme", "c" * 24), ("nobody", "a" * 24), ("acme", "no\0id")):
            assert find_resource(session, tenant, resource_id) is None


def test_changes_are_listed_the_newest_first_and_found_by_each_of_their_marks(store):
    with store.write() as session:
        add_changes(session, [change("first", at=LONG_AGO), change("second")], LONG_AGO)
        add_changes(session, [change("third", event="create", source="ui", key_id="k2")], LONG_AGO)
        add_changes(session, [change("other", tenant="other"), change("not", resource_id="b" * 24)], LONG_AGO)
    with store.read() as session:

        def paths(limit=10, **wanted):
            found = list_changes(session, "acme", "a" * 24, ChangeFilter(**wanted), limit)
            return [entry.field_path for entry in found]

        assert paths() == ["third", "second", "first"]
        assert paths(limit=1) == ["third"]
        assert paths(since=LONG_AGO + timedelta(days=1)) == ["third", "second"]
        assert paths(until=LONG_AGO) == ["first"]
        assert paths(event="create") == paths(source="ui") == paths(key_id="k2") == ["third"]
        (entry,) = list_changes(session, "other", "a" * 24, ChangeFilter())
        assert (entry.old_value, entry.new_value) == ({"a": [1]}, False)


def test_what_a_tenant_changed_too_long_ago_is_forgotten_with_its_next_change(store):
    with store.write() as session:
        add_changes(session, [change("old", at=LONG_AGO), change("old", at=LONG_AGO, tenant="other")], LONG_AGO)
        add_changes(session, [change("new")], LONG_AGO + timedelta(days=1))
    with store.read() as session:
        assert [c.field_path for c in list_changes(session, "acme", "a" * 24, ChangeFilter())] == ["new"]
        assert [c.field_path for c in list_changes(session, "other", "a" * 24, ChangeFilter())] == ["old"]


def test_a_connection_says_what_was_said_last_until_it_is_taken_back(store):
    with store.write() as session:
        keep_integrator_connection(session, "acme", "a" * 24, {"name": "1"}, {"ftp.password": "sealed:1"})
        keep_integrator_connection(session, "acme", "a" * 24, {"name": "2"}, {"ftp.password": "sealed:2"})
        keep_integrator_connection(session, "other", "b" * 24, {"name": "3"}, {})
    with store.write() as session:
        (kept,) = list_integrator_connections(session, "acme")
        assert (kept.document, kept.secrets) == ({"name": "2"}, {"ftp.password": "sealed:2"})
        assert find_integrator_connection(session, "acme", "b" * 24) is None
        remove_integrator_connection(session, kept)
        assert find_integrator_connection(session, "acme", "a" * 24) is None
        assert list(list_integrator_connections(session, "acme")) == []
        assert kept.secrets == {}


def test_a_definition_was_made_when_its_first_version_was(store, make_definition):
    with store.write() as session:
        first = put_definition(session, "acme", make_definition())
        put_definition(session, "acme", make_definition(destination={"table": "others"}))
        assert made_at(session, "acme") == {("acme", "things"): first.created_at}
