"""LearningBuilder's face over a real socket: the documented way, every status, and the documents' traps."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from connectors.learningbuilder.wire import (
    CONTENT_TYPE,
    BatchAnswer,
    BatchQuery,
    BatchStatus,
    encode_credentials,
    encode_records,
)
from schemas.definition import Definition
from schemas.principal import Scope
from schemas.settings import Settings
from schemas.signing import Purpose, signer_of
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.pages import list_errors
from store.tables import Job
from store.uploads import get_upload
from tests.api.conftest import Service, running
from tests.connectors.face_client import FaceClient, face_client
from tests.tasks.mailbox import Mailbox, message_of, served

CREATE = "/API/WorkflowImportQueue/CreateBatch"
PEOPLE = {
    "name": "people",
    "key": ["email"],
    "fields": [
        {"name": "email", "header": "Email", "type": "email"},
        {"name": "name", "header": "Full Name"},
        {"name": "age", "header": "Age", "type": "integer", "min": 0},
    ],
    "destination": {"table": "people"},
    "faces": {"learningbuilder": {"import_process_id": 7}},
}
ADA = {":Email": "ada@example.com", "Full Name": "Ada Lovelace", "Age": 36}
GRACE = {":Email": "grace@example.com", "Full Name": "Grace Hopper", "Age": 85}
ASKED = BatchQuery(file_name="ACME Process 2026/01/31", import_process_id=7, creation_path="LH")


class Queue:
    """What LearningBuilder's clients do."""

    def __init__(self, client: FaceClient, definition: Definition) -> None:
        self.client, self.http, self.settings = client, client.bare, client.service.settings
        self.tenant = client.key.tenant
        self.credentials = encode_credentials(client.key.token)
        with Store.opened(self.settings) as store, store.write() as session:
            put_definition(session, self.tenant, definition)

    def post(self, body: bytes, query: str | None = None, path=CREATE, **headers: str) -> httpx.Response:
        url = f"{path}?{ASKED.encode_query() if query is None else query}"
        return self.http.post(
            url, content=body, headers=self.credentials | {"Content-Type": CONTENT_TYPE} | headers
        )

    def created(self, *records: dict, asked=ASKED) -> BatchAnswer:
        answer = self.post(b"".join(encode_records(records)), asked.encode_query())
        assert answer.status_code == 200, answer.text
        return BatchAnswer.decode(answer.content)

    def imported(self, *records: dict, asked=ASKED) -> BatchStatus:
        """How the batch stands when it has come to its end."""
        batch_id = self.created(*records, asked=asked).queue_batch_id
        self.client.finish_jobs()
        return self.status(batch_id)

    def status(self, batch_id: str) -> BatchStatus:
        answer = self.http.get(f"/API/WorkflowImportQueue/Batch/{batch_id}", headers=self.credentials)
        assert answer.status_code == 200, answer.text
        return BatchStatus.decode(answer.content)

    def jobs(self, wanted: JobFilter | None = None) -> list[Job]:
        with Store.opened(self.settings) as store, store.read() as session:
            return list(page_of_jobs(session, self.tenant, wanted or JobFilter(), limit=100))

    def errors(self, job_id: str) -> list[tuple[int | None, str]]:
        with Store.opened(self.settings) as store, store.read() as session:
            return [(error.row, error.code) for error in list_errors(session, job_id)]

    def label(self, job: Job) -> str:
        with Store.opened(self.settings) as store, store.read() as session:
            return get_upload(session, job.upload_id).file_name


@pytest.fixture
def definition() -> Definition:
    return Definition.model_validate(PEOPLE)


@pytest.fixture
def queue(shared_service: Service, tenant: str, definition: Definition) -> Iterator[Queue]:
    """The queue of a key that has the one permission and no other."""
    with face_client(shared_service, "learningbuilder", tenant, Scope.BEGIN_WORKFLOW_IMPORT) as client:
        yield Queue(client, definition)


def test_records_are_imported_by_their_identifiers_and_the_answer_has_two_keys(queue):
    answer = queue.post(b"".join(encode_records([ADA, GRACE])))
    assert (answer.status_code, list(answer.json())) == (200, ["queueBatchId", "queueBatchDetails"])
    queue.client.finish_jobs()
    assert queue.client.table("people") == [
        {"email": "ada@example.com", "name": "Ada Lovelace", "age": 36},
        {"email": "grace@example.com", "name": "Grace Hopper", "age": 85},
    ]
    status = queue.imported(ADA | {"Age": 37}, {":Email": "alan@example.com"})
    assert (status.status, status.rows_total, status.rows_processed, status.rows_failed) == (
        "Completed",
        2,
        2,
        0,
    )
    assert [row["age"] for row in queue.client.table("people")] == [37, 85, None]


def test_the_link_opens_the_jobs_page_and_names_the_batch(queue):
    answer = queue.created(ADA)
    link = urlsplit(answer.queue_batch_details)
    assert link.path == f"/ui/jobs/{answer.queue_batch_id}"
    assert (link.scheme, bool(link.hostname)) == ("http", True)
    query = parse_qs(link.query)
    assert query["batchId"] == [answer.queue_batch_id]
    signed = signer_of(queue.settings).value(Purpose.JOB_LINK, query["token"][0])
    assert signed[0] == answer.queue_batch_id


def test_the_link_is_never_made_of_the_requests_host(queue):
    answer = queue.post(b"{}", Host="evil.example")
    assert "evil.example" not in answer.text


def test_name_and_creation_path_are_kept_and_found(queue):
    queue.created(ADA)
    (job,) = queue.jobs(JobFilter(creation_path="IMPORT_QUEUE_API:LH"))
    assert (job.creation_path, queue.label(job)) == ("IMPORT_QUEUE_API:LH", "ACME Process 2026/01/31")
    assert job.key_id == queue.client.key.key_id
    assert queue.jobs(JobFilter(file="process 2026/01")) == [job]
    assert queue.jobs(JobFilter(creation_path="IMPORT_QUEUE_API:OTHER")) == []


def test_a_client_of_an_older_version_says_no_name_and_no_path(queue):
    queue.created(ADA, asked=BatchQuery(import_process_id=7))
    (job,) = queue.jobs()
    assert job.creation_path == "IMPORT_QUEUE_API"
    assert re.fullmatch(r"API import \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", queue.label(job))


@pytest.mark.parametrize("path", [CREATE.lower(), CREATE.upper(), "/Api/workflowImportQueue/createBatch"])
def test_the_path_has_any_case(queue, path):
    assert queue.post(b"{}", path=path).status_code == 200


def test_a_stray_ampersand_before_the_parameters_is_tolerated(queue):
    assert queue.post(b"{}", f"&{ASKED.encode_query()}").status_code == 200


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", []),
        (b"\n \r\n", []),
        (b'[{":Email": "a@example.com"}]', [1]),
        (b'[\n{":Email": "a@example.com"}\n]', [1, 3]),
        (b'{\n":Email": "a@example.com"\n}', [1, 2, 3]),
        (b'{":Email": "a@example.com"}\nnonsense\n{":Email": "b@example.com"}\n7\n', [2, 4]),
        (b'{":Email": "\xff@example.com"}', [1]),
        (b'{"importProcessId": 7, "sendFailureNoticeOnErrorTo": "a@example.com", "data": []}', [1]),
        (b"x\n" * 1000, list(range(1, 11))),
    ],
)
def test_a_body_that_is_no_json_lines_is_refused_whole_and_nothing_is_queued(queue, body, lines):
    answer = queue.post(body)
    assert answer.status_code == 400
    assert "nothing was queued" in answer.json()["message"]
    assert [(error["line"], error["field"]) for error in answer.json().get("errors", [])] == [
        (line, None) for line in lines
    ]
    assert queue.jobs() == []


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("importProcessId=7&creationPath=A", 200, None),
        ("importProcessId=7&creationPath=ABCDEFGHIJKLMNO", 200, None),
        ("importProcessId=7&creationPath=ABCDEFGHIJKLMNOP", 400, "creationPath"),
        ("importProcessId=7&creationPath=lh", 400, "creationPath"),
        ("importProcessId=7&creationPath=", 400, "creationPath"),
        ("", 400, "importProcessId"),
        ("importProcessId=seven", 400, "importProcessId"),
        ("importProcessId=8", 404, None),
        ("importProcessId=7&sendSuccessEmailTo=nobody", 400, "sendSuccessEmailTo"),
        ("importProcessId=7&sendFailureEmailTo=a@example.com%0ABcc:b@example.com", 400, "sendFailureEmailTo"),
        ("importProcessId=7&fileName=" + "x" * 255, 200, None),
        ("importProcessId=7&fileName=" + "x" * 256, 400, "fileName"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_queued(queue, query, status, field):
    answer = queue.post(b"{}", query)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json().get("errors", [])] == ([] if field is None else [field])
    assert len(queue.jobs()) == (status == 200)


def test_nested_values_and_wrong_or_blank_identifiers_cost_their_rows_only(queue):
    status = queue.imported(
        ADA,
        GRACE | {"Full Name": {"first": "Grace"}},
        GRACE | {"elsewhere": [1]},
        GRACE | {":Age": 85},
        {":Email": "", "Full Name": "Nobody"},
        {":Email": None, "Full Name": "Nobody"},
        {"Full Name": "Nobody"},
    )
    assert (status.status, status.rows_total, status.rows_processed, status.rows_failed) == (
        "CompletedWithErrors",
        7,
        1,
        6,
    )
    assert queue.errors(status.queue_batch_id) == [
        (2, "row.nested"),
        (3, "row.nested"),
        (4, "row.identifier"),
        (5, "required"),
        (6, "required"),
        (7, "required"),
    ]
    assert [row["email"] for row in queue.client.table("people")] == ["ada@example.com"]


def test_numbers_and_truth_values_are_taken_as_a_csv_cell_would_be(queue):
    queue.imported(ADA | {"Full Name": 12345678901234567890}, GRACE | {"Full Name": True, "Age": "85"})
    assert [row["name"] for row in queue.client.table("people")] == ["12345678901234567890", "true"]


def test_a_batch_without_identifiers_is_completed_with_an_error_of_its_own(queue):
    status = queue.imported({":Phone": "1", "Full Name": "Nobody"})
    assert (status.status, status.rows_processed) == ("CompletedWithErrors", 0)
    assert "1 required column is missing: 'Email'" in status.message
    status = queue.imported(ADA, {"Email": "grace@example.com"})
    assert (status.status, status.rows_processed) == ("CompletedWithErrors", 0)
    assert "the columns ':Email', 'Email' all feed the field 'email'" in status.message


def test_what_the_definition_says_of_its_files_does_not_matter_to_batches(queue, definition):
    other = definition.model_copy(update={"file": definition.file.model_copy(update={"kind": "xlsx"})})
    with Store.opened(queue.settings) as store, store.write() as session:
        put_definition(session, queue.tenant, other)
    assert queue.imported(ADA).status == "Completed"


def test_the_status_of_a_batch_is_marked_as_an_extension(queue):
    batch_id = queue.created(ADA).queue_batch_id
    answer = queue.http.get(f"/api/workflowimportqueue/batch/{batch_id}", headers=queue.credentials)
    assert answer.headers["X-Lading-Extension"] == "batch status"
    body = answer.json()
    assert (body["extension"], body["status"], body["rowsTotal"]) == ("lading", "Queued", None)
    assert (body["fileName"], body["creationPath"]) == ("ACME Process 2026/01/31", "IMPORT_QUEUE_API:LH")


def test_two_equal_requests_make_two_batches(queue):
    first, second = queue.created(ADA), queue.created(ADA)
    assert first.queue_batch_id != second.queue_batch_id
    queue.client.finish_jobs()
    assert queue.status(second.queue_batch_id).rows_processed == 1


def test_the_same_request_under_the_same_idempotency_key_is_one_batch(queue):
    query = BatchQuery(import_process_id=7).encode_query()
    named = {"Idempotency-Key": "nightly"}
    first, again = queue.post(b"{}", query, **named), queue.post(b"{}", query, **named)
    assert first.json()["queueBatchId"] == again.json()["queueBatchId"]
    other = queue.post(b'{"a": 1}', query, **named)
    assert (other.status_code, list(other.json())) == (409, ["message"])


def test_the_key_comes_in_both_forms_and_in_any_case(queue):
    token = queue.client.key.token
    basic = base64.b64encode(f"Member_12:{token}".encode()).decode()
    for value in (f"apikey {token}", f"ApiKey {token}", f"APIKEY  {token}", f"Basic {basic}"):
        assert queue.post(b"{}", Authorization=value).status_code == 200, value


@pytest.mark.parametrize("value", ["", "apikey", "apikey none", "Bearer {token}", "{token}", "Basic bm9uZQ=="])
def test_no_other_credentials_let_anybody_in(queue, value):
    answer = queue.post(b"{}", Authorization=value.format(token=queue.client.key.token))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "apikey")
    assert list(answer.json()) == ["message"]
    assert queue.jobs() == []


def test_a_key_without_the_permission_may_not(queue, shared_service):
    batch_id = queue.created(ADA).queue_batch_id
    other = shared_service.key(queue.tenant, Scope.IMPORTS_CREATE, Scope.IMPORTS_READ)
    headers = encode_credentials(other.token)
    answer = queue.post(b"{}", **headers)
    assert (answer.status_code, "BeginWorkflowImportProcess" in answer.json()["message"]) == (403, True)
    assert queue.http.get(f"/API/WorkflowImportQueue/Batch/{batch_id}", headers=headers).status_code == 403


def test_a_key_for_other_definitions_may_not(queue, shared_service):
    batch_id = queue.created(ADA).queue_batch_id
    other = shared_service.key(queue.tenant, Scope.BEGIN_WORKFLOW_IMPORT, definitions=["others"])
    headers = encode_credentials(other.token)
    assert queue.post(b"{}", **headers).status_code == 403
    assert queue.http.get(f"/API/WorkflowImportQueue/Batch/{batch_id}", headers=headers).status_code == 404


def test_what_is_another_tenants_is_not_there(queue, shared_service):
    batch_id = queue.created(ADA).queue_batch_id
    headers = encode_credentials(shared_service.key(f"t{uuid4().hex}").token)
    assert queue.post(b"{}", **headers).status_code == 404
    assert queue.http.get(f"/API/WorkflowImportQueue/Batch/{batch_id}", headers=headers).status_code == 404


def test_a_job_that_came_another_way_is_no_batch(queue):
    batch_id = queue.created(ADA).queue_batch_id
    with Store.opened(queue.settings) as store, store.write() as session:
        session.get_one(Job, batch_id).creation_path = "API"
    answer = queue.http.get(f"/API/WorkflowImportQueue/Batch/{batch_id}", headers=queue.credentials)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/x-ndjson", 200),
        ("application/jsonl", 200),
        ("application/jsonlines", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 200),
        ("application/octet-stream", 200),
        ("application/x-www-form-urlencoded", 200),
        ("", 200),
        ("text/csv", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_a_body_of_a_type_that_is_not_json_lines_is_refused(queue, content_type, status):
    assert queue.post(b"{}", **{"Content-Type": content_type}).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CREATE, 405),
        ("POST", "/API/WorkflowImportQueue/Batch/x", 405),
        ("GET", "/", 404),
        ("GET", "/docs", 404),
    ],
)
def test_what_is_not_served_is_told_in_the_same_shape(queue, method, path, status):
    answer = queue.http.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])


def test_whom_to_tell_is_kept_with_the_job(queue):
    asked = ASKED.model_copy(
        update={"send_success_email_to": "a@example.com", "send_failure_email_to": "b@example.com"}
    )
    queue.created(ADA, asked=asked)
    queue.created(ADA)
    without, told = queue.jobs()
    assert told.mail == {"success_to": "a@example.com", "failure_to": "b@example.com"}
    assert without.mail is None


@pytest.mark.slow
def test_limits_and_choices_are_settings(tmp_path: Path, monkeypatch, tenant, definition):
    for name, value in {
        "LIMIT_BYTES": 300,
        "LIMIT_LINE_BYTES": 100,
        "CREATED_STATUS": 201,
        "SHOWN_LINES": 1,
    }.items():
        monkeypatch.setenv(f"LADING_LEARNINGBUILDER_{name}", str(value))
    monkeypatch.setenv("LADING_LEARNINGBUILDER_BASIC_CREDENTIALS", "false")
    settings = Settings(
        home=tmp_path / ".lading", mail_domains="example.com", public_url="https://lading.example.org"
    )
    with running(settings) as service, face_client(service, "learningbuilder", tenant) as client:
        queue = Queue(client, definition)
        answer = queue.post(b"{}")
        assert answer.status_code == 201
        assert answer.json()["queueBatchDetails"].startswith("https://lading.example.org/ui/jobs/")
        assert queue.post(b"{}\n" * 101).status_code == 413
        assert len(queue.post(b"x\nx\n").json()["errors"]) == 1
        assert (
            "more than 100 bytes" in queue.post(b'{"a": "' + b"x" * 100 + b'"}').json()["errors"][0]["message"]
        )
        basic = base64.b64encode(f"Member_12:{client.key.token}".encode()).decode()
        assert queue.post(b"{}", Authorization=f"Basic {basic}").status_code == 401
        elsewhere = "importProcessId=7&sendFailureEmailTo=a@example.org"
        answer = queue.post(b"{}", elsewhere)
        assert (answer.status_code, "example.org" in answer.json()["message"]) == (403, True)
        assert queue.post(b"{}", elsewhere.replace(".org", ".com")).status_code == 201


@pytest.mark.slow
def test_whoever_is_named_gets_a_mail_with_the_link_when_the_batch_has_ended(
    tmp_path: Path, tenant, definition
):
    mailbox = Mailbox()
    asked = ASKED.model_copy(
        update={"send_success_email_to": "well@example.com", "send_failure_email_to": "failed@example.com"}
    )
    with served(mailbox) as port:
        smtp = {
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_tls": "none",
            "smtp_sender": "lading@example.org",
        }
        settings = Settings(home=tmp_path / ".lading", public_url="https://lading.example.org", **smtp)
        with running(settings) as service, face_client(service, "learningbuilder", tenant) as client:
            queue = Queue(client, definition)
            queue.imported(ADA, asked=asked)
            queue.imported(ADA, GRACE | {"Age": -1}, asked=asked)
    assert [mail.rcpt_tos for mail in mailbox.mails] == [["well@example.com"], ["failed@example.com"]]
    for mail, outcome in zip(mailbox.mails, ["every row was well", "1 of 2 rows failed"], strict=True):
        text = message_of(mail).get_content()
        assert f'"ACME Process 2026/01/31" by the definition "people" has ended: {outcome}' in text
        assert "https://lading.example.org/ui/jobs/" in text
        assert "grace" not in text
