import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest

from flows.run import import_directly
from schemas.clock import utc_now
from schemas.import_request import ImportRequest
from schemas.job import JobState
from schemas.principal import Scope
from store.database import Store
from store.definitions import put_definition
from store.jobs import add_job, get_job
from store.retention import forget_errors, forget_rows
from store.tables import Job


@pytest.fixture
def imported(service, tenant, tmp_path, make_definition):
    """Imports lines for a tenant, as its own command line would; gives the job's id."""

    def run(*lines: str, tenant: str = tenant, name: str = "things.csv", **changes: object) -> str:
        settings = service.settings.model_copy(update={"tenant": tenant})
        definition = make_definition(**changes)
        with Store.opened(settings) as store, store.write() as session:
            put_definition(session, tenant, definition)
        path = tmp_path / name
        path.write_text("\n".join(("Id,Name,Amount", *lines)) + "\n")
        return import_directly(settings, ImportRequest(str(path), definition.name))

    return run


def change(settings, job_id, **values):
    with Store.opened(settings) as store, store.write() as session:
        job = get_job(session, job_id)
        for name, value in values.items():
            setattr(job, name, value)


def copy_as(settings, job_id, **values):
    """Another job like this one, but for these values; gives its id."""
    new_id = str(uuid4())
    with Store.opened(settings) as store, store.write() as session:
        job = get_job(session, job_id)
        known = {name: getattr(job, name) for name in Job.model_fields}
        add_job(session, Job(**known | {"id": new_id} | values))
    return new_id


def test_a_job_is_told_with_its_counts_and_where_to_go_from_there(client, imported):
    job_id = imported("1,A,1", "2,B,x", "3,C,3")
    job = client.get(f"/jobs/{job_id}").json()
    counts = ("rows", "created", "failed", "unprocessed")
    assert [job[name] for name in counts] == [3, 2, 1, 0]
    assert (job["state"], job["terminal"], job["definition"], job["file"]) == (
        "finished",
        True,
        "things",
        "things.csv",
    )
    assert job["error_groups"] == [{"code": "type.integer", "field": "amount", "rows": 1}]
    assert job["links"] == {
        "self": f"/jobs/{job_id}",
        "errors": f"/jobs/{job_id}/errors",
        "rows": f"/jobs/{job_id}/rows",
        "failed_rows": f"/jobs/{job_id}/failed-rows",
        "cancel": None,
    }


def test_another_tenants_job_is_not_there_nor_one_that_the_key_may_not_use(service, tenant, imported):
    theirs, ours = imported("1,A,1", tenant="other"), imported("1,A,1")
    with service.client(service.key(tenant, definitions=["people"]).token) as client:
        answers = [
            client.get(f"/jobs/{job_id}{path}") for job_id in (theirs, ours, "no-such") for path in PATHS
        ]
        answers += [client.post(f"/jobs/{job_id}/cancel") for job_id in (theirs, ours, "%00")]
        assert client.get("/jobs").json() == {"jobs": [], "next": None}
    assert {(a.status_code, a.json()["type"]) for a in answers} == {(404, "/problems/not-found")}


PATHS = ("", "/errors", "/rows", "/failed-rows")


def test_a_list_of_jobs_goes_on_with_the_link_to_its_next_page(client, service, imported):
    first = imported("1,A,1")
    now = utc_now()
    times = [now + timedelta(seconds=n // 2) for n in range(4)]
    others = [copy_as(service.settings, first, received_at=time) for time in times]
    page = client.get("/jobs", params={"limit": 2, "definition": "things"}).json()
    seen = [job["job_id"] for job in page["jobs"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        assert len(page["jobs"]) <= 2
        seen += [job["job_id"] for job in page["jobs"]]
    newest_first = sorted(zip(times, others, strict=True), reverse=True)
    assert seen == [*(job_id for _, job_id in newest_first), first]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"state": "finished"}, 1),
        ({"state": "importing"}, 0),
        ({"definition": "things"}, 1),
        ({"definition": "thing"}, 0),
        ({"file": "HIN"}, 1),
        ({"creation_path": "cli"}, 1),
        ({"received_after": "2020-01-01T00:00:00Z"}, 1),
        ({"received_before": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_jobs_are_found_by_what_is_known_of_them(client, imported, wanted, found):
    imported("1,A,1")
    assert len(client.get("/jobs", params=wanted).json()["jobs"]) == found


@pytest.mark.parametrize(
    "wanted",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"state": "done"},
        {"sate": "finished"},
        {"received_after": "2020-01-01T00:00:00"},
        {"cursor": "x" * 501},
    ],
)
def test_a_query_that_means_nothing_is_refused_by_name(client, wanted):
    answer = client.get("/jobs", params=wanted)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["errors"][0]["where"] == f"query.{next(iter(wanted))}"


def test_a_cursor_of_one_list_is_none_of_another(client, imported):
    job_id = imported("1,A,x", "2,B,y", "3,C,z")
    following = client.get(f"/jobs/{job_id}/errors", params={"limit": 1}).json()["next"]
    stolen = following.replace("/errors", "/rows")
    answers = [client.get(stolen), client.get("/jobs?cursor=abc"), client.get("/jobs", params={"cursor": "é"})]
    assert {(a.status_code, a.json()["type"]) for a in answers} == {(404, "/problems/not-found")}


def test_errors_come_page_by_page_in_the_order_of_the_file(client, imported):
    bad = {2, 3, 999, 1001, 1002, 2500}
    job_id = imported(*(f"{n},A,{'x' if n in bad else n}" for n in range(1, 2600)))
    page = client.get(f"/jobs/{job_id}/errors", params={"limit": 2}).json()
    pages = [page]
    while page["next"]:
        page = client.get(page["next"]).json()
        pages.append(page)
    rows = [[error["row"] - 1 for error in page["errors"]] for page in pages]
    assert rows == [[2, 3], [999, 1001], [1002, 2500]]
    assert pages[0]["errors_total"] == 6
    assert pages[0]["errors"][0] == {
        "row": 3,
        "line": 3,
        "sheet": None,
        "column": "C",
        "field": "amount",
        "code": "type.integer",
        "message": "not a whole number",
        "value": "x",
    }


def test_rows_come_page_by_page_with_what_became_of_each(client, imported):
    job_id = imported(*(f"{n},A,{'x' if n % 500 == 0 else n}" for n in range(1, 2101)))
    page = client.get(f"/jobs/{job_id}/rows", params={"limit": 200}).json()
    rows = page["rows"]
    while page["next"]:
        page = client.get(page["next"]).json()
        rows += page["rows"]
    assert [row["ordinal"] for row in rows] == list(range(2100))
    assert rows[0] == {"row": 2, "ordinal": 0, "outcome": "created", "intended": None, "target_id": '["1"]'}
    failed = client.get(f"/jobs/{job_id}/rows", params={"outcome": "failed", "limit": 3}).json()
    assert [row["row"] - 1 for row in failed["rows"]] == [500, 1000, 1500]
    rest = client.get(failed["next"]).json()
    assert ([row["row"] - 1 for row in rest["rows"]], rest["next"]) == ([2000], None)


def test_the_failed_rows_come_as_a_file_of_the_kind_that_came(client, imported):
    job_id = imported("1,A,1", "2,Ä,x", name='th"ings\n.csv')
    answer = client.get(f"/jobs/{job_id}/failed-rows", headers={"Range": "bytes=2-5"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=utf-8''th%22ings%0A-failed-rows.csv"
    assert list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1][:3] == ["2", "Ä", "x"]


def test_failed_rows_that_are_not_there_say_why(client, service, imported):
    well, bad = imported("1,A,1"), imported("2,B,x")
    assert client.get(f"/jobs/{well}/failed-rows").status_code == 404
    change(service.settings, bad, reported_at=None)
    waiting = client.get(f"/jobs/{bad}/failed-rows")
    assert (waiting.status_code, waiting.json()["type"]) == (409, "/problems/job-not-ended")
    running = copy_as(service.settings, bad, state=JobState.RECEIVED, rows=None)
    assert client.get(f"/jobs/{running}/failed-rows").json()["state"] == "received"
    assert client.get(f"/jobs/{running}/rows").status_code == 409


def test_what_was_removed_when_its_time_was_over_is_gone(client, service, imported):
    job_id = imported("2,B,x")
    with Store.opened(service.settings) as store, store.write() as session:
        forget_errors(session, job_id, utc_now())
        forget_rows(session, job_id, utc_now())
    answers = [client.get(f"/jobs/{job_id}/{path}") for path in ("errors", "rows", "failed-rows")]
    assert {(a.status_code, a.json()["type"]) for a in answers} == {(410, "/problems/expired")}
    assert client.get(f"/jobs/{job_id}").json()["failed"] == 1


def test_a_job_that_has_ended_can_not_be_cancelled_and_another_is_asked_to(client, service, imported):
    ended = imported("1,A,1")
    refused = client.post(f"/jobs/{ended}/cancel")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    waiting = copy_as(service.settings, ended, state=JobState.RECEIVED, rows=None)
    asked = client.post(f"/jobs/{waiting}/cancel")
    assert asked.status_code == 202
    assert asked.json()["cancel_requested_at"] is not None
    assert asked.json()["links"]["cancel"] == f"/jobs/{waiting}/cancel"


def test_a_scope_that_the_key_lacks_is_named(service, tenant, imported):
    job_id = imported("1,A,1")
    with service.client(service.key(tenant, Scope.IMPORTS_READ).token) as client:
        assert client.get(f"/jobs/{job_id}").status_code == 200
        answer = client.post(f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/insufficient-scope")
    assert answer.json()["scope"] == "imports:create"
    assert 'scope="imports:create"' in answer.headers["WWW-Authenticate"]
