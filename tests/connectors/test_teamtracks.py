"""TeamTracks' face over a real socket: the documented way, every status, and the traps of its documents."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import xlsxwriter
import xlwt

from connectors.teamtracks.wire import (
    Credentials,
    ImportAnswer,
    JobAnswer,
    ObjectFault,
    TokenAnswer,
    TokenRequest,
)
from schemas.definition import Definition
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.keys import revoke_key
from tests.api.conftest import Service, running
from tests.connectors.face_client import FaceClient, face_client

TRACK = "6f1f7a0e-33e5-4c8c-9d0f-9df4a2f5a7a1"
KEYS = [
    "finished",
    "dateFinished",
    "successfullyCreated",
    "failedToCreate",
    "successfullyUpdated",
    "unchanged",
    "failedToUpdate",
    "objectsCreated",
    "errors",
]


class Track:
    """What TeamTracks' clients do with one track."""

    def __init__(self, client: FaceClient, definition: Definition) -> None:
        self.client, self.key = client, client.key
        self.credentials = Credentials(self.key.tenant, self.key.subscription_key, self.key.token)
        self.http = client.bare
        with Store.opened(client.service.settings) as store, store.write() as session:
            put_definition(session, self.key.tenant, definition)

    def post(self, content: bytes, name="objects.csv", track=TRACK, **changes) -> httpx.Response:
        headers = changes.pop("headers", self.credentials.encode())
        return self.http.post(f"/objectimport/{track}", files={"file": (name, content)}, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path, headers=self.credentials.encode())

    def submitted(self, content: bytes, name="objects.csv") -> str:
        answer = self.post(content, name)
        assert answer.status_code == 202, answer.text
        return ImportAnswer.decode(answer.content).job_id

    def status(self, job_id: str) -> JobAnswer:
        answer = self.get(f"/job/objectimport/{job_id}")
        assert answer.status_code == 200, answer.text
        return JobAnswer.decode(answer.content)

    def imported(self, content: bytes, name="objects.csv") -> JobAnswer:
        """What is told of the file when its job has come to its end."""
        job_id = self.submitted(content, name)
        self.client.finish_jobs()
        return self.status(job_id)


@pytest.fixture
def definition(make_definition) -> Definition:
    return make_definition(faces={"teamtracks": {"track_id": TRACK}})


@pytest.fixture
def track(shared_service: Service, tenant: str, definition: Definition) -> Iterator[Track]:
    with face_client(shared_service, "teamtracks", tenant) as client:
        yield Track(client, definition)


def xlsx() -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([["Id", "Name", "Amount"], ["a", "x", 1], ["b", "y", 2]]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def xls() -> bytes:
    book, content = xlwt.Workbook(), BytesIO()
    sheet = book.add_sheet("Objects")
    for number, row in enumerate([["Id", "Name", "Amount"], ["a", "x", 1], ["b", "y", 2]]):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.save(content)
    return content.getvalue()


CSV = b"Id,Name,Amount\na,x,1\nb,y,2\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (xlsx(), "objects.xlsx"),
        (xls(), "objects.xls"),
        (CSV, "objects.csv"),
        (CSV, "OBJECTS.CSV"),
        (xlsx(), "really-xlsx.csv"),
        (CSV, "really-csv.xls"),
    ],
)
def test_a_file_is_taken_by_its_extension_and_read_by_its_bytes(track, content, name):
    answer = track.imported(content, name)
    assert (answer.finished, answer.successfully_created, answer.errors) == (True, 2, ())
    assert [(row["id"], row["name"], row["amount"]) for row in track.client.table("things")] == [
        ("a", "x", 1),
        ("b", "y", 2),
    ]


def test_a_running_job_has_seven_keys_all_zero_and_a_finished_one_nine_in_order(track):
    job_id = track.submitted(CSV)
    running = track.get(f"/job/objectimport/{job_id}")
    assert list(running.json().items()) == [("finished", False), *((key, 0) for key in KEYS[1:7])]
    track.client.finish_jobs()
    finished = track.get(f"/job/objectimport/{job_id}")
    assert list(finished.json()) == KEYS
    assert finished.headers["content-type"] == "application/json"
    assert finished.json()["dateFinished"] > 1_700_000_000_000


def test_both_paths_of_a_job_tell_the_same(track):
    job_id = track.submitted(CSV)
    for path in (f"/job/objectimport/{job_id}", f"/job/{job_id}"):
        assert track.get(path).json()["finished"] is False
    track.client.finish_jobs()
    assert track.get(f"/job/{job_id}").content == track.get(f"/job/objectimport/{job_id}").content


def test_failures_to_create_and_to_update_are_told_apart_by_the_key_at_the_destination(track):
    track.imported(CSV)
    again = b"Id,Name,Amount\na,x,1\nb,changed,2\nb2,new,-1\n,no key,1\na2,new,1\n"
    answer = track.imported(again)
    assert answer.model_dump(exclude={"date_finished", "objects_created", "errors"}) == {
        "finished": True,
        "successfully_created": 1,
        "failed_to_create": 2,
        "successfully_updated": 1,
        "unchanged": 1,
        "failed_to_update": 0,
    }
    assert answer.errors == (
        ObjectFault(row=4, field="amount", message="less than the minimum 0"),
        ObjectFault(row=5, field="id", message="a value is required here, but the cell is blank"),
    )
    worse = track.imported(b"Id,Name,Amount\na,x,none\n")
    assert (worse.failed_to_create, worse.failed_to_update) == (0, 1)


def test_created_ids_are_as_many_as_were_created_and_stay_with_their_records(track):
    first = track.imported(CSV)
    assert len(set(first.objects_created)) == first.successfully_created == 2
    with closing(sqlite3.connect(track.client.service.settings.table_path(track.key.tenant))) as table, table:
        table.execute("DELETE FROM things WHERE id = 'b'")
    again = track.imported(b"Id,Name,Amount\na,z,1\nb,y,2\nc,z,3\n")
    assert again.successfully_updated == 1
    assert again.objects_created[0] == first.objects_created[1]
    assert again.objects_created[1] not in first.objects_created


def test_rows_are_those_that_a_spreadsheet_shows(track):
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "A title")
        sheet.write_row(2, 0, ["Id", "Amount"])
        sheet.write_row(3, 0, ["a", 1])
        sheet.write_row(6, 0, ["b", -1])
    assert [error.row for error in track.imported(content.getvalue(), "objects.xlsx").errors] == [7]


def test_a_job_that_failed_as_a_whole_is_finished_and_says_why_once(track):
    answer = track.imported(b"Nothing of that\n1\n")
    assert (answer.finished, answer.successfully_created, answer.objects_created) == (True, 0, ())
    (error,) = answer.errors
    assert (error.row, error.field) == (None, None)
    assert "1 required column is missing: 'Id'" in error.message


def test_a_picture_named_csv_is_accepted_and_fails_as_a_whole(track):
    (error,) = track.imported(b"\x89PNG\r\n\x1a\n" + bytes(100), "picture.csv").errors
    assert "PNG" in error.message


@pytest.mark.parametrize("name", ["objects.txt", "objects.xlsb", "objects", "objects.csv.gz", ".csv", "csv"])
def test_another_kind_of_file_is_refused_and_no_job_begins(track, name):
    answer = track.post(CSV, name)
    expected = {"statusCode": 400, "message": "Only xlsx, xls and csv files are supported"}
    assert (answer.status_code, answer.json()) == (400, expected)
    track.client.finish_jobs()
    assert track.client.table("things") is None


def test_the_same_file_twice_is_two_jobs(track):
    first, second = track.submitted(CSV), track.submitted(CSV)
    assert first != second
    track.client.finish_jobs()
    assert (track.status(first).successfully_created, track.status(second).unchanged) == (2, 2)


def test_the_same_file_under_the_same_idempotency_key_is_one_job(track):
    headers = track.credentials.encode() | {"Idempotency-Key": "nightly"}
    first, again = track.post(CSV, headers=headers), track.post(CSV, headers=headers)
    assert first.json() == again.json()
    other = track.post(b"Id\nother\n", headers=headers)
    assert (other.status_code, list(other.json())) == (409, ["statusCode", "message"])


def test_the_token_call_gives_the_token_as_authorization_takes_it(track):
    asked = TokenRequest(client_id=track.key.key_id, email="anybody@example.com", password=track.key.token)
    headers = Credentials(track.key.tenant, track.key.subscription_key).encode()
    answer = track.http.post("/auth/token", content=asked.encode(), headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"token": f"Bearer {track.key.token}"})
    headers |= {"Authorization": TokenAnswer.decode(answer.content).authorization}
    assert track.post(CSV, headers=headers).status_code == 202


def test_the_token_call_gives_nobody_else_a_token(track, shared_service):
    other = shared_service.key(track.key.tenant)
    right = {"clientId": track.key.key_id, "email": "a@example.com", "password": track.key.token}
    headers = Credentials(track.key.tenant, track.key.subscription_key).encode()
    wrong = [
        (right | {"clientId": other.key_id}, headers, 401),
        (right | {"password": other.token}, headers, 401),
        (right | {"password": ""}, headers, 401),
        (right, headers | {"tenant": "somebody"}, 401),
        (right, headers | {"Ocp-Apim-Subscription-Key": other.subscription_key}, 401),
        (right, {"tenant": track.key.tenant}, 401),
        ({"clientId": track.key.key_id}, headers, 400),
        ([1], headers, 400),
    ]
    for body, sent, status in wrong:
        answer = track.http.post("/auth/token", json=body, headers=sent)
        assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
        assert track.key.token not in answer.text
    assert track.http.post("/auth/token", content=b"{" + b" " * 20_000, headers=headers).status_code == 413


def test_quotes_around_the_bearer_value_are_tolerated(track):
    headers = track.credentials.encode() | {"Authorization": f'"Bearer {track.key.token}"'}
    assert track.post(CSV, headers=headers).status_code == 202


def test_all_three_headers_are_needed_and_must_belong_together(track, shared_service):
    other, job_id = shared_service.key(track.key.tenant), track.submitted(CSV)
    strange = shared_service.key(f"t{uuid4().hex}")
    good = track.credentials.encode()
    bad = [{name: value for name, value in good.items() if name != left} for left in good]
    bad += [
        good | {"tenant": "somebody"},
        good | {"Ocp-Apim-Subscription-Key": other.subscription_key},
        good | {"Authorization": f"Bearer {strange.token}"},
        good | {"Authorization": "Bearer none"},
        good | {"Authorization": f"Basic {track.key.token}"},
        {},
    ]
    for headers in bad:
        for answer in (track.post(CSV, headers=headers), track.http.get(f"/job/{job_id}", headers=headers)):
            assert (answer.status_code, answer.json()["statusCode"]) == (401, 401)


def test_a_revoked_key_is_no_key(track, shared_service):
    with Store.opened(shared_service.settings) as store, store.write() as session:
        revoke_key(session, track.key.key_id)
    assert track.post(CSV).status_code == 401


def test_a_key_for_other_definitions_is_a_role_without_an_add_view(track, shared_service):
    job_id = track.submitted(CSV)
    with face_client(shared_service, "teamtracks", track.key.tenant, definitions=["others"]) as client:
        headers = Credentials(track.key.tenant, client.key.subscription_key, client.key.token).encode()
        answer = track.post(CSV, headers=headers)
        assert (answer.status_code, list(answer.json())) == (403, ["statusCode", "message"])
        assert track.http.get(f"/job/{job_id}", headers=headers).status_code == 404


def test_a_key_without_the_scope_may_not(track, shared_service):
    job_id = track.submitted(CSV)
    reader, creator = (
        shared_service.key(track.key.tenant, scope) for scope in (Scope.IMPORTS_READ, Scope.IMPORTS_CREATE)
    )
    reading = Credentials(track.key.tenant, reader.subscription_key, reader.token).encode()
    creating = Credentials(track.key.tenant, creator.subscription_key, creator.token).encode()
    assert track.post(CSV, headers=reading).status_code == 403
    assert track.http.get(f"/job/{job_id}", headers=reading).status_code == 200
    assert track.post(CSV, headers=creating).status_code == 202
    assert track.http.get(f"/job/{job_id}", headers=creating).status_code == 403


def test_what_is_another_tenants_is_not_there(track, shared_service, make_definition):
    job_id = track.submitted(CSV)
    track.client.finish_jobs()
    with face_client(shared_service, "teamtracks", f"t{uuid4().hex}") as client:
        elsewhere = Track(client, make_definition(faces={"teamtracks": {"track_id": "elsewhere"}}))
        assert elsewhere.get(f"/job/{job_id}").status_code == 404
        assert elsewhere.post(CSV).status_code == 404
    assert track.get(f"/job/{job_id}").status_code == 200


@pytest.mark.parametrize("job_id", ["24786e69-262a-4242-9d65-c15bf89c930e", "objectimport", "%00", "a" * 3000])
def test_an_unknown_job_is_not_found(track, job_id):
    answer = track.get(f"/job/{job_id}")
    assert (answer.status_code, answer.json()["statusCode"]) == (404, 404)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/objectimport/x", 405), ("POST", "/job/x", 405), ("GET", "/", 404), ("GET", "/docs", 404)],
)
def test_what_is_not_served_is_told_in_the_same_shape(track, method, path, status):
    answer = track.http.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["statusCode", "message"])
    assert answer.json()["statusCode"] == status


def test_a_body_that_is_no_form_with_one_file_is_refused(track):
    headers = track.credentials.encode()
    path = f"/objectimport/{TRACK}"
    assert track.http.post(path, content=CSV, headers=headers | {"Content-Type": "text/csv"}).status_code == 415
    refused = [
        track.http.post(path, files={"other": ("a.csv", CSV)}, headers=headers),
        track.http.post(path, files=[("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))], headers=headers),
        track.http.post(path, data={"file": "text"}, files={"x": ("", b"")}, headers=headers),
        track.http.post(path, content=b"x", headers=headers | {"Content-Type": "multipart/form-data"}),
    ]
    assert {answer.status_code for answer in refused} == {400}


@pytest.mark.slow
def test_a_body_that_is_too_large_is_refused_and_the_choices_are_settings(
    tmp_path: Path, monkeypatch, tenant, definition
):
    monkeypatch.setenv("LADING_TEAMTRACKS_LIMIT_BYTES", "1000")
    monkeypatch.setenv("LADING_TEAMTRACKS_SUBMIT_STATUS", "200")
    settings = Settings(home=tmp_path / ".lading")
    with running(settings) as service, face_client(service, "teamtracks", tenant) as client:
        track = Track(client, definition)
        answer = track.post(b"Id\n" + b"a\n" * 500)
        assert (answer.status_code, list(answer.json())) == (413, ["statusCode", "message"])
        assert track.post(CSV).status_code == 200


@pytest.mark.slow
def test_a_face_that_is_switched_off_is_not_there(tmp_path: Path):
    with (
        running(Settings(home=tmp_path / ".lading", faces_off="teamtracks")) as service,
        service.client() as http,
    ):
        assert http.get("/teamtracks/job/x").status_code == 404
        assert "statusCode" not in http.get("/teamtracks/job/x").json()
        assert http.get("/learningbuilder/API/WorkflowImportQueue/Batch/x").status_code == 401


@pytest.mark.slow
def test_the_answer_about_many_created_objects_has_them_all(track):
    answer = track.imported(b"Id\n" + b"".join(b"%d\n" % number for number in range(25_000)))
    assert answer.successfully_created == 25_000
    assert len(set(answer.objects_created)) == 25_000
    assert all(isinstance(object_id, UUID) for object_id in answer.objects_created)


def test_the_documents_curl_works_with_the_key_in_its_place(track):
    """What `--form file=@…` sends, with a content type that says nothing."""
    headers = track.credentials.encode()
    files = {"file": ("filename.xlsx", xlsx(), "application/octet-stream")}
    answer = track.http.post(f"/objectimport/{TRACK}", files=files, headers=headers)
    assert answer.status_code == 202
    assert list(json.loads(answer.content)) == ["jobId"]
