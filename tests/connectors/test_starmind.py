"""Starmind's face over a real socket: the documented way, every status, and the traps of its documents."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import xlsxwriter

from connectors.starmind.wire import Accepted, Login, Process, Session, Users
from schemas.principal import Scope
from schemas.settings import Settings
from tests.api.conftest import running
from tests.connectors.face_client import FaceClient, face_client

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faces" / "starmind.md"
HEADER = ["Id", "Language", "Tags", "Description"]
TAGS = [["1", "en", "machine learning", "Learning from data"], ["", "de", "Straße", ""], ["", "", "ÄÖ", ""]]
PROCESS_KEYS = ["start_date", "result", "end_date", "status", "message", "import_id", "type"]
RESULT_KEYS = ["file_name", "created_records", "errors", "updated_records", "user_id", "import_id"]
TAG_LENGTH = "requirement failed: Tag length must be between 2 and 255 characters."
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ADA = {"firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com", "language_id": "en"}
GRACE = {"firstname": "Grace", "lastname": "Hopper", "email": "grace@example.com", "country": "US"}


def workbook(rows, header=HEADER) -> bytes:
    """A workbook of one sheet."""
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *rows]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def with_a_tag(tag, row=6) -> bytes:
    """A workbook with this tag in the row, as Excel counts, and good ones above it."""
    return workbook([["", "en", f"tag {number}", ""] for number in range(2, row)] + [["", "en", tag, ""]])


class Starmind:
    """What Starmind's clients do."""

    def __init__(self, client: FaceClient) -> None:
        self.client, self.http = client, client.http

    def upload(self, content: bytes, name="tags.xlsx", entity="tags") -> Accepted:
        return self._accepted(self.http.post(f"/import/{entity}/upload", files={"file": (name, content)}))

    def put(self, number: int, entity="tags") -> Accepted:
        return self._accepted(self.http.put(f"/import/{entity}/{number}"))

    def users(self, users, mode=None) -> Accepted:
        params = {} if mode is None else {"mode": mode}
        return self._accepted(
            self.http.post("/import/users", params=params, content=Users(rows=users).encode())
        )

    def status(self, number: int, entity="tags") -> Process:
        answer = self.http.get(f"/import/{entity}/{number}/status")
        assert answer.status_code == 200, answer.text
        return Process.decode(answer.content)

    def finished(self, number: int, entity="tags") -> Process:
        """The state of the process when all jobs have come to their ends."""
        self.client.finish_jobs()
        return self.status(number, entity)

    def list(self, entity="tags") -> list[Process]:
        answer = self.http.get(f"/import/{entity}/status")
        assert answer.status_code == 200, answer.text
        return [Process.model_validate(process) for process in answer.json()]

    def valid(self, content: bytes, entity="tags") -> int:
        """The number of the workbook, which is valid."""
        number = self.upload(content, entity=entity).import_id
        process = self.finished(number, entity)
        assert (process.status, process.type, process.message) == ("success", "validation", None)
        return number

    @staticmethod
    def _accepted(answer) -> Accepted:
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["import_id", "user_id", "file_name"]
        return Accepted.decode(answer.content)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One service for all tests, each of which is a tenant of its own."""
    with running(Settings(home=tmp_path_factory.mktemp("starmind") / ".lading")) as service:
        yield service


@pytest.fixture
def impatient_service(settings):
    """A service, already started, that does not wait long for its store."""
    with running(settings.model_copy(update={"busy_timeout_seconds": 1.0})) as service:
        with service.client() as client:
            client.get("/health")
        yield service


@pytest.fixture
def tenant():
    """A name that no other test has."""
    return f"t{uuid4().hex}"


@pytest.fixture
def client(service, tenant):
    with face_client(service, "starmind", tenant) as client:
        yield client


@pytest.fixture
def starmind(client):
    return Starmind(client)


def refused(answer, status):
    """The message of a refusal, whose shape is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["status", "message"]
    assert answer.json()["status"] == status
    return answer.json()["message"]


def test_tags_are_validated_then_imported_by_two_processes_with_two_ids(starmind):
    uploaded = starmind.upload(workbook(TAGS), "test_tag_import.xlsx")
    assert uploaded.file_name == "test_tag_import.xlsx"
    waiting = starmind.status(uploaded.import_id)
    assert (waiting.status, waiting.type, waiting.result, waiting.end_date) == (
        "processing",
        "validation",
        None,
        None,
    )
    validated = starmind.finished(uploaded.import_id)
    assert (validated.status, validated.result.created_records, validated.result.errors) == ("success", 0, ())
    assert starmind.client.table("starmind_tags") is None

    put = starmind.put(uploaded.import_id)
    assert put.import_id != uploaded.import_id
    assert (put.user_id, put.file_name) == (uploaded.user_id, uploaded.file_name)
    imported = starmind.finished(put.import_id)
    assert (imported.status, imported.type, imported.import_id) == ("success", "import", put.import_id)
    assert (imported.result.created_records, imported.result.updated_records) == (3, 0)
    assert imported.result.import_id == uploaded.import_id
    assert re.fullmatch(f"tag_{MOMENT}\\.json", imported.result.file_name)
    assert re.fullmatch(f"tag_{MOMENT}\\.xlsx", validated.result.file_name)
    assert [row["tags"] for row in starmind.client.table("starmind_tags")] == [row[2] for row in TAGS]

    assert starmind.status(uploaded.import_id) == validated
    assert starmind.list() == [imported, validated]
    assert starmind.list("users") == []


def test_a_put_may_be_repeated_and_counts_what_is_unchanged_as_updated(starmind):
    number = starmind.valid(workbook(TAGS))
    first, second = starmind.put(number).import_id, starmind.put(number).import_id
    assert len({number, first, second}) == 3
    counted = [starmind.finished(each).result for each in (first, second)]
    assert [(r.created_records, r.updated_records, r.errors) for r in counted] == [(3, 0, ()), (0, 3, ())]


def test_the_state_of_a_process_has_the_keys_of_the_sample_in_its_order(starmind):
    number = starmind.valid(workbook(TAGS))
    found = starmind.http.get(f"/import/tags/{number}/status").json()
    assert list(found) == PROCESS_KEYS
    assert list(found["result"]) == RESULT_KEYS
    assert all(re.fullmatch(MOMENT, found[date]) for date in ("start_date", "end_date"))
    assert found["start_date"] <= found["end_date"]
    (listed,) = starmind.http.get("/import/tags/status").json()
    assert json.dumps(listed) == json.dumps(found)


def test_a_single_wrong_tag_makes_the_validation_an_error_and_the_file_no_file(starmind):
    number = starmind.upload(with_a_tag("x")).import_id
    process = starmind.finished(number)
    assert (process.status, process.message) == ("error", None)
    assert [e.model_dump() for e in process.result.errors] == [
        {"msg": TAG_LENGTH, "metadata": "C", "row": 6, "field": "Tags"}
    ]
    assert "ended in error" in refused(starmind.http.put(f"/import/tags/{number}"), 409)
    assert [p.type for p in starmind.list()] == ["validation"]


@pytest.mark.parametrize("tag", ["x", "x" * 256, "", " x "], ids=["1", "256", "blank", "blanks"])
def test_a_tag_of_another_length_is_told_in_the_documented_words(starmind, tag):
    number = starmind.upload(with_a_tag(tag, row=3)).import_id
    (error,) = starmind.finished(number).result.errors
    assert (error.msg, error.metadata, error.row) == (TAG_LENGTH, "C", 3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Id,Language,Tags,Description\n1,en,ab,\n", "xlsx"),
        (b"no workbook at all", "xlsx"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "xlsx"),
        (workbook([["1", "en", "x"]], ["Id", "Language", "Description"]), "'Tags'"),
        (workbook([["1", "en", "x"]], ["Name", "Place", "Street"]), "'Tags'"),
        (workbook(TAGS)[:900], ""),
        (b"", "empty"),
    ],
    ids=["csv", "text", "png", "no tags", "other", "cut off", "empty"],
)
def test_what_is_not_the_template_ends_its_validation_in_error_with_a_message(starmind, content, says):
    number = starmind.upload(content).import_id
    process = starmind.finished(number)
    assert (process.status, process.type) == ("error", "validation")
    assert says in process.message
    assert [(e.row, e.metadata, e.field) for e in process.result.errors] == [(0, "", "")]
    refused(starmind.http.put(f"/import/tags/{number}"), 409)


def test_a_file_that_is_still_being_validated_is_not_imported(starmind):
    number = starmind.upload(workbook(TAGS)).import_id
    assert "being validated" in refused(starmind.http.put(f"/import/tags/{number}"), 409)


def test_all_errors_are_in_the_state_and_the_first_ones_in_the_list(starmind):
    number = starmind.upload(workbook([["", "en", "x", ""] for _ in range(2_345)])).import_id
    errors = starmind.finished(number).result.errors
    # Each row has a tag that is too short, and the same as all others.
    assert len(errors) == 2 * 2_345
    assert [e.row for e in errors] == [row for row in range(2, 2_347) for _ in range(2)]
    (listed,) = starmind.list()
    assert listed.result.errors == errors[:100]


@pytest.mark.parametrize("number", ["0", "999999999", "-1", "abc", "%D9%A3", str(2**40), "1e3"])
def test_an_unknown_id_is_not_found(starmind, number):
    assert "there is no" in refused(starmind.http.get(f"/import/tags/{number}/status"), 404)
    assert "there is no" in refused(starmind.http.put(f"/import/tags/{number}"), 404)


def test_another_tenant_s_processes_are_not_there(starmind, service, tenant):
    number = starmind.valid(workbook(TAGS))
    with face_client(service, "starmind", f"{tenant}-other") as other:
        told = refused(other.http.get(f"/import/tags/{number}/status"), 404)
        assert told == refused(other.http.get("/import/tags/999999999/status"), 404).replace(
            "999999999", str(number)
        )
        refused(other.http.put(f"/import/tags/{number}"), 404)
        assert other.http.get("/import/tags/status").json() == []


def test_an_id_leads_to_a_process_of_its_own_entity_and_a_put_to_an_upload(starmind):
    number = starmind.valid(workbook(TAGS))
    imported = starmind.put(number).import_id
    refused(starmind.http.get(f"/import/users/{number}/status"), 404)
    refused(starmind.http.put(f"/import/users/{number}"), 404)
    assert "no uploaded file" in refused(starmind.http.put(f"/import/tags/{imported}"), 404)


@pytest.mark.parametrize("header", ["Api-Key", "X-Api-Key", "api-key"])
def test_whoever_logs_in_gets_the_token_for_every_other_call(client, header):
    login = Login(email="anybody@example.com", password=client.key.token)
    headers = {header: client.key.subscription_key}
    answer = client.bare.post("/users/login", content=login.encode(), headers=headers)
    assert answer.status_code == 200
    token = Session.decode(answer.content).token
    listed = client.bare.get("/import/tags/status", headers={"Authorization": f"bearer {token}"} | headers)
    assert (listed.status_code, listed.json()) == (200, [])


@pytest.mark.parametrize("wrong", ["no Api-Key", "other Api-Key", "password", "key id"])
def test_whoever_lacks_the_token_or_its_api_key_does_not_log_in(client, service, tenant, wrong):
    key, other = client.key, service.key(tenant)
    api_key = {"no Api-Key": None, "other Api-Key": other.subscription_key}.get(wrong, key.subscription_key)
    password = {"password": "x", "key id": key.key_id}.get(wrong, key.token)
    answer = client.bare.post(
        "/users/login",
        json={"email": "a@b.cc", "password": password},
        headers={} if api_key is None else {"Api-Key": api_key},
    )
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"email": "a@b.cc", "password": 1}', b"\xff"])
def test_a_login_that_is_none_is_refused(client, body):
    answer = client.bare.post("/users/login", content=body, headers={"Api-Key": client.key.subscription_key})
    assert "can't be read" in refused(answer, 400)


CALLS = [
    ("POST", "/import/tags/upload"),
    ("POST", "/import/users"),
    ("PUT", "/import/tags/1"),
    ("GET", "/import/tags/1/status"),
    ("GET", "/import/users/status"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer wrong.key"])
def test_without_a_valid_token_nothing_is_told(client, method, path, sent):
    answer = client.bare.request(method, path, headers={"Authorization": sent} if sent else {})
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_an_api_key_of_another_key_is_refused_beside_the_token(client, service, tenant, method, path):
    other = service.key(tenant).subscription_key
    refused(client.http.request(method, path, headers={"Api-Key": other}), 401)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_key_without_the_scope_is_refused(service, tenant, method, path):
    scope = Scope.IMPORTS_CREATE if method == "GET" else Scope.IMPORTS_READ
    with face_client(service, "starmind", tenant, scope) as client:
        assert "imports:" in refused(client.http.request(method, path), 403)


def test_a_key_for_other_definitions_imports_and_sees_nothing(starmind, service, tenant):
    number = starmind.valid(workbook(TAGS))
    with face_client(service, "starmind", tenant, definitions=["starmind-users"]) as limited:
        refused(limited.http.post("/import/tags/upload", files={"file": ("a.xlsx", workbook(TAGS))}), 403)
        refused(limited.http.put(f"/import/tags/{number}"), 404)
        refused(limited.http.get(f"/import/tags/{number}/status"), 404)
        assert limited.http.get("/import/tags/status").json() == []
        assert Starmind(limited).users([ADA]).import_id > number


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"files": {"files": ("a.xlsx", b"x")}}, 400),
        ({"files": {"file": (None, b"x")}}, 400),
        ({"files": [("file", ("a.xlsx", b"x")), ("file", ("b.xlsx", b"x"))]}, 400),
        ({"content": b"x", "headers": {"Content-Type": "application/octet-stream"}}, 415),
        ({"json": {"file": "a.xlsx"}}, 415),
        ({"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
        ({"files": {"file": ("a.xlsx", bytes(10 * 2**20))}}, 413),
    ],
    ids=["other part", "no file", "two files", "raw", "json", "cut off", "too large"],
)
def test_an_upload_that_is_no_form_with_one_file_is_refused(starmind, body, status):
    refused(starmind.http.post("/import/tags/upload", **body), status)
    assert starmind.list() == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/import", 404),
        ("GET", "/import/groups/status", 404),
        ("POST", "/import/groups/upload", 404),
        ("POST", "/import/tags", 404),
        ("GET", "/import/tags/upload", 405),
        ("DELETE", "/import/tags/1", 405),
        ("GET", "/openapi.json", 404),
        ("GET", "/docs", 404),
    ],
)
def test_what_is_not_served_is_told_in_starmind_s_shape(client, method, path, status):
    refused(client.http.request(method, path), status)


def test_users_of_a_workbook_take_the_same_two_steps(starmind):
    header = ["firstname", "lastname", "email", "language_id"]
    number = starmind.valid(workbook([list(ADA.values())], header), "users")
    imported = starmind.finished(starmind.put(number, "users").import_id, "users")
    assert (imported.status, imported.result.created_records) == ("success", 1)
    assert re.fullmatch(f"user_{MOMENT}\\.json", imported.result.file_name)
    assert [p.type for p in starmind.list("users")] == ["import", "validation"]
    assert starmind.list("tags") == []


def test_a_list_of_csv_users_is_no_workbook(starmind):
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


def test_a_store_that_somebody_else_holds_is_a_503_that_says_when_to_come_again(impatient_service, tenant):
    with face_client(impatient_service, "starmind", tenant) as client:
        path = impatient_service.settings.store_path
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            answer = client.http.post("/import/tags/upload", files={"file": ("a.xlsx", workbook(TAGS))})
        assert "busy" in refused(answer, 503)
        assert answer.headers["retry-after"] == "2"


def test_what_the_documents_leave_open_is_a_setting(settings, tenant, monkeypatch):
    for name, value in {
        "LOGIN_PATH": "/v1/login",
        "SUCCESS_STATUS": "202",
        "LIMIT_BYTES": "20000",
        "LIST_PROCESSES": "2",
        "LIST_ERRORS": "1",
        "USER_LIST_HAS_TAGS": "true",
    }.items():
        monkeypatch.setenv(f"LADING_STARMIND_{name}", value)
    with running(settings) as service, face_client(service, "starmind", tenant) as client:
        keys = {"Api-Key": client.key.subscription_key}
        login = Login(email="a@b.cc", password=client.key.token).encode()
        assert client.bare.post("/v1/login", content=login, headers=keys).status_code == 202
        refused(client.http.post("/import/tags/upload", files={"file": ("a.xlsx", bytes(20_000))}), 413)
        refused(client.http.post("/import/users", content=Users(rows=("x" * 20_000,)).encode()), 413)
        for tag in "xyz":
            content = workbook([["", "", tag, ""]] * 3)
            answer = client.http.post("/import/tags/upload", files={"file": ("a.xlsx", content)})
            assert answer.status_code == 202
        client.finish_jobs()
        listed = client.http.get("/import/users/status").json()
        last = answer.json()["import_id"]
        assert [process["import_id"] for process in listed] == [last, last - 1]
        assert [len(process["result"]["errors"]) for process in listed] == [1, 1]


@pytest.mark.slow
def test_the_commands_of_the_page_on_starmind_work_as_printed(client, service, environment, tmp_path):
    (block,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [re.sub(r"^ +", "", command) for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    known = environment(service.settings) | {
        "URL": service.url,
        "TOKEN": client.key.token,
        "SUBSCRIPTION_KEY": client.key.subscription_key,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    said = [
        subprocess.run(["bash", "-c", command], cwd=tmp_path, env=known, capture_output=True, check=True).stdout
        for command in commands
    ]
    assert (tmp_path / "tags.xlsx").exists()
    assert Session.decode(said[1]).token == client.key.token
    assert Accepted.decode(said[2]).file_name == "tags.xlsx"
    assert [process["import_id"] for process in json.loads(said[3])] == [Accepted.decode(said[2]).import_id]
