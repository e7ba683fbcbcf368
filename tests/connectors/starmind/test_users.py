"""Users of Starmind, by workbook and by list."""

import json
import re

import pytest

from connectors.starmind.wire import Accepted, Users
from tests.connectors.starmind.starmind_client import ADA, GRACE, refused, workbook

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_users_of_a_workbook_take_the_same_two_steps(starmind):
    header = ["firstname", "lastname", "email", "language_id"]
    number = starmind.valid(workbook([list(ADA.values())], header), "users")
    imported = starmind.finished(starmind.put(number, "users").import_id, "users")
    assert (imported.status, imported.result.created_records) == ("success", 1)
    assert re.fullmatch(f"user_{MOMENT}\\.json", imported.result.file_name)
    assert [p.type for p in starmind.list("users")] == ["import", "validation"]
    assert starmind.list("tags") == []


def test_a_csv_of_users_is_no_workbook(starmind):
    number = starmind.upload(
        b"firstname,lastname,email\nAda,Lovelace,ada@example.com\n", entity="users"
    ).import_id
    process = starmind.finished(number, "users")
    assert process.status == "error"
    assert "xlsx" in process.message


def test_a_list_of_users_is_imported_at_once(starmind):
    accepted = starmind.users([ADA, GRACE])
    process = starmind.finished(accepted.import_id, "users")
    assert (process.status, process.type, process.message) == ("success", "import", None)
    assert process.result.model_dump() == {
        "file_name": accepted.file_name,
        "created_records": 2,
        "errors": (),
        "updated_records": 0,
        "user_id": accepted.user_id,
        "import_id": accepted.import_id,
    }
    assert re.fullmatch(f"user_{MOMENT}\\.json", accepted.file_name)
    again = starmind.finished(starmind.users([ADA, GRACE | {"country": "CA"}], "import").import_id, "users")
    assert (again.result.created_records, again.result.updated_records) == (0, 2)
    assert [row["country"] for row in starmind.client.table("starmind_users")] == [None, "CA"]


def test_a_sync_deletes_every_user_who_is_not_in_the_list(starmind):
    starmind.finished(starmind.users([ADA, GRACE]).import_id, "users")
    process = starmind.finished(starmind.users([GRACE], "sync").import_id, "users")
    assert (process.status, process.result.updated_records) == ("success", 1)
    assert [row["email"] for row in starmind.client.table("starmind_users")] == [GRACE["email"]]


@pytest.mark.parametrize("body", [b"[]", b'{"users": []}', b'{"users": null}', b"{}", b"null"])
@pytest.mark.parametrize("mode", ["sync", "import"])
def test_a_list_without_users_is_refused_and_deletes_nobody(starmind, body, mode):
    starmind.finished(starmind.users([ADA]).import_id, "users")
    answer = starmind.http.post(f"/import/users?mode={mode}", content=body)
    assert "at least one user" in refused(answer, 400)
    starmind.client.finish_jobs()
    assert len(starmind.client.table("starmind_users")) == 1


def test_a_sync_in_which_no_user_is_valid_deletes_nobody(starmind):
    starmind.finished(starmind.users([ADA]).import_id, "users")
    process = starmind.finished(starmind.users([ADA | {"country": "Britain"}], "sync").import_id, "users")
    assert process.status == "error"
    assert "sync" in process.message
    assert len(starmind.client.table("starmind_users")) == 1


def test_a_wrong_user_is_told_by_its_place_and_property_and_the_others_are_imported(starmind):
    number = starmind.users([ADA, GRACE | {"email": "grace"}, "nobody", GRACE | {"gender": "x"}]).import_id
    process = starmind.finished(number, "users")
    assert (process.status, process.result.created_records) == ("error", 1)
    assert [(e.row, e.metadata, e.field) for e in process.result.errors] == [
        (2, "", "email"),
        (3, "", ""),
        (4, "", "gender"),
    ]
    assert process.result.errors[0].msg == "requirement failed: Not an e-mail address."


def test_users_may_be_wrapped_and_bring_properties_that_nobody_knows(starmind):
    body = json.dumps({"users": [ADA | {"floor": 3, "tags": ["a"]}], "total": 1})
    answer = starmind.http.post("/import/users", content=body)
    process = starmind.finished(Accepted.decode(answer.content).import_id, "users")
    assert (process.status, process.result.created_records) == ("success", 1)


@pytest.mark.parametrize("mode", ["Sync", "delete", ""])
def test_a_mode_that_starmind_does_not_have_is_refused(starmind, mode):
    answer = starmind.http.post(f"/import/users?mode={mode}", content=Users(rows=(ADA,)).encode())
    assert refused(answer, 400) == "the mode is one of import, sync"


@pytest.mark.parametrize("body", [b"", b"[{]", b"{}x", b"[" * 50_000])
def test_a_list_that_is_no_json_is_refused(starmind, body):
    assert "can't be read" in refused(starmind.http.post("/import/users", content=body), 400)
