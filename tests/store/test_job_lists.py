"""What is found when somebody looks for jobs, and what is never shown."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from schemas.definition import Mode
from schemas.errors import NotFoundError
from schemas.job import JobKind, JobState
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import add_job, job_of
from store.tables import Job
from store.uploads import put_upload

FIRST = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def add(store, make_definition):
    """Adds a job of these properties and gives its id."""

    def make(tenant="acme", definition="things", file="a.csv", **values):
        with store.write() as session:
            upload = put_upload(session, tenant, sha256="0" * 64, size_bytes=1, file_name=file, days=1)
            stored = put_definition(session, tenant, make_definition(name=definition))
            job = Job(
                id=str(uuid4()),
                tenant=tenant,
                kind=JobKind.IMPORT,
                definition_id=stored.id,
                upload_id=upload.id,
                mode=Mode.UPSERT,
                destination_key=f"{tenant}/default/things",
                expires_at=FIRST,
                stage_expires_at=FIRST,
                errors_expire_at=FIRST,
                **{"received_at": FIRST} | values,
            )
            return add_job(session, job).id

    return make


@pytest.fixture
def found(store):
    """Gives the ids of the jobs of `acme` that a filter finds."""

    def find(wanted=None, *, limit=100, **where):
        with store.read() as session:
            jobs = page_of_jobs(session, "acme", wanted or JobFilter(), limit=limit, **where)
            return [job.id for job in jobs]

    return find


def test_pages_follow_each_other_without_a_gap_when_jobs_came_at_the_same_moment(add, found, store):
    ids = {add(received_at=FIRST + HOUR * (number // 3)) for number in range(7)}
    seen, before = [], None
    while page := found(limit=2, before=before):
        seen += page
        with store.read() as session:
            last = job_of(session, "acme", page[-1])
        before = (last.received_at, last.id)
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == ids
    with store.read() as session:
        times = [job_of(session, "acme", job_id).received_at for job_id in seen]
    assert times == sorted(times, reverse=True)


def test_jobs_are_found_by_each_property_and_by_all_at_once(add, found):
    late = add(file="Quakes 2026.CSV", received_at=FIRST + HOUR, creation_path="IMPORT_QUEUE_API:NIGHTLY")
    early = add(definition="others", file="100%_sure.csv", creation_path="UI", state=JobState.VALIDATING)
    assert found(JobFilter(state=JobState.VALIDATING)) == [early]
    assert found(JobFilter(definition="others")) == [early]
    assert found(JobFilter(file="quakes")) == found(JobFilter(file=".csv"))[:1] == [late]
    assert found(JobFilter(file="%_s")) == [early]
    assert found(JobFilter(file="%2026")) == []
    assert found(JobFilter(received_after=FIRST)) == [late]
    assert found(JobFilter(received_before=FIRST + HOUR)) == [early]
    every = JobFilter(JobState.RECEIVED, "things", "quakes", "nightly", FIRST, FIRST + 2 * HOUR)
    assert found(every) == [late]


@pytest.mark.parametrize("wanted", ["IMPORT_QUEUE_API:NIGHTLY", "nightly", "import_queue_api"])
def test_a_creation_path_is_found_whole_or_by_either_part(add, found, wanted):
    job_id = add(creation_path="IMPORT_QUEUE_API:NIGHTLY")
    add(creation_path="API")
    add(creation_path="OTHER:NIGHTLY_2")
    assert found(JobFilter(creation_path=wanted)) == [job_id]


def test_another_tenants_job_is_neither_listed_nor_there(add, found, store):
    theirs = add(tenant="other")
    assert found() == []
    with store.read() as session:
        assert job_of(session, "other", theirs).id == theirs
        with pytest.raises(NotFoundError, match=f"there is no job '{theirs}'"):
            job_of(session, "acme", theirs)


def test_a_key_for_some_definitions_sees_their_jobs_only(add, found, store):
    mine, others = add(), add(definition="others")
    only = frozenset({"things"})
    assert found(definitions=only) == [mine]
    assert found(definitions=frozenset()) == []
    with store.read() as session:
        assert job_of(session, "acme", mine, only).id == mine
        with pytest.raises(NotFoundError):
            job_of(session, "acme", others, only)


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "x" * 10_000, "'; DROP TABLE job; --"])
def test_text_that_no_name_or_id_can_be_finds_nothing(add, found, store, text):
    add()
    with store.read() as session, pytest.raises(NotFoundError):
        job_of(session, "acme", text)
    assert found(JobFilter(definition=text)) == found(JobFilter(creation_path=text)) == []
    assert found(JobFilter(file=text or "nothing")) == []
