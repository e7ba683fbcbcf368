"""ELMA365's clients, over a real socket: every status and every trap of its documents."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from uuid import uuid4

import httpx
import polars as pl
import pytest

from schemas.clock import utc_now
from schemas.principal import Scope
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.keys import add_key
from tasks.purge import purge_home
from tests.tasks.https_server import serving

CSV = b"Id,Name,Amount\r\na,Ann,1\r\nb,Bob,2\r\nc,Cem,x\r\n"
APP = "/elma365/pub/v1/app/goods/things/import"
TEMPORARY = "/elma365/pub/v1/disk/file/upload"
ADDRESS = {"elma365": {"namespace": "goods", "code": "things"}}


class Client:
    """A client of ELMA365 with one key."""

    def __init__(self, service, key=None, **headers):
        self.service = service
        self.key = key or service.key("acme")
        self.http = httpx.Client(
            base_url=service.url, headers=headers or {"X-Token": self.key.token}, timeout=30, trust_env=False
        )

    def upload(self, content=CSV, path=TEMPORARY, client_hash=None, **headers):
        """Uploads it whole; gives the hash."""
        client_hash = client_hash or str(uuid4())
        answer = self.http.post(path, params={"hash": client_hash}, content=content, headers=headers)
        assert (answer.status_code, answer.json()["success"]) == (200, True)
        return client_hash

    def part(self, client_hash, start, end, content, path=TEMPORARY):
        """Uploads the bytes from start to end of the content, as the documents' examples do."""
        ranged = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
        return self.http.post(path, params={"hash": client_hash}, content=content[start:end], headers=ranged)

    def start(self, client_hash, app=APP, **said):
        return self.http.post(app, json={"fileHash": client_hash, "format": ".csv"} | said)

    def status(self, import_id, app=APP):
        return self.http.get(f"{app}/{import_id}/status")


@pytest.fixture
def come_in(service):
    """Makes a client that comes in with a key, or with these headers."""
    with ExitStack() as stack:

        def with_(key=None, **headers):
            client = Client(service, key, **headers)
            stack.enter_context(client.http)
            return client

        yield with_


@pytest.fixture
def client(apply, come_in):
    apply(faces=ADDRESS)
    return come_in()


@pytest.fixture
def other_app(apply):
    """The path of another app of the tenant's, with a table of its own."""
    address = {"elma365": {"namespace": "goods", "code": "o"}}
    apply(name="others", destination={"table": "others"}, faces=address)
    return APP.replace("things", "o")


def refused(answer, status, part=""):
    said = answer.json()
    assert (answer.status_code, list(said), said["success"]) == (status, ["success", "error"], False)
    assert part in said["error"]


def directory():
    return f"/elma365/pub/v1/disk/directory/{uuid4()}/upload"


def test_an_import_from_upload_to_result(client, finish):
    started = client.start(client.upload())
    assert started.status_code == 200
    said = started.json()
    assert list(said) == ["success", "error", "importId", "status", "count"]
    assert (said["success"], said["error"], said["status"], said["count"]) == (True, "", "new", 0)
    finish()
    done = said | {"status": "done", "count": 2}
    assert client.status(said["importId"]).json() == done
    assert client.http.post(f"{APP}/{said['importId']}/status").json() == done
    assert client.http.get(f"{APP}/{said['importId']}").json() == done


def test_the_sample_of_two_parts_of_a_file_of_seven_megabytes(client, finish):
    row = b"k%06d," + b"x" * 1_000 + b",1\n"
    content = b"Id,Name,Amount\n" + b"".join(row % number for number in range(7_250))
    content = content.ljust(7_340_032, b"\n")
    client_hash = str(uuid4())
    first = client.part(client_hash, 0, 5_242_880, content)
    assert (first.status_code, first.json()) == (206, {"success": True, "error": ""})
    last = client.part(client_hash, 5_242_880, 7_340_032, content)
    assert (last.status_code, last.json()["file"]["size"]) == (200, 7_340_032)
    assert client.part(client_hash, 5_242_880, 7_340_032, content).status_code == 200
    import_id = client.start(client_hash).json()["importId"]
    finish()
    assert client.status(import_id).json()["count"] == 7_250


@pytest.fixture
def _small_parts(monkeypatch):
    monkeypatch.setenv("LADING_ELMA365_SMALLEST_PART_BYTES", "10")


@pytest.mark.usefixtures("_small_parts")
class TestParts:
    def test_ends_may_be_inclusive(self, client, finish):
        client_hash, last = str(uuid4()), len(CSV) - 1
        for start, end, status in ((0, 19, 206), (20, 39, 206), (40, last, 200)):
            answer = client.http.post(
                TEMPORARY,
                params={"Hash": client_hash},
                content=CSV[start : end + 1],
                headers={"Content-Range": f"bytes {start}-{end}/{len(CSV)}"},
            )
            assert answer.status_code == status
        import_id = client.start(client_hash).json()["importId"]
        finish()
        assert client.status(import_id).json()["count"] == 2

    def test_each_error_is_named_in_the_message_of_a_400(self, client):
        client_hash = str(uuid4())
        refused(client.part(client_hash, 20, 40, CSV), 400, "NoSuchUpload")
        refused(client.part(client_hash, 0, 9, CSV), 400, "EntityTooSmall")
        assert client.part(client_hash, 0, 20, CSV).status_code == 206
        refused(client.part(client_hash, 30, len(CSV), CSV), 400, "InvalidPartOrder")
        refused(client.part(client_hash, 20, 35, CSV), 400, "InvalidPart:")
        ranged = {"Content-Range": f"bytes 20-40/{len(CSV)}"}
        answer = client.http.post(TEMPORARY, params={"hash": client_hash}, content=b"short", headers=ranged)
        refused(answer, 400, "InvalidPart: Content-Range says")
        assert client.part(client_hash, 20, len(CSV), CSV).status_code == 200

    def test_a_file_of_which_parts_are_missing_can_not_be_imported(self, client):
        client_hash = str(uuid4())
        client.part(client_hash, 0, 20, CSV)
        refused(client.start(client_hash), 400, "no whole file")

    def test_the_parts_of_another_tenant_are_not_there(self, client, service, come_in):
        client_hash = str(uuid4())
        client.part(client_hash, 0, 20, CSV)
        other = come_in(service.key("globex"))
        refused(other.part(client_hash, 20, len(CSV), CSV), 400, "NoSuchUpload")


@pytest.mark.parametrize("path", [TEMPORARY, directory()], ids=["temporary", "directory"])
@pytest.mark.parametrize("part", ["file", "File", None])
def test_a_whole_file_comes_as_a_form_or_as_it_is_with_a_range_or_without(client, finish, path, part):
    for end, name in ((len(CSV), "a.csv"), (len(CSV) - 1, "b.csv"), (None, "c.csv")):
        client_hash = str(uuid4())
        body = {"content": CSV} if part is None else {"files": {part: (name, CSV)}}
        headers = {} if end is None else {"Content-Range": f"bytes 0-{end}/{len(CSV)}"}
        answer = client.http.post(path, params={"hash": client_hash}, headers=headers, **body)
        assert answer.status_code == 200
        file = answer.json()["file"]
        assert list(file) == ["__id", "name", "size"]
        assert (file["name"], file["size"]) == (name if part else client_hash, len(CSV))
        assert client_hash not in file["__id"]
        import_id = client.start(client_hash).json()["importId"]
        finish()
        assert client.status(import_id).json()["count"] == 2


def test_a_name_that_the_directory_has_gets_a_number(client):
    path = directory()
    names = []
    for _ in range(3):
        body = {"file": ("rows.csv", CSV)}
        answer = client.http.post(path, params={"hash": str(uuid4())}, files=body)
        names.append(answer.json()["file"]["name"])
    assert names == ["rows.csv", "rows (1).csv", "rows (2).csv"]


@pytest.mark.parametrize("said", [".csv", "csv", "CSV", ".Csv", "", None])
def test_the_format_may_be_said_in_any_way_or_not_at_all(client, finish, said):
    import_id = client.start(client.upload(), format=said).json()["importId"]
    finish()
    assert client.status(import_id).json()["status"] == "done"


def test_a_workbook_is_imported(client, finish):
    workbook = io.BytesIO()
    pl.DataFrame({"Id": ["a", "b"], "Name": ["Ann", "Bob"], "Amount": [1, 2]}).write_excel(workbook)
    import_id = client.start(client.upload(workbook.getvalue()), format="XLSX").json()["importId"]
    finish()
    said = client.status(import_id).json()
    assert (said["status"], said["count"]) == ("done", 2)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"format": ".csv"}', b'{"fileHash": "x"}', b'{"fileHash": null}'],
)
def test_an_import_without_a_hash_is_refused(client, body):
    refused(client.http.post(APP, content=body), 400, "fileHash")


def test_what_can_not_be_imported_is_refused(client):
    refused(client.start(str(uuid4())), 400, "never uploaded")
    refused(client.start(client.upload(), format=".xls"), 400, ".xlsx or .csv")
    refused(client.start(client.upload(), app=APP.replace("things", "nothing")), 404)
    refused(client.http.post(TEMPORARY, content=CSV), 400, "hash")
    refused(client.http.post(TEMPORARY, params={"hash": "no-uuid"}, content=CSV), 400, "UUID")
    refused(client.http.post(TEMPORARY.replace("file", "directory/x"), params={"hash": str(uuid4())}), 400)
    wrong = {"Content-Range": "bytes */5"}
    refused(client.http.post(TEMPORARY, params={"hash": str(uuid4())}, content=CSV, headers=wrong), 400)


def test_bad_credentials_are_403(client, come_in):
    for headers in (
        {"X-Token": "nobody"},
        {"Authorization": "Bearer nobody"},
        {"Authorization": f"Basic {client.key.token}"},
        {"Accept": "*/*"},
    ):
        stranger = come_in(client.key, **headers)
        for answer in (
            stranger.http.post(APP, json={}),
            stranger.http.get(f"{APP}/{uuid4()}/status"),
            stranger.http.get(f"{APP}/template"),
            stranger.http.post(TEMPORARY, params={"hash": str(uuid4())}, content=CSV),
            stranger.http.post(directory(), params={"hash": str(uuid4())}, content=CSV),
        ):
            refused(answer, 403, "not authorized")


def test_a_bearer_is_as_good_as_the_header_of_its_own(client, come_in):
    bearer = come_in(client.key, Authorization=f"Bearer {client.key.token}")
    assert bearer.start(bearer.upload()).json()["success"]


def test_a_key_that_may_only_read_brings_nothing_and_one_for_other_definitions_is_refused(
    client, service, come_in
):
    reader = come_in(service.key("acme", Scope.IMPORTS_READ))
    refused(reader.http.post(TEMPORARY, params={"hash": str(uuid4())}, content=CSV), 403)
    refused(reader.start(str(uuid4())), 403)
    import_id = client.start(client.upload()).json()["importId"]
    assert reader.status(import_id).status_code == 200
    limited = come_in(service.key("acme", definitions=["others"]))
    refused(limited.start(limited.upload()), 403)


def test_imports_and_files_of_another_tenant_are_not_there(client, service, apply, come_in):
    apply("globex", faces=ADDRESS)
    other = come_in(service.key("globex"))
    client_hash = client.upload()
    refused(other.start(client_hash), 400, "never uploaded")
    import_id = client.start(client_hash).json()["importId"]
    refused(other.status(import_id), 404)
    for nothing in (str(uuid4()), "x", "%00"):
        refused(client.status(nothing), 404)


def test_an_import_of_another_app_is_not_there(client, other_app):
    import_id = client.start(client.upload()).json()["importId"]
    refused(client.status(import_id, app=other_app), 404)


def test_a_second_import_of_the_app_is_blocked_and_one_of_another_is_not(client, other_app, finish):
    client_hash = client.upload()
    running = client.start(client_hash).json()
    blocked = client.start(client_hash)
    assert blocked.status_code == 200
    said = blocked.json()
    assert list(said) == ["success", "error", "importId", "status", "count"]
    assert (said["success"], said["status"], said["importId"]) == (False, "blocked", running["importId"])
    assert client.start(client_hash, app=other_app).json()["success"]
    finish()
    assert client.start(client_hash).json()["status"] == "new"


def test_which_import_blocks_the_app_is_told_only_to_whoever_may_see_it(client, service, apply, come_in):
    apply(name="same", faces={"elma365": {"namespace": "goods", "code": "same"}})
    client_hash = client.upload()
    client.start(client_hash)
    limited = come_in(service.key("acme", definitions=["same"]))
    said = limited.start(client_hash, app=APP.replace("things", "same")).json()
    assert (said["status"], said["importId"]) == ("blocked", None)


def test_a_file_that_is_refused_and_one_that_is_unreadable_end_as_error(client, finish):
    for content, kind in ((b"Wrong,Header\n1,2\n", "csv"), (b"PK\x03\x04 no workbook", "xlsx")):
        import_id = client.start(client.upload(content), format=kind).json()["importId"]
        finish()
        said = client.status(import_id).json()
        assert (said["success"], said["status"], said["count"]) == (False, "error", 0)
        assert said["error"]


@pytest.fixture
def clock(monkeypatch):
    """Moves every clock that has a say by so many minutes."""
    began = utc_now()

    def later(minutes):
        for module in ("tasks.client_files", "tasks.purge", "store.jobs", "store.uploads", "tasks.accepting"):
            monkeypatch.setattr(f"{module}.utc_now", lambda: began + timedelta(minutes=minutes))

    return later


def test_a_temporary_file_is_gone_after_an_hour_and_one_in_a_directory_is_not(client, clock):
    temporary, kept = client.upload(), client.upload(path=directory())
    clock(59)
    assert client.start(temporary).json()["success"]
    clock(61)
    refused(client.start(temporary), 400, "time is over")
    assert client.start(kept).json()["status"] == "blocked"


def test_an_import_that_runs_when_its_file_is_gone_ends_as_error(client, finish, clock):
    import_id = client.start(client.upload()).json()["importId"]
    kept_id = None
    clock(61)
    finish()
    said = client.status(import_id).json()
    assert (said["status"], said["success"]) == ("error", False)
    assert "kept until" in said["error"]
    kept_id = client.start(client.upload(path=directory())).json()["importId"]
    clock(300)
    finish()
    assert client.status(kept_id).json()["status"] == "done"


def test_the_bytes_of_a_temporary_file_go_when_its_import_is_done(client, service, finish, clock):
    client.start(client.upload())
    finish()
    assert purge_home(service.settings).uploads == 0
    clock(61)
    assert purge_home(service.settings).uploads == 1


@pytest.mark.parametrize(("said", "begins"), [("xlsx", b"PK"), (".CSV", b"Id,Name,Amount\r\n"), (None, b"PK")])
def test_a_template_is_there_to_be_filled_in(client, said, begins):
    answer = client.http.get(f"{APP}/template", params={} if said is None else {"format": said})
    assert answer.status_code == 200
    assert answer.content.startswith(begins)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="things.')


def test_a_template_of_another_kind_is_refused(client):
    refused(client.http.get(f"{APP}/template", params={"format": "ods"}), 400)


def test_unknown_paths_and_methods_answer_in_the_shape_of_the_vendor(client):
    refused(client.http.get("/elma365/pub/v1/nowhere"), 404)
    refused(client.http.delete(APP), 405)
    assert client.http.get("/elma365/docs").status_code == 404


def test_a_part_that_is_too_large_is_413_and_a_tenant_that_has_too_much_402(apply_small):
    client = apply_small(LADING_ELMA365_LARGEST_PART_BYTES="100", LADING_ELMA365_TENANT_BYTES="150")
    refused(client.http.post(TEMPORARY, params={"hash": str(uuid4())}, content=b"x" * 101), 413)
    client.upload(b"x" * 100)
    refused(client.http.post(TEMPORARY, params={"hash": str(uuid4())}, content=b"x" * 100), 402, "disk space")


@pytest.fixture
def apply_small(request, monkeypatch):
    """A client of a service with these choices."""

    def with_(**choices):
        for name, value in choices.items():
            monkeypatch.setenv(name, value)
        return request.getfixturevalue("client")

    return with_


@pytest.mark.parametrize("with_handlers", [True, False])
def test_event_handlers_are_what_the_job_tells_webhooks(client, service, with_handlers):
    import_id = client.start(client.upload(), withEventHandlers=with_handlers).json()["importId"]
    with Store.opened(service.settings) as store, store.read() as session:
        job = get_job(session, import_id)
    assert (job.has_events, job.creation_path, job.key_id) == (with_handlers, "ELMA365", client.key.key_id)


class Told(BaseHTTPRequestHandler):
    """Keeps the records that it is told of."""

    records: list

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).records.append((body["type"], body["data"]["record"]["id"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_with_event_handlers_webhooks_are_told_of_each_record_and_without_of_none(service, come_in, finish):
    told = type("Ours", (Told,), {"records": []})
    client = come_in(service.key("local"))
    with serving(told) as url, service.client(service.key("local", Scope.ADMIN).token) as operator:
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        definition = {
            "name": "things",
            "key": ["id"],
            "fields": [{"name": "id", "header": "Id"}, {"name": "name", "header": "Name"}],
            "destination": {"table": "things"},
            "faces": ADDRESS,
            "webhooks": [{"url": url, "secret": secret}],
        }
        assert operator.put("/definitions/things", json=definition).status_code == 201
        client.start(client.upload(), withEventHandlers=False)
        finish()
        assert told.records == []
        client.start(client.upload(CSV.replace(b"Bob", b"Ben") + b"d,Dan,4\r\n"), withEventHandlers=True)
        finish()
        assert told.records == [("record.updated", "b"), ("record.created", "d")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["settings", "on_postgres"], ids=["sqlite", "postgres"])
def test_of_two_processes_over_one_store_one_starts_the_import_and_the_other_is_blocked(
    request, kind, environment, make_definition
):
    settings = request.getfixturevalue(kind)
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, "acme", make_definition(faces=ADDRESS))
        token = add_key(session, "acme", [Scope.IMPORTS_CREATE, Scope.IMPORTS_READ]).token
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        servers = [
            subprocess.Popen(
                [sys.executable, "-m", "api.server", str(listening.fileno()), str(os.getpid())],
                env=environment(settings),
                pass_fds=[listening.fileno()],
            )
            for listening in (one, two)
        ]
        urls = [f"http://127.0.0.1:{listening.getsockname()[1]}" for listening in (one, two)]
        try:
            headers = {"X-Token": token}
            client_hash = str(uuid4())
            httpx.post(
                urls[0] + TEMPORARY, params={"hash": client_hash}, content=CSV, headers=headers, timeout=120
            )
            httpx.get(urls[1] + APP + "/template", headers=headers, timeout=120)

            def start(number):
                body = {"fileHash": client_hash, "format": "csv"}
                return httpx.post(urls[number % 2] + APP, json=body, headers=headers, timeout=120).json()

            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(start, range(8)))
        finally:
            for server in servers:
                server.send_signal(signal.SIGTERM)
            for server in servers:
                server.wait(20)
    assert sorted(answer["status"] for answer in answers) == ["blocked"] * 7 + ["new"]
    assert len({answer["importId"] for answer in answers}) == 1
