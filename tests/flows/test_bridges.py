"""Five faces in, five vendors out: the same records in each face's format reach each vendor, all accounted for.

Another `lading serve`, with a home of its own, stands for the vendors; where its own worker is the one that
delivers, the first service stands for them.
"""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from io import BytesIO
from uuid import uuid4

import httpx
import pytest
import xlsxwriter

from connectors import known_connectors
from connectors.starmind.wire import Accepted, Process, ProcessStatus
from connectors.teamtracks.wire import Credentials
from schemas.connection import ConnectionDocument
from schemas.document import parse_definition
from schemas.job import Counts, JobKind, JobState
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import get_job
from store.keys import add_key
from tasks.connection_keeping import keep_connection
from tasks.import_views import derived_id
from tests.api.conftest import running
from tests.cli.running_service import RunningService, until
from tests.connectors.face_client import face_client, worked

HEADER = ["Id", "Language", "Tags", "Description"]
VENDORS_TENANT = "vendor"
ADDRESSES = {
    "elma365": {"namespace": "network", "code": "tags"},
    "integrator": {},
    "learningbuilder": {"import_process_id": 7},
    "starmind": {"entity": "tags"},
    "teamtracks": {"track_id": "7d1c"},
}
"""Where, in the words of each vendor, the tags are; integrator.io's face knows every definition by an id."""
FACES = sorted(ADDRESSES)
ROWS = 5
LINKED = {
    "elma365": "{}/elma365/pub/v1/app/network/tags/import/",
    "integrator": "",
    "learningbuilder": "http://127.0.0.1:8642/ui/jobs/",
    "starmind": "",
    "teamtracks": "",
}
"""Vendor → how its link to the import begins, `{}` being its address; empty: it has none."""
STAGES = {"upload", "validate", "import", "poll", "report"}


def rows_from(face, vendor):
    """Records that no other pair has."""
    return [[str(n), "en", f"{face} {vendor} {n}", f"tag {n}"] for n in range(ROWS)]


def workbook(rows):
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, *rows]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def into_elma365(client, rows):
    content, file_hash = workbook(rows), str(uuid4())
    size = len(content)
    client.http.post(
        "/pub/v1/disk/file/upload",
        params={"hash": file_hash},
        content=content,
        headers={"Content-Type": "application/octet-stream", "Content-Range": f"bytes 0-{size}/{size}"},
    ).raise_for_status()
    asked = {"fileHash": file_hash, "format": ".xlsx"}
    client.http.post("/pub/v1/app/network/tags/import", json=asked).raise_for_status()


def into_integrator(client, rows):
    records = [dict(zip(HEADER, row, strict=True)) for row in rows]
    path = f"/v1/imports/{derived_id(client.key.tenant, 'tags')}/invoke"
    # It is answered when the vendor has told what became of the records.
    client.http.post(path, json=records, timeout=300).raise_for_status()


def into_learningbuilder(client, rows):
    lines = "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows)
    path = "/API/WorkflowImportQueue/CreateBatch?fileName=tags&importProcessId=7"
    headers = {"Authorization": f"apikey {client.key.token}"}
    client.bare.post(path, headers=headers, content=lines).raise_for_status()


def into_starmind(client, rows):
    uploaded = client.http.post("/import/tags/upload", files={"file": ("tags.xlsx", workbook(rows))})
    path = f"/import/tags/{Accepted.decode(uploaded.content).import_id}"
    until(lambda: has_validated(client.http.get(f"{path}/status").content), seconds=120)
    client.http.put(path).raise_for_status()


def has_validated(body):
    return Process.decode(body).status is not ProcessStatus.PROCESSING


def into_teamtracks(client, rows):
    key = client.key
    headers = Credentials(key.tenant, key.subscription_key, key.token).encode()
    text = "\n".join(",".join(row) for row in [HEADER, *rows])
    posted = client.bare.post("/objectimport/7d1c", headers=headers, files={"file": ("tags.csv", text)})
    posted.raise_for_status()


INTO = {
    "elma365": into_elma365,
    "integrator": into_integrator,
    "learningbuilder": into_learningbuilder,
    "starmind": into_starmind,
    "teamtracks": into_teamtracks,
}
TOLD = {
    "elma365": (Counts(unconfirmed=ROWS), {"total": ROWS}),
    "integrator": (Counts(unconfirmed=ROWS), None),
    "learningbuilder": (Counts(unconfirmed=ROWS), None),
    "starmind": (Counts(created=ROWS), {"created": ROWS}),
    "teamtracks": (Counts(created=ROWS), {"created": ROWS}),
}
"""Vendor → what our job counts, and what the vendor counted, but for zeros."""


def tags(**changes):
    """The definition of tags that comes with Lading, with whatever is said otherwise."""
    document = known_connectors()["starmind"].definitions["starmind-tags"]
    return parse_definition(document).model_copy(update=changes)


def delivered(vendor, tenant, **changes):
    """That definition, whose records go to the vendor, where they are the `tags` of this tenant."""
    document = tags(**changes).model_dump(mode="json")
    place = {"import_id": derived_id(tenant, "tags")} if vendor == "integrator" else ADDRESSES[vendor]
    document["destination"] = {"connection": vendor, **place}
    return type(tags()).model_validate(document)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory):
    """The service that stands for the vendors; gives it and the key of its client."""
    service = RunningService(tmp_path_factory.mktemp("vendors"))
    with service.store.write() as session:
        put_definition(session, VENDORS_TENANT, tags(name="tags", faces=ADDRESSES))
        key = add_key(session, VENDORS_TENANT, [scope for scope in Scope if scope is not Scope.ADMIN])
    service.start()
    yield service, key
    service.process.terminate()
    service.process.wait(60)
    service.store.close()


def connect(settings, session, url, key, tenants):
    """Keep a connection to each vendor below the URL, named as it, and grant it to the tenants."""
    secrets = {
        "elma365": {"token": key.token},
        "integrator": {"token": key.token},
        "learningbuilder": {"api_key": key.token},
        "starmind": {"token": key.token},
        "teamtracks": {"token": key.token, "subscription_key": key.subscription_key},
    }
    for vendor in FACES:
        document = ConnectionDocument(
            name=vendor,
            connector=vendor,
            url=f"{url}/{vendor}",
            options={"tenant": key.tenant} if vendor == "teamtracks" else {},
            secrets=secrets[vendor],
            tenants=tenants,
        )
        keep_connection(settings, session, "local", document)


@pytest.fixture(scope="module")
def bridges(tmp_path_factory, vendors):
    """The accepting service: for each vendor a tenant whose five faces lead there."""
    settings = Settings(home=tmp_path_factory.mktemp("bridges") / ".lading")
    with running(settings) as service:
        with Store.opened(settings) as store, store.write() as session:
            connect(settings, session, vendors[0].status["api"], vendors[1], tuple(FACES))
            for vendor in FACES:
                definition = delivered(vendor, VENDORS_TENANT, name="tags", faces=ADDRESSES)
                put_definition(session, vendor, definition)
        yield service


def records_at(vendors, face, vendor):
    """The records of a pair, as the vendor has them."""
    path = vendors[0].settings.table_path(VENDORS_TENANT)
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT id, language, tags, description FROM starmind_tags WHERE tags LIKE ? ORDER BY id"
        try:
            return [list(row) for row in connection.execute(query, (f"{face} {vendor} %",))]
        except sqlite3.OperationalError:
            return []


def newest_job(service, tenant):
    with Store.opened(service.settings) as store, store.read() as session:
        return page_of_jobs(session, tenant, JobFilter(), limit=1)[0]


def brought(service, vendor):
    """Bring the records of every face that lead to this vendor, and see them to their ends; face → job."""
    jobs = {}
    with face_client(service, FACES[0], vendor) as working, worked(working):
        for face in FACES:
            with face_client(service, face, vendor) as client:
                INTO[face](client, rows_from(face, vendor))
            jobs[face] = newest_job(service, vendor).id
        until(lambda: all(job_of(service, job_id).reported_at for job_id in jobs.values()), seconds=300)
    return jobs


def job_of(service, job_id):
    with Store.opened(service.settings) as store, store.read() as session:
        return get_job(session, job_id)


@pytest.fixture(scope="module")
def ended(bridges):
    """(face, vendor) → the job that brought its records there; those of all vendors side by side."""
    with ThreadPoolExecutor(len(FACES)) as pool:
        jobs = dict(zip(FACES, pool.map(partial(brought, bridges), FACES), strict=True))
    return {(face, vendor): job_of(bridges, job) for vendor in FACES for face, job in jobs[vendor].items()}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("vendor", FACES)
@pytest.mark.parametrize("face", FACES)
def test_what_comes_in_by_a_face_is_delivered_to_the_vendor_with_every_row_accounted_for(
    ended, vendors, face, vendor
):
    job = ended[face, vendor]
    kind = JobKind.INVOKE if face == "integrator" else JobKind.IMPORT
    assert (job.kind, job.state, job.error_message) == (kind, JobState.FINISHED, None)
    counted = None if job.vendor_counts is None else {k: n for k, n in job.vendor_counts.items() if n}
    counts, told = TOLD[vendor]
    assert job.counts == counts
    assert counted is None if told is None else told.items() <= counted.items()
    until(lambda: len(records_at(vendors, face, vendor)) == ROWS)
    assert records_at(vendors, face, vendor) == rows_from(face, vendor)


@pytest.fixture(scope="module")
def receiver(bridges):
    """A client of the first service, which stands for the vendors: jobs are done there as they come."""
    with Store.opened(bridges.settings) as store, store.write() as session:
        put_definition(session, "receiver", tags(name="tags", faces=ADDRESSES))
    with face_client(bridges, "elma365", "receiver") as client, worked(client):
        yield client


@pytest.fixture(scope="module")
def sender(vendors, receiver):
    """A client of the other service, whose definitions are named as the vendors that its worker delivers to."""
    service, _ = vendors
    with service.store.write() as session:
        connect(service.settings, session, receiver.service.url, receiver.key, ("sender",))
        for vendor in FACES:
            put_definition(session, "sender", delivered(vendor, "receiver", name=vendor))
        key = add_key(session, "sender", [Scope.IMPORTS_CREATE, Scope.IMPORTS_READ])
    headers = {"Authorization": f"Bearer {key.token}"}
    with httpx.Client(base_url=service.status["api"], headers=headers, timeout=30) as client:
        yield client


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("vendor", FACES)
def test_a_posted_file_is_delivered_to_a_vendor_by_the_worker_and_the_job_says_what_became_of_it(
    sender, receiver, vendors, vendor
):
    sent = [[str(n), "en", f"posted to {vendor} {n}", f"tag {n}"] for n in range(ROWS)]
    rows = [*sent, ["", "en", "", "no name"]]
    posted = sender.post("/jobs", files={"file": ("tags.xlsx", workbook(rows))}, data={"definition": vendor})
    assert posted.status_code == 202, posted.text

    def job():
        return sender.get(f"/jobs/{posted.json()['job_id']}").raise_for_status().json()

    until(lambda: job()["terminal"], 200)
    told, (counts, vendor_counts) = job(), TOLD[vendor]
    assert (told["state"], told["error_message"], told["rows"]) == ("finished", None, ROWS + 1)
    assert {name: told[name] for name in vars(counts)} == vars(counts) | {"failed": 1}
    counted = told["vendor_counts"]
    assert counted is None if vendor_counts is None else vendor_counts.items() <= counted.items()
    assert (told["vendor_link"] or "").startswith(LINKED[vendor].format(receiver.service.url))
    until(lambda: any(row["tags"] == sent[-1][2] for row in receiver.table("starmind_tags") or ()))
    taken = [row for row in receiver.table("starmind_tags") if row["tags"].startswith(f"posted to {vendor} ")]
    assert [[row["id"], row["language"], row["tags"], row["description"]] for row in taken] == sent
    service, _ = vendors
    until(lambda: service.states_of_runs(told["job_id"]) == ["COMPLETED"])
    wanted = {"flow_runs": {"tags": {"all_": [f"job:{told['job_id']}"]}}}
    until(lambda: {task["name"].split()[0] for task in service.prefect("task_runs/filter", wanted)} == STAGES)
