"""An import of integrator.io and a definition of Lading are two views of one thing."""

import pytest

from tests.connectors.integrator.integrator_client import Integrator, refused


@pytest.fixture
def lading(service, client):
    with service.client(client.key.token) as http:
        yield http


def things(**changes):
    return {
        "name": "things",
        "key": ["id"],
        "fields": [
            {"name": "id", "header": "Id", "type": "string", "required": True},
            {"name": "amount", "header": "Amount", "type": "integer", "min": 0},
        ],
        "destination": {"database": "default", "table": "things"},
        **changes,
    }


def test_a_definition_is_an_import_that_can_be_changed_and_cloned(integrator, client, lading):
    assert lading.put("/definitions/things", json=things()).is_success
    (shown,) = integrator.listed(name="things")
    assert shown["rdbms"]["bulkLoad"] == {"tableName": "things", "primaryKeys": ["id"]}
    assert shown["mapping"]["fields"][0] == {"extract": "Id", "generate": "id"}
    assert integrator.get(shown["_id"]) == shown
    rules = [*shown["mapping"]["fields"], {"extract": "Note", "generate": "note"}]
    put = integrator.put(shown["_id"], shown | {"mapping": {"fields": rules}})
    assert (put["_id"], put["mapping"]["fields"]) == (shown["_id"], rules)
    defined = lading.get("/definitions/things").json()["definition"]
    assert [field["name"] for field in defined["fields"]] == ["id", "amount", "note"]
    amount = defined["fields"][1]
    assert (amount["type"], amount["min"]) == ("integer", 0)
    clone = Integrator._answer(client.http.post(f"/v1/imports/{shown['_id']}/clone"), 201)
    assert (clone["_sourceId"], clone["mapping"]) == (shown["_id"], put["mapping"])
    assert {found["_id"] for found in integrator.own()} == {shown["_id"], clone["_id"]}


def test_a_change_of_its_definition_shows_in_the_import(integrator, lading):
    made = integrator.create(unknown=1)
    document = lading.get("/definitions/people").json()["definition"]
    document["destination"]["table"] = "persons"
    assert lading.put("/definitions/people", json=document).is_success
    now = integrator.get(made["_id"])
    assert now["rdbms"]["bulkLoad"]["tableName"] == "persons"
    assert (now["unknown"], now["name"], now["mapping"]) == (1, "People", made["mapping"])


def test_a_file_is_imported_by_an_import_made_here(integrator, client, lading):
    integrator.create()
    brought = {"file": ("people.csv", b"Name,Id\nAda,a\nBo,b\n", "text/csv")}
    assert lading.post("/jobs", data={"definition": "people"}, files=brought).status_code == 202
    client.finish_jobs()
    assert client.table("people") == [{"id": "a", "name": "Ada"}, {"id": "b", "name": "Bo"}]


def test_whoever_removes_the_definition_removes_the_import(integrator, client, lading):
    made = integrator.create()
    assert lading.delete("/definitions/people").status_code == 204
    refused(client.http.get(f"/v1/imports/{made['_id']}"), 404)
    assert integrator.own() == []


def test_what_the_operator_shares_can_be_cloned_and_not_changed(integrator, client):
    (shared,) = integrator.listed(name="starmind-tags")
    path = f"/v1/imports/{shared['_id']}"
    for answer in (
        client.http.put(path, json=shared | {"_connectionId": integrator.database}),
        client.http.patch(path, json=[{"op": "add", "path": "/assistantMetadata", "value": 1}]),
        client.http.delete(path),
    ):
        assert refused(answer, 403) == [("access_restricted", None)]
    clone = Integrator._answer(client.http.post(f"{path}/clone", json={"name": "Tags"}), 201)
    assert clone["mapping"] == shared["mapping"]
    assert integrator.own() == [clone]
