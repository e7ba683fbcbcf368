"""A clean workbook of tags is the same import, whichever face of the service it comes through."""

import json
from collections.abc import Callable
from io import BytesIO
from uuid import uuid4

import pytest
import xlsxwriter

from connectors import known_connectors
from connectors.integrator.wire import decode_results
from connectors.learningbuilder.wire import BatchAnswer, BatchStatus
from connectors.starmind.wire import Accepted, Process
from connectors.teamtracks.wire import Credentials, ImportAnswer, JobAnswer
from schemas.document import parse_definition
from schemas.job import Counts
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from tasks.import_views import derived_id
from tests.connectors.face_client import FaceClient, face_client

HEADER = ["Id", "Language", "Tags", "Description"]
ROWS = [[str(number), "en", f"tag {number}", f"The tag with the number {number}"] for number in range(1_234)]
ADDRESSES = {
    "elma365": {"namespace": "network", "code": "tags"},
    "integrator": {},
    "learningbuilder": {"import_process_id": 7},
    "starmind": {"entity": "tags"},
    "teamtracks": {"track_id": "7d1c"},
}
"""A face of which nothing is known here fails: what its clients do belongs into `WAYS`."""

Told = tuple[int | None, int | None]
"""How many records were created, and how many were there; as far as the face tells."""


def workbook() -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


WORKBOOK = workbook()


def by_starmind(client: FaceClient) -> Told:
    uploaded = client.http.post("/import/tags/upload", files={"file": ("tags.xlsx", WORKBOOK)})
    client.finish_jobs()
    put = client.http.put(f"/import/tags/{Accepted.decode(uploaded.content).import_id}")
    client.finish_jobs()
    answer = client.http.get(f"/import/tags/{Accepted.decode(put.content).import_id}/status")
    result = Process.decode(answer.content).result
    assert result.errors == ()
    return result.created_records, result.updated_records


def by_teamtracks(client: FaceClient) -> Told:
    key = client.key
    headers = Credentials(key.tenant, key.subscription_key, key.token).encode()
    posted = client.bare.post("/objectimport/7d1c", headers=headers, files={"file": ("tags.xlsx", WORKBOOK)})
    client.finish_jobs()
    job_id = ImportAnswer.decode(posted.content).job_id
    answer = JobAnswer.decode(client.bare.get(f"/job/objectimport/{job_id}", headers=headers).content)
    assert answer.finished
    assert (answer.failed_to_create, answer.failed_to_update, answer.errors) == (0, 0, ())
    assert len(answer.objects_created) == answer.successfully_created
    return answer.successfully_created, answer.successfully_updated + answer.unchanged


def by_elma365(client: FaceClient) -> Told:
    file_hash, size = str(uuid4()), len(WORKBOOK)
    uploaded = client.http.post(
        "/pub/v1/disk/file/upload",
        params={"hash": file_hash},
        content=WORKBOOK,
        headers={"Content-Type": "application/octet-stream", "Content-Range": f"bytes 0-{size}/{size}"},
    )
    assert uploaded.status_code == 200, uploaded.text
    asked = {"fileHash": file_hash, "format": ".xlsx", "withEventHandlers": False}
    begun = client.http.post("/pub/v1/app/network/tags/import", json=asked).json()
    client.finish_jobs()
    answer = client.http.get(f"/pub/v1/app/network/tags/import/{begun['importId']}/status").json()
    assert (answer["success"], answer["status"]) == (True, "done")
    # Its one figure counts created and updated records alike.
    assert answer["count"] == len(ROWS)
    return None, None


def by_integrator(client: FaceClient) -> Told:
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    path = f"/v1/imports/{derived_id(client.key.tenant, 'tags')}/invoke"
    results = decode_results(client.http.post(path, json=records).content)
    assert [result.status_code for result in results] == [200] * len(ROWS)
    assert [result.id for result in results] == [row[2] for row in ROWS]
    return None, None


def by_learningbuilder(client: FaceClient) -> Told:
    headers = {"Authorization": f"apikey {client.key.token}"}
    lines = "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS)
    path = "/API/WorkflowImportQueue/CreateBatch?fileName=tags&importProcessId=7"
    batch = BatchAnswer.decode(client.bare.post(path, headers=headers, content=lines).content)
    client.finish_jobs()
    answer = client.bare.get(f"/API/WorkflowImportQueue/Batch/{batch.queue_batch_id}", headers=headers)
    status = BatchStatus.decode(answer.content)
    assert (status.rows_total, status.rows_processed, status.rows_failed) == (len(ROWS), len(ROWS), 0)
    return None, None


def by_status_api(client: FaceClient) -> Told:
    with client.service.client(client.key.token) as http:
        form = {"files": {"file": ("tags.xlsx", WORKBOOK)}, "data": {"definition": "tags"}}
        posted = http.post("/jobs", **form)
        assert posted.status_code == 202, posted.text
        client.finish_jobs()
        answer = http.get(f"/jobs/{posted.json()['job_id']}").json()
    assert (answer["state"], answer["rows"], answer["failed"]) == ("finished", len(ROWS), 0)
    return answer["created"], answer["updated"] + answer["unchanged"]


WAYS: dict[str, Callable[[FaceClient], Told]] = {
    "elma365": by_elma365,
    "integrator": by_integrator,
    "learningbuilder": by_learningbuilder,
    "starmind": by_starmind,
    "teamtracks": by_teamtracks,
    "status API": by_status_api,
}


@pytest.fixture
def client(service, face):
    """A client of the face with a tenant of its own, to whose empty destination every face leads."""
    document = known_connectors()["starmind"].definitions["starmind-tags"]
    definition = parse_definition(document).model_copy(update={"name": "tags", "faces": ADDRESSES})
    with face_client(service, face.replace("status API", ""), "acme") as client:
        with Store.opened(service.settings) as store, store.write() as session:
            put_definition(session, "acme", definition)
        yield client


def last_counts(client: FaceClient) -> Counts:
    """Those of the last job, as the job store has them."""
    with Store.opened(client.service.settings) as store, store.read() as session:
        (job,) = page_of_jobs(session, client.key.tenant, JobFilter(), limit=1)
        return job.counts


@pytest.mark.parametrize("face", [*known_connectors(), "status API"])
def test_a_clean_workbook_of_tags_has_the_same_counts_by_every_way(client, face):
    created, there = WAYS[face](client)
    assert last_counts(client) == Counts(created=len(ROWS))
    assert (created, there) in {(len(ROWS), 0), (None, None)}
    created, there = WAYS[face](client)
    assert last_counts(client) == Counts(unchanged=len(ROWS))
    assert (created, there) in {(0, len(ROWS)), (None, None)}
    records = client.table("starmind_tags")
    assert [[record[name.lower()] for name in HEADER] for record in records] == ROWS
