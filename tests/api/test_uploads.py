import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.keys import revoke_key
from tests.api.conftest import running

CSV = b"Id,Name,Amount\n1,A,1\n2,B,x\n"
LIMIT_BYTES = 100_000


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A service that takes bodies of at most 100,000 bytes."""
    home = tmp_path_factory.mktemp("small") / ".lading"
    with running(Settings(home=home, upload_limit_bytes=LIMIT_BYTES)) as service:
        yield service


@pytest.fixture(autouse=True)
def _things(service, small, tenant, make_definition):
    """A definition of that name, for the test's tenant."""
    for each in (service, small):
        with Store.opened(each.settings) as store, store.write() as session:
            put_definition(session, tenant, make_definition())


@pytest.fixture
def small_client(small, tenant):
    with small.client(small.key(tenant).token) as client:
        yield client


def bring(client, content=CSV, name="things.csv", headers=None, **fields):
    data = {"definition": "things"} | fields
    return client.post("/jobs", files={"file": (name, content)}, data=data, headers=headers)


def kept(service):
    """The files below the home's uploads, whole or not."""
    return [path for path in service.settings.uploads_path.rglob("*") if path.is_file()]


def test_a_file_becomes_a_job_at_an_address_to_be_polled(client, service):
    answer = bring(client, validate_only="true", mode="insert")
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/jobs/{job['job_id']}" == job["links"]["self"]
    assert (job["state"], job["kind"], job["mode"], job["file"], job["creation_path"]) == (
        "received",
        "validate",
        "insert",
        "things.csv",
        "API",
    )
    assert client.get(answer.headers["Location"]).json() == job
    with Store.opened(service.settings) as store, store.read() as session:
        stored = get_job(session, job["job_id"])
    assert stored.is_queued
    assert service.settings.upload_path(job["sha256"]).read_bytes() == CSV


def test_the_same_bytes_again_are_a_new_job_unless_an_idempotency_key_says_otherwise(client):
    plain = {bring(client).json()["job_id"] for _ in range(2)}
    assert len(plain) == 2
    named = {"Idempotency-Key": "delivery-7"}
    first, second = (bring(client, headers=named) for _ in range(2))
    assert (second.status_code, second.json()["job_id"]) == (202, first.json()["job_id"])
    other = bring(client, content=CSV + b"3,C,3\n", headers=named)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/idempotency-conflict")


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\things.csv", "things.csv"),
        ("x" * 300 + ".csv", "x" * 179 + "…" + "x" * 16 + ".csv"),
        ("täglich 1.csv", "täglich 1.csv"),
        ("..", "unnamed"),
    ],
)
def test_a_files_name_is_kept_without_its_folders(client, name, kept_as):
    assert bring(client, name=name).json()["file"] == kept_as


def test_a_body_that_says_it_is_too_large_is_refused_before_a_byte_is_sent(small, small_client):
    with connected(small) as connection:
        head = upload_head(small_client, f"Content-Length: {LIMIT_BYTES + 1}\r\nExpect: 100-continue")
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_turns_out_too_large_leaves_nothing_behind(small, small_client):
    before = kept(small)

    def endless():
        head = form_field("definition", "things") + b'--b\r\nContent-Disposition: form-data; name="file"; '
        yield head + b'filename="x.csv"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 10_000

    answer = small_client.post("/jobs", content=endless(), headers=MULTIPART)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert answer.json()["limit_bytes"] == LIMIT_BYTES
    assert kept(small) == before
    assert small_client.get("/jobs").json()["jobs"] == []


def test_an_upload_that_is_cut_off_leaves_nothing_behind(small, small_client):
    before = kept(small)
    with connected(small) as connection:
        connection.sendall(upload_head(small_client, "Content-Length: 90000") + file_part(b"x" * 80_000))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert small_client.get("/jobs").json()["jobs"] == []
    assert kept(small) == before


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
END = b"--b--\r\n"


def form_field(name, value):
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file_part(content, name="file", extra=b""):
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="x.csv"\r\n'.encode()
    return head + extra + b"\r\n" + content + b"\r\n"


DEFINITION = form_field("definition", "things")


UNREADABLE = {
    "nothing": b"",
    "another boundary": b"--c\r\n",
    "no last boundary": DEFINITION + file_part(CSV),
    "two files": DEFINITION + file_part(CSV) * 2 + END,
    "a long header": file_part(CSV, extra=b"X: " + b"x" * 9000 + b"\r\n") + END,
    "many headers": file_part(CSV, extra=b"X: 1\r\n" * 50) + END,
    "a long field": form_field("definition", "x" * 9000) + END,
    "many fields": form_field("a", "1") * 30 + END,
    "a part without a name": b"--b\r\nX: 1\r\n\r\n1\r\n" + END,
}
NO_UPLOAD = {
    "no file": DEFINITION + END,
    "a file without a name": DEFINITION + form_field("file", "x") + END,
    "no definition": file_part(CSV) + END,
    "a field twice": DEFINITION * 2 + file_part(CSV) + END,
    "a file twice": DEFINITION + form_field("file", "x") + file_part(CSV) + END,
    "an unknown field": DEFINITION + form_field("colour", "red") + file_part(CSV) + END,
    "an unknown mode": DEFINITION + form_field("mode", "merge") + file_part(CSV) + END,
    "a truth value in other words": DEFINITION + form_field("validate_only", "1") + file_part(CSV) + END,
    "a file under another name": DEFINITION + file_part(CSV, name="other") + END,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_can_not_be_read_is_refused_by_name_and_leaves_nothing(small, small_client, body):
    before = kept(small)
    answer = small_client.post("/jobs", content=body, headers=MULTIPART)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-body")
    assert kept(small) == before


@pytest.mark.parametrize("body", NO_UPLOAD.values(), ids=NO_UPLOAD.keys())
def test_a_body_that_is_no_upload_is_refused_by_name_and_leaves_nothing(small, small_client, body):
    before = kept(small)
    answer = small_client.post("/jobs", content=body, headers=MULTIPART)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert kept(small) == before


@pytest.mark.parametrize("media_type", [None, "application/json", "multipart/mixed; boundary=b"])
def test_a_body_of_another_type_is_refused_with_those_that_are_read(small_client, media_type):
    headers = {} if media_type is None else {"Content-Type": media_type}
    answer = small_client.post("/jobs", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["supported"]) == (415, ["multipart/form-data"])


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 300])
def test_a_boundary_that_is_none_is_refused(small_client, content_type):
    answer = small_client.post("/jobs", content=b"x", headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-body")


@pytest.mark.parametrize("token", [None, "nobody.s3cret", "x" * 10_000])
def test_whoever_has_no_key_is_told_so_before_the_body_is_read(small, token):
    with connected(small) as connection:
        header = "" if token is None else f"Authorization: Bearer {token}\r\n"
        head = (
            f"POST /jobs HTTP/1.1\r\nHost: x\r\n{header}Content-Length: 90000\r\nExpect: 100-continue\r\n\r\n"
        )
        connection.sendall(head.encode())
        said = connection.recv(4000)
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: Bearer" in said


def test_a_key_without_the_scope_is_told_so_before_the_body_is_read(small, tenant):
    token = small.key(tenant, Scope.IMPORTS_READ).token
    with small.client(token) as client, connected(small) as connection:
        connection.sendall(upload_head(client, "Content-Length: 90000\r\nExpect: 100-continue"))
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


def test_a_definition_that_is_not_there_or_not_the_keys_is_refused_and_nothing_is_kept(small, tenant):
    before = kept(small)
    with small.client(small.key(tenant, definitions=["people"]).token) as client:
        assert bring(client, definition="people").status_code == 404
        refused = bring(client)
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/not-found")
    assert kept(small) == before


def test_a_key_that_was_revoked_lets_nobody_in_soon(service, tenant):
    key = service.key(tenant)
    with service.client(key.token) as client:
        assert client.get("/jobs").status_code == 200
        with Store.opened(service.settings) as store, store.write() as session:
            revoke_key(session, key.key_id)
        while client.get("/jobs").status_code == 200:
            pass
        assert client.get("/jobs").json()["type"] == "/problems/unauthenticated"


@pytest.mark.slow
def test_two_hundred_uploads_at_a_time_are_two_hundred_jobs(service, tenant):
    token = service.key(tenant).token

    def one(number):
        with service.client(token) as client:
            return bring(client, f"Id,Name,Amount\n{number},A,1\n".encode(), f"{number}.csv")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(one, range(200)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["job_id"] for answer in answers}) == 200


def connected(service):
    url = urlsplit(service.url)
    return socket.create_connection((url.hostname, url.port), timeout=20)


def upload_head(client, headers):
    token = client.headers["Authorization"]
    head = f"POST /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{headers}\r\n"
    return (head + "Content-Type: multipart/form-data; boundary=b\r\n\r\n").encode()
