"""Secrets of connections: masked for everybody, kept where a mask comes back, sealed where they are kept."""

import itertools
import json

from tests.connectors.integrator.integrator_client import Integrator, refused

SECRET = "correct horse battery staple"
MASK = "******"


def shop(**changes):
    http = {"baseURI": "https://shop.example", "auth": {"token": SECRET}, "headers": [{"apiKey": SECRET}]}
    return {"type": "http", "name": "Shop", "http": http | changes}


def test_no_answer_shows_a_secret_and_a_mask_that_comes_back_keeps_it(integrator, client, service):
    made = integrator.connection(shop())
    assert made["http"]["auth"] == {"token": MASK}
    assert made["http"]["headers"] == [{"apiKey": MASK}]
    path = f"/v1/connections/{made['_id']}"
    answers = [client.http.get(path), client.http.get("/v1/connections")]
    answers.append(client.http.put(path, json=made | {"name": "Renamed"}))
    operations = [{"op": "replace", "path": "/name", "value": "Again"}]
    patched = client.http.patch(path, json=operations)
    assert (patched.status_code, patched.content) == (204, b"")
    answers.append(client.http.get(path))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(SECRET not in answer.text and MASK in answer.text for answer in answers)
    assert answers[-1].json()["name"] == "Again"
    files = [file for file in service.settings.home.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]


def test_a_secret_that_can_be_no_text_is_refused(client):
    half = json.dumps(shop(password="\ud800"))
    assert refused(client.http.post("/v1/connections", content=half), 422) == [
        ("invalid_field", "http.password")
    ]


def test_headers_that_let_somebody_in_are_secrets_by_their_names(integrator):
    names = ["Authorization", "X-Api-Key", "X-Auth-Token", "Cookie", "Accept"]
    headers = [{"name": name, "value": SECRET} for name in names]
    made = integrator.connection(shop(headers=headers))
    assert [header["value"] for header in made["http"]["headers"]] == [MASK, MASK, MASK, MASK, SECRET]


def test_a_secret_does_not_follow_to_another_address(integrator, client):
    made = integrator.connection(shop())
    moved = made | {"http": made["http"] | {"baseURI": "https://elsewhere.example"}}
    path = f"/v1/connections/{made['_id']}"
    assert refused(client.http.put(path, json=moved), 422) == [("invalid_field", "secrets")]
    assert client.http.get(path).json() == made
    assert Integrator._answer(client.http.put(path, json=made | shop(baseURI="https://new.example")), 200)


def test_a_patch_of_a_connection_speaks_of_three_fields_alone(integrator, client):
    made = integrator.connection(shop())
    path = f"/v1/connections/{made['_id']}"
    times = ("debugDate", "debugUntil")
    operations = [{"op": "add", "path": f"/{name}", "value": "2030-01-01T00:00:00Z"} for name in times]
    assert client.http.patch(path, json=operations).status_code == 204
    assert client.http.get(path).json()["debugUntil"] == "2030-01-01T00:00:00Z"
    for operation, told in (
        ({"op": "replace", "path": "/http", "value": {}}, ("invalid_patch_path", "/http")),
        ({"op": "replace", "path": "/debugDate", "value": "soon"}, ("invalid_field", "debugDate")),
        ({"op": "remove", "path": "/name"}, ("missing_required_field", "name")),
    ):
        assert refused(client.http.patch(path, json=[operation]), 422) == [told]


def test_connections_are_chosen_by_their_type(integrator, client):
    made = integrator.connection(shop())
    lists = [client.http.get("/v1/connections", params={"type": kind}).json() for kind in ("http", "rdbms")]
    assert [found["_id"] for found in itertools.chain(*lists)] == [made["_id"], integrator.database]
