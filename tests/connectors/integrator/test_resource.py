"""Imports as a resource: made, looked at, changed, removed, cloned; and what is told of each change."""

import json
import re
from copy import deepcopy

import pytest

from schemas.principal import Scope
from tests.connectors.face_client import face_client
from tests.connectors.integrator.integrator_client import FIELDS, NOWHERE, Integrator, refused


def test_an_import_has_ids_and_times_and_says_what_was_said(integrator):
    document = integrator.table(unknown={"deep": [1.5, None, {"x": False}]}, distributed=False)
    made = integrator.create(document)
    assert integrator.get(made["_id"]) == made
    assert re.fullmatch("[0-9a-f]{24}", made.pop("_id"))
    assert re.fullmatch("i[0-9a-f]{9}", made.pop("apiIdentifier"))
    for name in ("createdAt", "lastModified"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made.pop(name))
    assert made == document


def test_what_integrator_makes_is_not_a_clients_to_write(integrator):
    sent = {
        "_id": NOWHERE,
        "apiIdentifier": "i123",
        "createdAt": "2001-01-01T00:00:00.000Z",
        "lastModified": "2001-01-01T00:00:00.000Z",
        "_sourceId": NOWHERE,
        "_templateId": NOWHERE,
        "sandbox": True,
        "draft": True,
    }
    made = integrator.create(**sent)
    assert not sent.items() & made.items()
    assert (
        integrator.put(made["_id"], made | sent | {"_id": made["_id"]})["lastModified"] >= made["lastModified"]
    )


def test_a_put_drops_what_it_omits_and_takes_no_notice_of_an_old_time(integrator):
    made = integrator.create(description="old", ignoreExisting=True, unknown=1)
    stale = {key: made[key] for key in ("_id", "name", "_connectionId", "adaptorType", "rdbms", "mapping")}
    now = integrator.put(made["_id"], stale | {"lastModified": "2017-06-23T17:31:04.446Z"})
    assert now == stale | {key: now[key] for key in ("createdAt", "lastModified", "apiIdentifier")}
    assert now["lastModified"] > made["lastModified"]
    assert (now["createdAt"], now["apiIdentifier"]) == (made["createdAt"], made["apiIdentifier"])
    assert integrator.changes(made["_id"]) == {
        "description": ("old", None),
        "ignoreExisting": (True, None),
        "unknown": (1, None),
    }


def test_empty_arrays_are_left_out_but_for_what_is_a_clients_own(integrator):
    made = integrator.create(
        lookups=[],
        file={"lookups": [], "csv": {"includeHeader": False, "list": []}, "kept": [[]]},
        sampleData={"rows": []},
        settings=[],
    )
    assert "lookups" not in made
    assert made["file"] == {"csv": {"includeHeader": False}, "kept": [[]]}
    assert (made["sampleData"], made["settings"]) == ({"rows": []}, [])


def test_each_changed_field_is_one_entry_of_the_audit_the_newest_first(integrator, client):
    made = integrator.create()
    document = deepcopy(made) | {"name": "Others", "description": "new", "lookups": []}
    document["mapping"]["fields"][1]["generate"] = "called"
    integrator.put(made["_id"], document)
    integrator.put(made["_id"], document)
    entries = integrator.audit(made["_id"])
    assert [entry["event"] for entry in entries] == ["update"] * 3 + ["create"]
    assert integrator.changes(made["_id"]) == {
        "name": ("People", "Others"),
        "mapping.fields[1].generate": ("name", "called"),
        "description": (None, "new"),
    }
    for entry in entries:
        assert (entry["resourceType"], entry["_resourceId"], entry["source"]) == ("import", made["_id"], "api")
        assert entry["byUser"] == {"_id": f"{client.key.key_id:0>24}", "name": client.key.key_id}
        assert re.fullmatch("[0-9a-f]{24}", entry["_id"])
    assert "fieldChange" not in entries[-1]
    assert len({entry["_id"] for entry in entries}) == 4


def test_the_audit_is_searched_by_event_source_user_and_time(integrator, client):
    made = integrator.create()["_id"]
    integrator.patch(made, {"op": "add", "path": "/assistantMetadata", "value": 1})
    newest, oldest = integrator.audit(made)
    user = newest["byUser"]["_id"]
    assert integrator.audit(made, action="UPDATE") == [newest]
    assert integrator.audit(made, action="Create", source="API", _byUserId=user) == [oldest]
    assert integrator.audit(made, limit=1) == [newest]
    for nothing in ({"source": "ui"}, {"_byUserId": NOWHERE}, {"from": "2100-01-01T00:00:00.000Z"}):
        assert integrator.audit(made, **nothing) == []
    assert len(integrator.audit(made, **{"from": oldest["time"], "to": "2100-01-01"})) == 2
    for no_time in ("soon", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"):
        answer = client.http.get(f"/v1/imports/{made}/audit", params={"from": no_time})
        assert refused(answer, 400) == [("invalid_query_params", "from")]


def test_a_patch_changes_two_fields_and_no_others(integrator, client):
    made = integrator.create()
    until, path = "2030-01-01T00:00:00.000Z", f"/v1/imports/{made['_id']}"
    integrator.patch(
        made["_id"],
        {"op": "replace", "path": "/debugUntil", "value": until},
        {"op": "add", "path": "/assistantMetadata", "value": {"any": [1]}},
    )
    changed = integrator.get(made["_id"])
    assert (changed["debugUntil"], changed["assistantMetadata"]) == (until, {"any": [1]})
    assert set(integrator.changes(made["_id"])) == {"debugUntil", "assistantMetadata"}
    integrator.patch(
        made["_id"], {"op": "remove", "path": "/debugUntil"}, {"op": "remove", "path": "/debugUntil"}
    )
    assert "debugUntil" not in integrator.get(made["_id"])
    for operation, told in (
        ({"op": "replace", "path": "/name", "value": "x"}, ("invalid_patch_path", "/name")),
        (
            {"op": "replace", "path": "/assistantMetadata/x", "value": 1},
            ("invalid_patch_path", "/assistantMetadata/x"),
        ),
        ({"op": "move", "path": "/debugUntil", "from": "/name"}, ("invalid_field", "debugUntil")),
        ({"op": "replace", "path": "/debugUntil", "value": "soon"}, ("invalid_field", "debugUntil")),
        ({"op": "replace"}, ("invalid_field", "[1].path")),
    ):
        good = {"op": "replace", "path": "/assistantMetadata", "value": "lost"}
        assert refused(client.http.patch(path, json=[good, operation]), 422) == [told]
    assert integrator.get(made["_id"])["assistantMetadata"] == {"any": [1]}
    assert refused(client.http.patch(path, content=b"[{"), 400) == [("malformed_body", None)]


def test_a_removed_import_is_gone_with_its_definition(integrator, client):
    made = integrator.create()
    answer = client.http.delete(f"/v1/imports/{made['_id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    refused(client.http.get(f"/v1/imports/{made['_id']}"), 404)
    refused(client.http.delete(f"/v1/imports/{made['_id']}"), 404)
    assert integrator.own() == []
    with client.service.client(client.key.token) as http:
        assert http.get("/definitions/people").status_code == 404


def test_a_clone_says_the_same_under_another_name(integrator, client):
    made = integrator.create(unknown=[1])
    path = f"/v1/imports/{made['_id']}/clone"
    answers = [client.http.post(path), client.http.post(path, json={"name": "Second", "sandbox": False})]
    clones = [Integrator._answer(answer, 201) for answer in answers]
    assert [clone["name"] for clone in clones] == ["Clone - People", "Second"]
    mine = {"_id", "name", "apiIdentifier", "createdAt", "lastModified", "_sourceId"}
    for clone in clones:
        assert clone["_sourceId"] == made["_id"]
        assert {k: v for k, v in clone.items() if k not in mine} == {
            k: v for k, v in made.items() if k not in mine
        }
    assert len({found["_id"] for found in integrator.own()}) == 3
    again = integrator.put(clones[0]["_id"], clones[0] | {"name": "Third", "_sourceId": NOWHERE})
    assert (again["name"], again["_sourceId"]) == ("Third", made["_id"])
    there = {"connectionMap": {made["_connectionId"]: NOWHERE}}
    assert refused(client.http.post(path, json=there), 422) == [("invalid_ref", "_connectionId")]
    assert refused(client.http.post(path, json={"name": 1}), 422) == [("invalid_field", "name")]


def test_the_connection_is_what_an_import_depends_on_and_can_be_replaced(integrator, client):
    http = integrator.connection({"type": "http", "name": "Shop", "http": {"baseURI": "https://shop.example"}})
    others = integrator.connection({"type": "http", "name": "Second", "http": {}})
    made = integrator.create(
        {"name": "Web", "_connectionId": http["_id"], "adaptorType": "HTTPImport", "http": {"method": ["POST"]}}
    )
    path = f"/v1/imports/{made['_id']}"
    used = {"id": http["_id"], "name": "Shop", "paths": ["_connectionId"], "accessLevel": "owner"}
    assert client.http.get(f"{path}/dependencies").json() == {"connections": [used]}
    answer = client.http.put(f"{path}/replaceConnection", json={"_newConnectionId": others["_id"]})
    assert Integrator._answer(answer, 200)["_connectionId"] == others["_id"]
    assert integrator.changes(made["_id"]) == {"_connectionId": (http["_id"], others["_id"])}
    for body, told in (
        ({"_newConnectionId": NOWHERE}, ("invalid_ref", "_connectionId")),
        ({"_newConnectionId": "x"}, ("invalid_field", "_connectionId")),
        ({}, ("invalid_field", "_newConnectionId")),
    ):
        assert refused(client.http.put(f"{path}/replaceConnection", json=body), 422) == [told]


def test_the_table_of_an_import_is_reached_through_a_database(integrator, client):
    http = integrator.connection({"type": "http", "name": "Shop", "http": {}})
    answer = client.http.post("/v1/imports", json=integrator.table(_connectionId=http["_id"]))
    assert refused(answer, 422) == [("invalid_ref", "_connectionId")]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, [("missing_required_field", "name")]),
        ({"name": 7, "mapping": []}, [("invalid_field", "name"), ("invalid_field", "mapping")]),
        ({"_connectionId": None}, [("missing_required_field", "_connectionId")]),
        ({"_connectionId": "ABC"}, [("invalid_field", "_connectionId")]),
        ({"_connectionId": NOWHERE}, [("invalid_ref", "_connectionId")]),
        ({"adaptorType": "rdbmsimport"}, [("invalid_field", "adaptorType")]),
        ({"adaptorType": None, "rdbms": None}, [("missing_required_field", "adaptorType")]),
        ({"rdbms": None}, [("missing_required_field", "rdbms")]),
        ({"ignoreExisting": "yes"}, [("invalid_field", "ignoreExisting")]),
    ],
)
def test_all_that_keeps_a_document_from_being_an_import_is_told_at_once(integrator, client, changes, told):
    assert refused(client.http.post("/v1/imports", json=integrator.table(**changes)), 422) == told
    made = integrator.create()["_id"]
    assert refused(client.http.put(f"/v1/imports/{made}", json=integrator.table(**changes)), 422) == told
    assert len(integrator.audit(made)) == 1


def test_another_id_in_the_body_than_in_the_address_is_refused(integrator, client):
    made = integrator.create()
    answer = client.http.put(f"/v1/imports/{made['_id']}", json=made | {"_id": NOWHERE})
    assert refused(answer, 422) == [("invalid_field", "_id")]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"\xff", b'{"name": NaN}', b'{"a": 1e999}', b"[" * 100_000, b'{"a":' * 70],
)
def test_a_body_that_is_no_document_is_refused(client, body):
    assert refused(client.http.post("/v1/imports", content=body), 400) == [("malformed_body", None)]


@pytest.mark.parametrize(
    "document",
    [
        {"adaptorType": "HTTPImport", "http": {"method": ["POST"]}},
        {"adaptorType": "SalesforceImport", "salesforce": {"operation": "insert"}},
        {
            "adaptorType": "RDBMSImport",
            "rdbms": {"queryType": ["per_record"], "query": ["SELECT {{{record.x}}}"]},
        },
        {
            "adaptorType": "RDBMSImport",
            "rdbms": {},
            "hooks": {"preMap": {"_scriptId": NOWHERE, "function": "f"}},
        },
        {"adaptorType": "RDBMSImport", "rdbms": {}, "mappings": [{"generate": "x", "status": "Active"}]},
        {"adaptorType": "RDBMSImport", "rdbms": {}, "mapping": {"fields": [{"nonsense": 1}]}},
        {
            "adaptorType": "RDBMSImport",
            "rdbms": {"queryType": ["bulk_insert"], "bulkInsert": {"tableName": "lading_jobs"}},
        },
    ],
    ids=["HTTP", "Salesforce", "SQL", "script", "Mapper 2.0", "a mapping that is none", "a table of Lading's"],
)
def test_what_is_not_served_can_be_kept_all_the_same(integrator, client, document):
    connection = integrator.database
    if document["adaptorType"] != "RDBMSImport":
        connection = integrator.connection({"type": "http", "name": "x", "http": {}})["_id"]
    made = integrator.create({"name": "Not served", "_connectionId": connection, **document})
    assert integrator.put(made["_id"], made)["name"] == "Not served"
    assert integrator.own() == [integrator.get(made["_id"])]
    client.http.delete(f"/v1/imports/{made['_id']}")
    assert integrator.own() == []


@pytest.mark.parametrize("key", ["hardCodedValue", "default"])
def test_half_a_character_in_a_rule_is_kept_and_refused_by_an_invoke(integrator, client, key):
    rule = {"generate": "name", "extract": "Name", key: "\ud800"}
    fields = [{"extract": "Id", "generate": "id"}, rule]
    body = json.dumps(integrator.table(mapping={"fields": fields}))
    made = client.http.post("/v1/imports", content=body)
    assert (made.status_code, made.json()["mapping"]["fields"]) == (201, fields)
    answer = client.http.post(f"/v1/imports/{made.json()['_id']}/invoke", json=[{"Id": "a"}])
    assert [code for code, _ in refused(answer, 422)] == ["invalid_field"]


def test_imports_of_one_name_are_different_things(integrator):
    made = [integrator.create() for _ in range(3)]
    assert len({found["_id"] for found in made}) == len({found["apiIdentifier"] for found in made}) == 3
    assert integrator.put(made[0]["_id"], made[0] | {"mapping": {"fields": FIELDS[:1]}}) != made[0]
    assert integrator.get(made[1]["_id"]) == made[1]


CALLS = [
    ("GET", "/v1/imports/{}"),
    ("PUT", "/v1/imports/{}"),
    ("PATCH", "/v1/imports/{}"),
    ("DELETE", "/v1/imports/{}"),
    ("POST", "/v1/imports/{}/clone"),
    ("GET", "/v1/imports/{}/audit"),
    ("GET", "/v1/imports/{}/dependencies"),
    ("PUT", "/v1/imports/{}/replaceConnection"),
]


def body_of(integrator, method, path):
    if path.endswith("replaceConnection"):
        return {"_newConnectionId": integrator.database}
    return [] if method == "PATCH" else integrator.table()


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_what_is_another_tenants_is_not_there(integrator, stranger, method, path):
    made = integrator.create()
    for import_id in (made["_id"], NOWHERE, "x", "%00", made["_id"].upper()):
        answer = stranger.http.request(method, path.format(import_id), json=body_of(stranger, method, path))
        assert refused(answer, 404) == [("resource_not_found", None)]
    assert integrator.get(made["_id"]) == made


@pytest.mark.parametrize(("method", "path"), [*CALLS, ("GET", "/v1/imports"), ("POST", "/v1/imports")])
def test_a_key_without_the_scope_or_no_key_at_all_is_refused(integrator, service, tenant, method, path):
    path = path.format(integrator.create()["_id"])
    wrong = Scope.DEFINITIONS_WRITE if method == "GET" else Scope.IMPORTS_READ
    with face_client(service, "integrator", tenant, wrong) as client:
        body = body_of(integrator, method, path)
        assert refused(client.http.request(method, path, json=body), 403) == [("access_restricted", None)]
        for sent in ("", "Bearer", "Bearer x", "Basic eDp5", f"Bearer {client.key.key_id}"):
            answer = client.bare.request(method, path, headers={"Authorization": sent} if sent else {})
            assert refused(answer, 401) == [("unauthorized", None)]
            assert answer.headers["www-authenticate"] == "Bearer"
    assert len(integrator.own()) == 1


def test_a_key_for_some_definitions_sees_and_makes_those_imports_only(integrator, service, tenant):
    made = integrator.create()
    with face_client(service, "integrator", tenant, definitions=["others"]) as limited:
        client = Integrator(limited)
        assert client.listed() == []
        refused(limited.http.get(f"/v1/imports/{made['_id']}"), 404)
        refused(limited.http.post("/v1/imports", json=integrator.table()), 403)
        unserved = integrator.table(rdbms={"queryType": ["first_page"]})
        refused(limited.http.post("/v1/imports", json=unserved), 403)
        mine = client.create(integrator.table(name="Others"))
        assert [found["_id"] for found in client.listed()] == [mine["_id"]]
        assert refused(limited.http.post(f"/v1/imports/{mine['_id']}/clone"), 403) == [
            ("access_restricted", None)
        ]
    assert len(integrator.own()) == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/flows", 404),
        ("GET", "/openapi.json", 404),
        ("PUT", "/v1/imports", 405),
        ("POST", f"/v1/imports/{NOWHERE}", 405),
        ("GET", "/v1/imports/", 404),
    ],
)
def test_what_is_not_there_is_told_in_the_same_shape(client, method, path, status):
    refused(client.http.request(method, path), status)


def test_whose_a_token_is_can_be_asked(client, service, tenant):
    told = client.http.get("/v1/tokenInfo").json()
    assert re.fullmatch("[0-9a-f]{24}", told["_userId"])
    assert told["scope"] == "full"
    with face_client(service, "integrator", tenant, Scope.IMPORTS_READ) as limited:
        assert limited.http.get("/v1/tokenInfo").json() == told | {"scope": "custom"}
    refused(client.bare.get("/v1/tokenInfo"), 401)


def test_all_that_lies_within_a_secret_is_masked_and_an_echo_of_the_masks_is_kept(integrator, client):
    hidden = {"encrypted": {"user": "u", "pin": 1234}, "apiKey": ["k1", "k2"], "password": 99}
    token = {"token": "t", "location": "header"}
    said = {"baseURI": "https://shop.example", "auth": {"token": token}, **hidden}
    made = integrator.connection({"type": "http", "name": "Shop", "http": said})
    mask = "******"
    assert made["http"] == {
        "baseURI": "https://shop.example",
        "auth": {"token": {"token": mask, "location": "header"}},
        "encrypted": {"user": mask, "pin": mask},
        "apiKey": [mask, mask],
        "password": mask,
    }
    answer = client.http.put(f"/v1/connections/{made['_id']}", json=made)
    assert Integrator._answer(answer, 200)["http"] == made["http"]
