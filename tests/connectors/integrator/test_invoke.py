"""Records that are invoked: answered one by one, and really in the table."""

import pytest

from schemas.job import JobKind, JobState
from schemas.principal import Scope
from store.database import Store
from store.job_lists import JobFilter, page_of_jobs
from store.pages import list_errors
from tests.connectors.face_client import face_client
from tests.connectors.integrator.integrator_client import FIELDS, NOWHERE, refused

RULES = [
    *FIELDS,
    {"extract": "Age", "generate": "age", "dataType": "number"},
    {"extract": "Country", "generate": "country", "lookupName": "countries"},
]
COUNTRIES = {"name": "countries", "map": {"DE": "Germany"}, "allowFailures": False}


def invoke(client, import_id, body, path="/v1/imports/{}/invoke"):
    answer = client.http.post(path.format(import_id), json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.json()


def jobs_of(client):
    with Store.opened(client.service.settings) as store, store.read() as session:
        return page_of_jobs(session, client.key.tenant, JobFilter(), limit=100)


@pytest.mark.parametrize("path", ["/v1/imports/{}/invoke", "/v1/import/{}/invoke"])
def test_every_record_is_answered_in_its_order_and_the_good_ones_are_in_the_table(integrator, client, path):
    made = integrator.create(mapping={"fields": RULES}, lookups=[COUNTRIES])
    records = [
        {"Id": "a", "Name": "Ada", "Age": 36, "Country": "DE"},
        {"Id": "b", "Name": "Bo", "Age": "many", "Country": "DE"},
        {"Id": "c", "Name": "Cy", "Age": 1.5, "Country": "XX"},
        {"Name": "Nobody", "Country": "DE"},
        {"Id": "d", "Name": "Di", "Country": "DE"},
    ]
    answers = invoke(client, made["_id"], records, path)
    assert [answer["statusCode"] for answer in answers] == [200, 422, 422, 422, 200]
    assert answers[0] == {"statusCode": 200, "_json": {}, "id": "a"}
    told = [[(e["code"], e["source"]) for e in answer.get("errors", [])] for answer in answers]
    assert told == [
        [],
        [("mapping.type", "mapping")],
        [("mapping.lookup", "lookup")],
        [("required", "mapping")],
        [],
    ]
    assert client.table("people") == [
        {"id": "a", "name": "Ada", "age": 36.0, "country": "Germany"},
        {"id": "d", "name": "Di", "age": None, "country": "Germany"},
    ]


def test_an_invoke_is_a_job_of_its_kind_with_every_row_accounted_for(integrator, client):
    made = integrator.create()
    invoke(client, made["_id"], [{"Id": "a", "Name": "Ada"}, {"Name": "x"}])
    (job,) = jobs_of(client)
    assert (job.kind, job.state, job.key_id) == (JobKind.INVOKE, JobState.FINISHED, client.key.key_id)
    assert (job.rows, job.created, job.failed) == (2, 1, 1)
    with Store.opened(client.service.settings) as store, store.read() as session:
        assert [(e.code, e.row, e.field) for e in list_errors(session, job.id)] == [("required", 2, "id")]


def test_records_are_updated_by_their_keys_and_left_alone_where_the_import_says_so(integrator, client):
    made = integrator.create()
    invoke(client, made["_id"], [{"Id": "a", "Name": "Ada"}])
    assert invoke(client, made["_id"], [{"Id": "a", "Name": "Eve"}])[0]["statusCode"] == 200
    assert client.table("people") == [{"id": "a", "name": "Eve"}]
    both = [{"Id": "a", "Name": "Other"}, {"Id": "b", "Name": "New"}]
    integrator.put(made["_id"], made | {"ignoreExisting": True})
    assert [answer.get("ignored") for answer in invoke(client, made["_id"], both)] == [True, None]
    integrator.put(made["_id"], made | {"ignoreMissing": True})
    more = [{"Id": "b", "Name": "Changed"}, {"Id": "c", "Name": "Not there"}]
    assert [answer.get("ignored") for answer in invoke(client, made["_id"], more)] == [None, True]
    assert client.table("people") == [{"id": "a", "name": "Eve"}, {"id": "b", "name": "Changed"}]


def test_settings_are_seen_by_the_mapping_and_a_record_may_come_alone(integrator, client):
    rules = [*FIELDS, {"extract": "{{settings.batch}}", "generate": "batch"}]
    made = integrator.create(mapping={"fields": rules})
    wrapped = {"data": [{"Id": "a", "Name": "Ada"}], "settings": {"batch": "7"}}
    assert len(invoke(client, made["_id"], wrapped)) == 1
    assert len(invoke(client, made["_id"], {"Id": "b", "Name": "Bo"})) == 1
    assert invoke(client, made["_id"], []) == []
    assert client.table("people") == [
        {"id": "a", "name": "Ada", "batch": "7"},
        {"id": "b", "name": "Bo", "batch": None},
    ]


def test_plain_inserts_need_no_key_and_types_are_those_of_the_table(integrator, client):
    block = {"queryType": ["bulk_insert"], "bulkInsert": {"tableName": "seen"}}
    rules = {"fields": [{"extract": "n", "generate": "n"}]}
    numbers = integrator.create(
        name="Numbers", rdbms=block, mapping={"fields": [rules["fields"][0] | {"dataType": "number"}]}
    )
    assert invoke(client, numbers["_id"], [{"n": 1}, {"n": 1}]) == [{"statusCode": 200, "_json": {}}] * 2
    later = integrator.create(name="Later", rdbms=block, mapping=rules)
    answers = invoke(client, later["_id"], [{"n": "2.5"}, {"n": "two"}])
    assert [answer["statusCode"] for answer in answers] == [200, 422]
    assert [row["n"] for row in client.table("seen")] == [1.0, 1.0, 2.5]


def test_an_import_takes_the_types_of_a_table_that_came_later(integrator, client):
    made = integrator.create(mapping={"fields": [*FIELDS, {"extract": "Age", "generate": "age"}]})
    typed = integrator.create(
        mapping={"fields": [*FIELDS, {"extract": "Age", "generate": "age", "dataType": "number"}]}
    )
    invoke(client, typed["_id"], [{"Id": "a", "Name": "Ada", "Age": 36}])
    answers = invoke(client, made["_id"], [{"Id": "b", "Name": "Bo", "Age": "7"}, {"Id": "c", "Age": "x"}])
    assert [answer["statusCode"] for answer in answers] == [200, 422]
    assert [row["age"] for row in client.table("people")] == [36.0, 7.0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rdbms": {"queryType": ["per_record"], "query": ["DELETE FROM people"]}}, "rdbms.queryType"),
        ({"hooks": {"preMap": {"_scriptId": NOWHERE, "function": "f"}}}, "hooks"),
        ({"mappings": [{"generate": "x", "status": "Active"}]}, "mappings"),
        ({"ignoreExisting": True, "ignoreMissing": True}, "ignoreMissing"),
        ({"oneToMany": True, "pathToMany": "x"}, "oneToMany"),
    ],
)
def test_what_is_not_served_is_refused_when_it_is_invoked_and_nothing_is_done(
    integrator, client, changes, field
):
    made = integrator.create(**changes)
    answer = client.http.post(f"/v1/imports/{made['_id']}/invoke", json=[{"Id": "a", "Name": "Ada"}])
    assert field in [told for _, told in refused(answer, 422)]
    assert (client.table("people"), jobs_of(client)) == (None, [])


def test_a_target_that_can_be_no_column_is_named_when_it_is_invoked(integrator, client):
    rules = [*FIELDS, {"extract": "x", "generate": "unit price"}, {"extract": "y", "generate": "a-b.c"}]
    made = integrator.create(mapping={"fields": rules})
    assert integrator.get(made["_id"])["mapping"] == {"fields": rules}
    answer = client.http.post(f"/v1/imports/{made['_id']}/invoke", json=[{"Id": "a", "Name": "Ada"}])
    fields = ["mapping.fields[2].generate", "mapping.fields[3].generate"]
    assert refused(answer, 422) == [("invalid_field", field) for field in fields]
    assert "'unit price'" in answer.json()["errors"][0]["message"]
    assert client.table("people") is None


def test_other_adaptors_are_refused_by_their_names(integrator, client):
    connection = integrator.connection({"type": "http", "name": "Shop", "http": {}})
    document = {"name": "Web", "_connectionId": connection["_id"], "adaptorType": "HTTPImport", "http": {}}
    made = integrator.create(document)
    answer = client.http.post(f"/v1/imports/{made['_id']}/invoke", json=[{}])
    assert refused(answer, 422) == [("not_supported", "adaptorType")]
    assert "HTTPImport" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *((b"", 400), (b"[", 400), (b"[1]", 422), (b'"x"', 422), (b'{"data": {}}', 422), (b"[NaN]", 400)),
        (b'[{"a": 1e99999999999999999999}]', 400),
    ],
)
def test_a_body_that_holds_no_records_is_refused(integrator, client, body, status):
    made = integrator.create()
    refused(client.http.post(f"/v1/imports/{made['_id']}/invoke", content=body), status)
    assert jobs_of(client) == []


def test_a_body_of_more_than_five_megabytes_is_refused(integrator, client):
    made = integrator.create()
    records = [{"Id": "a", "Name": "x" * (5 << 20)}]
    answer = client.http.post(f"/v1/imports/{made['_id']}/invoke", json=records)
    assert refused(answer, 413) == [("request_too_large", None)]


def test_only_who_may_import_and_sees_the_import_may_invoke_it(integrator, client, stranger, service, tenant):
    made = integrator.create()
    path, records = f"/v1/imports/{made['_id']}/invoke", [{"Id": "a", "Name": "Ada"}]
    refused(stranger.http.post(path, json=records), 404)
    refused(client.http.post(f"/v1/imports/{NOWHERE}/invoke", json=records), 404)
    refused(client.bare.post(path, json=records), 401)
    with face_client(service, "integrator", tenant, Scope.DEFINITIONS_WRITE) as writer:
        refused(writer.http.post(path, json=records), 403)
    with face_client(service, "integrator", tenant, Scope.IMPORTS_CREATE) as sender:
        assert invoke(sender, made["_id"], records)[0]["statusCode"] == 200
