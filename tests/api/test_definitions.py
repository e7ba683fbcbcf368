import json

import fastexcel
import pytest
import yaml

from schemas.principal import OPERATOR_TENANT, Scope
from store.database import Store
from store.databases import add_database
from store.definitions import put_definition

THINGS = {
    "name": "things",
    "key": ["id"],
    "fields": [{"name": "id", "header": "Id"}, {"name": "amount", "type": "integer"}],
    "destination": {"table": "things"},
}


def share(service, definition):
    """The operator applies a definition."""
    with Store.opened(service.settings) as store, store.write() as session:
        put_definition(session, OPERATOR_TENANT, definition)


def test_a_definition_is_kept_as_versions_and_said_again_is_the_same(client):
    new = client.post("/definitions", json=THINGS)
    assert (new.status_code, new.headers["Location"]) == (201, "/definitions/things")
    assert new.json()["definition"]["fields"][1]["type"] == "integer"
    assert client.post("/definitions", json=THINGS).status_code == 200
    changed = THINGS | {"mode": "insert"}
    assert client.put("/definitions/things", json=changed).status_code == 201
    found = client.get("/definitions/things").json()
    assert (found["version"], found["is_shared"], found["definition"]["mode"]) == (2, False, "insert")
    assert client.put("/definitions/things", json=found["definition"]).status_code == 200


def test_a_definition_may_be_yaml(client):
    headers = {"Content-Type": "application/yaml; charset=utf-8"}
    answer = client.post("/definitions", content=yaml.safe_dump(THINGS), headers=headers)
    assert (answer.status_code, answer.json()["name"]) == (201, "things")


def test_a_definition_that_is_removed_is_not_there_any_more(client):
    client.post("/definitions", json=THINGS)
    assert client.delete("/definitions/things").status_code == 204
    answers = [client.get("/definitions/things"), client.delete("/definitions/things")]
    assert {answer.status_code for answer in answers} == {404}
    left = client.get("/definitions", params={"limit": 200}).json()["definitions"]
    assert "things" not in {definition["name"] for definition in left}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('{"name": "things", "destination": {"table": "t"}, "key": "id",\n "fields": []}', 2),
        ("name: things\ndestination: {table: t}\nfields: [{name: id}]\nkye: id\n", 4),
        ("{", None),
        ("", None),
        ("[1]", None),
    ],
)
def test_a_document_that_is_no_definition_says_where_it_is_wrong(client, body, line):
    answer = client.post("/definitions", content=body, headers={"Content-Type": "application/yaml"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-definition")
    if line is not None:
        assert answer.json()["line"] == line


@pytest.mark.parametrize(
    ("faces", "says"),
    [
        ({"nobody": {"id": 1}}, "faces: there is none named 'nobody'; known: "),
        ({"teamtracks": {"track": "7d1c"}}, "faces.teamtracks.track_id: Field required; an address at "),
        ({"elma365": {"namespace": "goods"}}, "faces.elma365.code: Field required"),
        ({"learningbuilder": {"import_process_id": "seven"}}, "faces.learningbuilder.import_process_id: Input"),
        ({"learningbuilder": {"import_process_id": "007"}}, "'007' is to be written 7"),
        ({"starmind": {"entity": "Tags"}}, "faces.starmind.entity: Input should be 'tags' or 'users'"),
    ],
)
def test_an_address_at_a_face_that_no_client_can_name_is_refused(client, faces, says):
    answer = client.post("/definitions", json=THINGS | {"faces": faces})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-definition")
    assert says in answer.json()["detail"]
    assert client.get("/definitions/things").status_code == 404


def test_an_address_at_a_face_may_be_text_or_number_as_the_document_has_it(client):
    faces = {"teamtracks": {"track_id": 7}, "learningbuilder": {"import_process_id": "7"}}
    assert client.post("/definitions", json=THINGS | {"faces": faces}).status_code == 201


def test_a_definition_of_another_name_than_its_address_is_refused(client):
    assert client.put("/definitions/people", json=THINGS).json()["type"] == "/problems/invalid-definition"


@pytest.mark.parametrize(
    ("content", "content_type", "status", "slug"),
    [
        (b"{}", "text/plain", 415, "unsupported-media-type"),
        (b"\xff\xfe", "application/json", 400, "malformed-body"),
        (b"#" * (2**20 + 1), "application/yaml", 413, "too-large"),
    ],
)
def test_a_body_that_is_no_document_is_refused_by_name(client, content, content_type, status, slug):
    answer = client.post("/definitions", content=content, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


@pytest.mark.parametrize(
    ("destination", "rule"),
    [
        ({"database": "postgresql://db.example.org/all", "table": "things"}, "database.url"),
        ({"database": "sqlite:////etc/passwd", "table": "things"}, "database.url"),
        ({"database": "warehouse", "table": "things"}, "database.not_granted"),
        ({"database": "postgresql://h/d", "password": "env:HOME", "table": "t"}, "secret.reference"),
        ({"url": "/srv/out/{timestamp}.csv"}, "file.url"),
    ],
)
def test_what_only_the_operator_may_say_is_forbidden_to_a_tenant_by_name(client, destination, rule):
    answer = client.post("/definitions", json=THINGS | {"mode": "insert", "destination": destination})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    assert answer.json()["rule"] == rule


def test_a_table_of_lading_is_nobodys_destination(client):
    answer = client.post("/definitions", json=THINGS | {"destination": {"table": "lading_page"}})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-definition")


def test_a_database_that_was_granted_may_be_named(client, service, tenant):
    with Store.opened(service.settings) as store, store.write() as session:
        add_database(session, tenant, "postgresql://user@db.example.org/all", None, [tenant])
    answer = client.post("/definitions", json=THINGS | {"destination": {"database": tenant, "table": "things"}})
    assert answer.status_code == 201


def test_the_operators_definitions_are_shared_without_their_database_and_stay(client, service, make_definition):
    destination = {"database": "postgresql://db.example.org/all", "password": "env:PG", "table": "shared"}
    share(service, make_definition(name="shared", destination=destination))
    found = client.get("/definitions/shared").json()
    assert (found["is_shared"], found["definition"]["destination"]) == (True, {"table": "shared"})
    assert client.delete("/definitions/shared").status_code == 404
    own = client.put("/definitions/shared", json=THINGS | {"name": "shared"})
    assert (own.status_code, own.json()["is_shared"]) == (201, False)
    assert client.delete("/definitions/shared").status_code == 204
    assert client.get("/definitions/shared").json()["is_shared"]


def test_a_key_sees_only_the_definitions_that_it_may_use(client, service, tenant):
    for name in ("a", "b", "c"):
        client.post("/definitions", json=THINGS | {"name": name})
    with service.client(service.key(tenant, definitions=["a", "c"]).token) as limited:
        page = limited.get("/definitions", params={"limit": 1}).json()
        rest = limited.get(page["next"]).json()
        hidden = [limited.get("/definitions/b"), limited.get("/definitions/b/template.xlsx")]
        refused = limited.put("/definitions/b", json=THINGS | {"name": "b"})
    assert [d["name"] for d in page["definitions"] + rest["definitions"]] == ["a", "c"]
    assert rest["next"] is None
    assert {answer.status_code for answer in hidden} == {404}
    assert (refused.status_code, refused.json()["rule"]) == (403, "definition.not_allowed")


def test_a_workbook_to_be_filled_in_has_the_headers(client):
    client.post("/definitions", json=THINGS)
    answer = client.get("/definitions/things/template.xlsx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="things.xlsx"'
    assert answer.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert fastexcel.read_excel(answer.content).load_sheet(0).to_polars().columns == ["Id", "amount"]


def test_keeping_and_removing_need_the_scope(service, tenant):
    with service.client(service.key(tenant, Scope.IMPORTS_CREATE).token) as client:
        assert client.get("/definitions").status_code == 200
        answers = [
            client.post("/definitions", json=THINGS),
            client.put("/definitions/things", json=THINGS),
            client.delete("/definitions/things"),
        ]
    assert {(a.status_code, a.json()["scope"]) for a in answers} == {(403, "definitions:write")}


def test_what_is_not_valid_quotes_no_secret(client):
    destination = {"database": "postgresql://u:s3cret@h/d", "table": "t"}
    answer = client.post(
        "/definitions",
        content=json.dumps(THINGS | {"destination": destination}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert "s3cret" not in answer.text
