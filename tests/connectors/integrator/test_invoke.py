"""Invoke: records go in while the client waits, and each is answered for itself."""

import sqlite3
from contextlib import closing

import pytest

from schemas.principal import Scope
from tests.connectors.face_client import face_client
from tests.connectors.integrator.integrator_client import FIELDS, NOWHERE, refused


@pytest.fixture
def table(service, tenant):
    """Runs a statement in the tenant's own database; a name alone reads the table of that name."""

    def run(statement):
        sql = statement if " " in statement else f"SELECT * FROM {statement} ORDER BY 1"
        path = service.settings.table_path(tenant)
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(sql).fetchall()

    return run


def invoked(integrator, import_id, sent, path="imports"):
    """The results of an invoke, one for each record."""
    answer = integrator.http.post(f"/v1/{path}/{import_id}/invoke", json=sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.json()


def test_each_record_is_answered_in_order_and_one_that_is_wrong_costs_no_other(integrator, table):
    rules = [*FIELDS, {"extract": "Age", "generate": "age", "dataType": "number"}]
    rules[1] = {"extract": "Size", "generate": "name", "lookupName": "sizes"}
    lookups = [{"name": "sizes", "map": {"s": "small"}, "allowFailures": False}]
    made = integrator.create(mapping={"fields": rules}, lookups=lookups)
    records = [
        {"Id": "1", "Size": "s", "Age": 7},
        {"Id": "2", "Size": "xl", "Age": 7},
        {"Id": "3", "Size": "s", "Age": "old"},
        {"Size": "s"},
        {"Id": "5", "Size": "s", "Age": 1.25},
    ]
    results = invoked(integrator, made["_id"], records)
    assert [result["statusCode"] for result in results] == [200, 422, 422, 422, 200]
    assert results[0] == {"statusCode": 200, "_json": {}, "id": "1"}
    errors = [result["errors"] for result in results[1:4]]
    assert [[error["source"] for error in each] for each in errors] == [["lookup"], ["mapping"], ["mapping"]]
    assert all({"code", "message", "source"} == error.keys() for each in errors for error in each)
    assert table("people") == [("1", "small", 7.0), ("5", "small", 1.25)]


@pytest.mark.parametrize("path", ["imports", "import"])
def test_one_record_alone_and_records_with_settings_are_taken_at_both_paths(integrator, table, path):
    rules = [FIELDS[0], {"extract": "{{settings.site}}: {{record.Name}}", "generate": "name"}]
    made = integrator.create(mapping={"fields": rules})
    assert invoked(integrator, made["_id"], [], path) == []
    (result,) = invoked(
        integrator, made["_id"], {"data": [{"Id": 1, "Name": "Jo"}], "settings": {"site": "A"}}, path
    )
    assert result == {"statusCode": 200, "_json": {}, "id": "1"}
    (result,) = invoked(integrator, made["_id"], {"Id": 2, "Name": "Al"}, path)
    assert result["statusCode"] == 200
    assert table("people") == [("1", "A: Jo"), ("2", ": Al")]


def test_what_exists_is_ignored_or_updated_as_the_import_says(integrator, table):
    made = integrator.create()
    invoked(integrator, made["_id"], [{"Id": 1, "Name": "Jo"}])
    ignoring = integrator.put(made["_id"], {**made, "ignoreExisting": True})
    results = invoked(integrator, ignoring["_id"], [{"Id": 1, "Name": "Al"}, {"Id": 2, "Name": "Al"}])
    assert [result.get("ignored") for result in results] == [True, None]
    updating = integrator.put(made["_id"], {**made, "ignoreMissing": True})
    results = invoked(integrator, updating["_id"], [{"Id": 1, "Name": "Di"}, {"Id": 9, "Name": "Di"}])
    assert [result.get("ignored") for result in results] == [None, True]
    assert table("people") == [("1", "Di"), ("2", "Al")]


def test_a_table_that_is_made_later_gives_its_types(integrator, table):
    made = integrator.create(mapping={"fields": [*FIELDS, {"extract": "Age", "generate": "age"}]})
    table("CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, age INTEGER)")
    results = invoked(integrator, made["_id"], [{"Id": 1, "Age": 7}, {"Id": 2, "Age": "x"}])
    assert [result["statusCode"] for result in results] == [200, 422]
    assert table("people") == [("1", None, 7)]


def test_what_is_not_served_is_told_at_invoke_and_not_before(integrator):
    made = integrator.create(hooks={"preMap": {"function": "f", "_scriptId": NOWHERE}})
    answer = integrator.http.post(f"/v1/imports/{made['_id']}/invoke", json=[{"Id": 1}])
    assert refused(answer, 422)


def test_an_unknown_import_and_a_body_that_is_no_json_are_refused(integrator):
    assert refused(integrator.http.post(f"/v1/imports/{NOWHERE}/invoke", json=[{}]), 404)
    made = integrator.create()
    path = f"/v1/imports/{made['_id']}/invoke"
    for body, status in ((b"[{", 400), (b"[1]", 422), (b'"x"', 422)):
        assert refused(integrator.http.post(path, content=body), status)
    assert refused(integrator.http.post(path, content=b"[" + b" " * 6_000_000 + b"]"), 413)


def test_invoking_takes_the_scope_to_import(service, tenant, integrator):
    made = integrator.create()
    with face_client(service, "integrator", tenant, Scope.IMPORTS_READ) as reader:
        assert refused(reader.http.post(f"/v1/imports/{made['_id']}/invoke", json=[{"Id": 1}]), 403)
