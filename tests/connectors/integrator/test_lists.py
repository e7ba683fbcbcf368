"""Lists of imports: in pages, some of them, some of their fields; and how often one may ask."""

import re

import pytest

from tests.api.conftest import running
from tests.connectors.face_client import face_client
from tests.connectors.integrator.integrator_client import NOWHERE, Integrator, refused


def walk(client, path):
    """Every page of a list, as who follows its links sees it, forwards; and how it was left."""
    pages, answer = [], client.http.get(path)
    while True:
        assert answer.status_code == 200, answer.text
        pages.append([found["name"] for found in answer.json()])
        following = answer.links.get("next")
        if following is None:
            return pages, answer
        assert following["url"].startswith(f"{client.service.url}/integrator/v1/imports?")
        answer = client.http.get(following["url"])


def test_links_lead_through_all_pages_and_back(integrator, client):
    names = [f"Import {number}" for number in range(5)]
    for name in names:
        integrator.create(name=name)
    pages, last = walk(client, "/v1/imports?limit=2&name=import&exclude=mapping")
    assert pages == [names[:2], names[2:4], names[4:]]
    assert "mapping" not in last.json()[0]
    back = client.http.get(last.links["prev"]["url"])
    assert [found["name"] for found in back.json()] == names[2:4]
    first = client.http.get(back.links["prev"]["url"])
    assert ([found["name"] for found in first.json()], set(first.links)) == (names[:2], {"next"})
    assert "link" not in client.http.get("/v1/imports?name=import").headers


def test_pages_have_numbers_for_who_counts_them(integrator):
    names = [f"Import {number}" for number in range(3)]
    for name in names:
        integrator.create(name=name)
    for parameters, there in (
        ({"page": 1, "pageSize": 2}, names[:2]),
        ({"page": 2, "pageSize": 2}, names[2:]),
        ({"skip": 1, "limit": 1}, names[1:2]),
        ({"offset": 2}, names[2:]),
        ({"page": 3, "pageSize": 2}, []),
    ):
        assert [found["name"] for found in integrator.listed(name="Import ", **parameters)] == there


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("skip=1.5", "skip"),
        ("page=0", "page"),
        ("pageSize=99999999999", "pageSize"),
        ("include=name&exclude=mapping", "exclude"),
        ("include=na-me", "include"),
        ("exclude=a%20b", "exclude"),
    ],
)
def test_parameters_that_can_not_be_are_refused(client, query, field):
    told = refused(client.http.get(f"/v1/imports?{query}"), 400)
    assert told == [("invalid_query_params", field)]


def test_fields_are_chosen_in_lists_and_nowhere_else(integrator, client):
    made = integrator.create(description="d")
    always = {key: made[key] for key in ("_id", "name", "adaptorType")}
    table = {"rdbms": {"bulkLoad": {"tableName": "people"}}}
    chosen = "description,rdbms.bulkLoad.tableName,nothing.there"
    assert integrator.listed(name="People", include=chosen) == [always | {"description": "d"} | table]
    (cut,) = integrator.listed(name="People", exclude="mapping.fields,rdbms,_id")
    assert cut == {key: value for key, value in made.items() if key != "rdbms"} | {"mapping": {}}
    assert integrator.listed(name="People", include="", exclude="") == [made]
    assert client.http.get(f"/v1/imports/{made['_id']}?include=name").json() == made


def test_imports_are_chosen_by_what_they_say(integrator):
    shop = integrator.connection({"type": "http", "name": "Shop", "http": {}})["_id"]
    table = integrator.create(_integrationId=NOWHERE)["_id"]
    web = {"name": "Web 100%", "_connectionId": shop, "http": {"method": ["POST"]}}
    web = integrator.create(web)["_id"]
    mine = {table, web}
    for parameters, there in (
        ({"adaptorType": "RDBMSImport"}, {table}),
        ({"adaptorType": "HTTPImport"}, {web}),
        ({"_connectionId": shop}, {web}),
        ({"_integrationId": NOWHERE}, {table}),
        ({"name": "EOP"}, {table}),
        ({"name": "100%"}, {web}),
        ({"name": "%"}, {web}),
        ({"name": "People", "_connectionId": shop}, set()),
        ({"adaptorType": "", "_connectionId": "", "name": ""}, mine),
    ):
        assert {found["_id"] for found in integrator.listed(**parameters)} & mine == there, parameters


def test_an_empty_list_has_no_body(client):
    answer = client.http.get("/v1/imports?name=there is none")
    assert (answer.status_code, answer.content) == (204, b"")


def test_what_the_documents_leave_open_is_a_setting(settings, tenant, monkeypatch):
    for name, value in {
        "EMPTY_LIST_STATUS": "200",
        "PAGE_IMPORTS": "1",
        "FIRST_PAGE": "0",
        "ADDS_ADAPTOR_TYPE": "true",
        "DROPS_EMPTY_ARRAYS": "false",
        "CHECKS_REFERENCES": "false",
        "CLONE_ANSWER": "models",
        "REPLACE_ANSWER": "empty",
        "DEPENDENCIES_NAME_CONNECTION": "false",
        "PATCH_STATUS": "200",
        "DOCUMENT_BYTES": "2000",
        "INVOKE_BYTES": "1000",
    }.items():
        monkeypatch.setenv(f"LADING_INTEGRATOR_{name}", value)
    with running(settings) as service, face_client(service, "integrator", tenant) as client:
        integrator, http = Integrator(client), client.http
        assert http.get("/v1/imports?name=none").json() == []
        made = integrator.create(adaptorType=None, lookups=[])
        assert (made["adaptorType"], made["lookups"]) == ("RDBMSImport", [])
        path = f"/v1/imports/{made['_id']}"
        (model,) = http.post(f"{path}/clone").json()
        assert model == {"model": "Import", "_id": model["_id"], "name": "Clone - People"}
        named = [http.get(f"/v1/imports?name=people&page={page}").json() for page in (0, 1)]
        assert [[found["_id"] for found in page] for page in named] == [[made["_id"]], [model["_id"]]]
        replaced = http.put(f"{path}/replaceConnection", json={"_newConnectionId": NOWHERE})
        assert (replaced.status_code, replaced.content) == (200, b"")
        assert http.get(f"{path}/dependencies").json() == {}
        answer = http.patch(path, json=[{"op": "add", "path": "/assistantMetadata", "value": 1}])
        assert (answer.status_code, answer.json()["assistantMetadata"]) == (200, 1)
        refused(http.put(path, json={**made, "description": "x" * 2_000}), 413)
        refused(http.post(f"{path}/invoke", json=[{"Id": "x" * 1_000}]), 413)


def test_who_calls_too_often_is_told_when_to_come_again(settings, tenant, monkeypatch):
    monkeypatch.setenv("LADING_INTEGRATOR_BUCKET_CALLS", "3")
    monkeypatch.setenv("LADING_INTEGRATOR_CALLS_PER_SECOND", "0.01")
    with running(settings) as service, face_client(service, "integrator", tenant) as client:
        answers = [client.http.get("/v1/tokenInfo") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert refused(answers[-1], 429) == [("rate_limited", None)]
        assert re.fullmatch("[1-9][0-9]{0,2}", answers[-1].headers["retry-after"])
        assert int(answers[-1].headers["retry-after"]) <= 100
        refused(client.bare.get("/v1/tokenInfo"), 401)
        with face_client(service, "integrator", f"{tenant[:30]}-other") as other:
            assert other.http.get("/v1/tokenInfo").status_code == 200


def test_a_document_of_more_than_a_mebibyte_is_refused(integrator, client):
    answer = client.http.post("/v1/imports", json=integrator.table(description="x" * (1 << 20)))
    assert refused(answer, 413) == [("request_too_large", None)]
