"""Imports whose records go to a vendor: rows are accounted for by what it told, and by nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.invocation import Invocation
from schemas.chunk import BLOCK_ROWS
from schemas.connection import ConnectionDocument
from schemas.errors import DefinitionError
from schemas.job import JobKind, JobState, Outcome
from schemas.principal import Principal, Scope
from schemas.settings import Settings
from store.connections import put_connection
from store.database import Store
from store.deliveries import list_deliveries
from store.job_lists import JobFilter, page_of_jobs
from tasks.invoke import invoke
from tests.tasks import scripted_vendor

ROWS = ("Id,Name,Amount", "a,Ann,1", "b,Bob,x", "c,Cid,3", "d,Dora,4")


@pytest.fixture(scope="module")
def server():
    with scripted_vendor.standing() as vendor, scripted_vendor.known():
        yield vendor


@pytest.fixture
def vendor(server, lading):
    """The vendor as it was at first, with a connection to it."""
    server.__dict__.update(scripted_vendor.Vendor(url=server.url).__dict__)
    connect(lading.settings, server.url)
    return server


def connect(settings, url):
    document = ConnectionDocument(name="box", connector=scripted_vendor.NAME, url=url)
    with Store.opened(settings) as store, store.write() as session:
        put_connection(session, "local", document, {})


@pytest.fixture
def deliver(lading, write_csv, make_definition):
    """Imports the rows, to a vendor whose client is so; gives the job."""

    def deliver(*rows, mode="upsert", **script):
        destination = {"connection": "box", "box": "b1", **script}
        definition = make_definition(mode=mode, destination=destination)
        return lading.job(lading.run(write_csv(*(rows or ROWS)), definition))

    return deliver


def test_good_rows_alone_are_handed_over_and_what_the_vendor_tells_is_kept(lading, vendor, deliver):
    job = deliver()
    assert (job.state, lading.letters(job.id)) == (JobState.FINISHED, "CFCC")
    assert vendor.imported() == ["a", "c", "d"]
    assert job.vendor_counts == {"created": 3}
    assert job.vendor_link == f"{vendor.url}/see/1"


def test_a_record_that_the_vendor_refuses_is_failed_at_the_place_where_the_user_finds_it(
    lading, vendor, deliver
):
    vendor.told = lambda _: {
        "refused": [{"row": 3, "field": "Name", "message": "no such name"}],
        "counts": {"created": 2, "failed": 1},
    }
    job = deliver()
    assert lading.letters(job.id) == "CFFC"
    error = next(error for error in lading.errors(job.id) if error.code == "vendor.refused")
    assert (error.ordinal, error.row, error.line) == (2, 4, 4)
    assert (error.column, error.field, error.value, error.message) == ("B", "name", "Cid", "no such name")


@pytest.mark.parametrize(
    ("told", "letters"),
    [
        ({"counts": {"created": 1, "updated": 2}}, "QFQQ"),
        ({"counts": {"unchanged": 3, "created": 0}}, "NFNN"),
        ({"counts": {"created": 2}}, "QFQQ"),
        ({"counts": {"total": 3}}, "QFQQ"),
        ({"counts": {"failed": 3}}, "FFFF"),
        ({"counts": {"failed": 1, "updated": 2}}, "QFQQ"),
        ({"outcomes": ["created", "updated", "ignored"]}, "CFUI"),
        ({}, "QFQQ"),
    ],
)
def test_an_outcome_is_what_the_vendor_told_of_the_row_or_what_its_totals_leave_alone(
    lading, vendor, deliver, told, letters
):
    vendor.told = lambda _: dict(told)
    job = deliver()
    assert (job.state, lading.letters(job.id)) == (JobState.FINISHED, letters)
    assert job.vendor_counts == told.get("counts")


def test_what_is_said_of_no_row_is_a_warning_and_counts_for_none(lading, vendor, deliver):
    vendor.told = lambda _: {"refused": [{"row": None, "field": "Tint", "message": "no colour"}]}
    job = deliver()
    assert lading.letters(job.id) == "QFQQ"
    assert job.warnings == ["the vendor says: Tint: no colour"]


def test_parts_follow_each_other_and_each_row_keeps_its_place(lading, vendor, deliver):
    vendor.told = lambda rows: {"outcomes": ["created" if row["Id"] < "c" else "updated" for row in rows]}
    job = deliver(*ROWS, "e,Eve,5", part_rows=2, one_at_a_time=True)
    assert lading.letters(job.id) == "CFUUU"
    assert list(vendor.imports.values()) == [f"things-{job.id[:8]}-{part}.csv" for part in (1, 2)]


@pytest.mark.slow
def test_a_part_goes_on_where_the_one_before_it_ended_also_over_blocks(vendor, deliver):
    rows = [f"r{n},Name,{'x' if n % 1_000 == 7 else n}" for n in range(BLOCK_ROWS + 20)]
    good = [row.split(",")[0] for row in rows if not row.endswith("x")]
    deliver(ROWS[0], *rows, part_rows=len(good) - 30, one_at_a_time=True)
    assert vendor.imported() == good


def test_a_vendor_that_is_not_ready_is_asked_again_and_takes_the_part_once(lading, vendor, deliver):
    vendor.busy, vendor.looks = 2, 3
    job = deliver()
    assert (lading.letters(job.id), len(vendor.imports)) == ("CFCC", 1)
    assert (vendor.asked["POST /imports"], vendor.asked["PUT /files"]) == (3, 1)
    assert vendor.asked["GET /imports/"] == 4


def test_a_part_whose_answer_was_lost_is_found_at_the_vendor_and_not_sent_again(lading, vendor, deliver):
    vendor.cuts = 1
    job = deliver()
    assert (job.state, lading.letters(job.id)) == (JobState.FINISHED, "CFCC")
    assert vendor.imported() == ["a", "c", "d"]


def test_a_part_that_can_not_be_found_is_unconfirmed_never_sent_again_and_the_job_says_so(
    lading, vendor, deliver
):
    vendor.cuts = 1
    job = deliver(part_rows=2, finds=False)
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.unknown", "QFQC")
    assert vendor.imported() == ["a", "c", "d"]
    assert "its 2 rows are unconfirmed" in job.error_message


def test_a_vendor_that_tells_nothing_ends_the_job_well_with_its_rows_unconfirmed(lading, vendor, deliver):
    job = deliver(tells=False)
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FINISHED, None, "QFQQ")
    assert (vendor.asked["GET /imports/"], job.vendor_link) == (0, f"{vendor.url}/see/1")


def test_a_file_that_is_refused_leaves_its_rows_unprocessed_but_those_that_are_named(lading, vendor, deliver):
    vendor.refusal = {"message": "no"}
    job = deliver(part_rows=2)
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.failed", "PFFP")
    assert vendor.imports == {}


def test_an_import_that_the_vendor_gives_up_leaves_its_rows_unconfirmed(lading, vendor, deliver):
    vendor.told = lambda _: {"failed": "out of paper"}
    job = deliver()
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.failed", "QFQQ")
    assert "out of paper" in job.error_message


def test_an_import_that_never_ends_is_left_at_the_deadline(lading, vendor, deliver):
    vendor.looks = 1_000_000
    lading.settings = Settings(home=lading.settings.home, vendor_deadline_seconds=0.2)
    job = deliver()
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.deadline", "QFQQ")
    assert "it is not done" in job.error_message


def test_a_vendor_that_is_never_ready_is_left_at_the_deadline_with_nothing_handed_over(lading, vendor, deliver):
    vendor.busy = 1_000_000
    lading.settings = Settings(home=lading.settings.home, vendor_deadline_seconds=0.2)
    job = deliver()
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.deadline", "PFPP")
    assert "another import is under way" in job.error_message


def test_a_file_without_a_good_row_is_handed_over_to_nobody(lading, vendor, deliver):
    job = deliver("Id,Name,Amount", "b,Bob,x")
    assert (job.state, lading.letters(job.id), vendor.files) == (JobState.FINISHED, "F", {})


@pytest.mark.usefixtures("vendor")
def test_what_was_handed_over_is_noted_part_by_part(lading, deliver):
    job = deliver(part_rows=2)
    with Store.opened(lading.settings) as store, store.read() as session:
        parts = list_deliveries(session, job.id)
    assert [(part.part, part.first_record, part.records, part.state.value) for part in parts] == [
        (1, 0, 2, "done"),
        (2, 2, 1, "done"),
    ]
    assert [part.handle["import"] for part in parts] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mode": "update"}, "scripted can't do mode 'update'; it can do insert, upsert"),
        ({"colour": "red"}, "destination.colour: Extra inputs are not permitted"),
        ({"part_rows": "two"}, "destination.part_rows: Input should be a valid integer"),
    ],
)
@pytest.mark.usefixtures("vendor")
def test_what_the_vendor_can_not_do_is_refused_before_a_job_is_made(deliver, changes, says):
    with pytest.raises(DefinitionError, match=says):
        deliver(**changes)


RECORDS = [{"no": "a", "n": 1}, {"no": "b", "n": "x"}, {"no": "c", "n": 3}]


@pytest.fixture
def invoked(lading, make_definition):
    """Invokes a definition with a mapping, whose records go to the vendor; gives the answers."""
    rules = [{"extract": "no", "generate": "Id"}, {"extract": "n", "generate": "Amount"}]
    fields = [{"name": "id", "header": "Id"}, {"name": "amount", "header": "Amount", "type": "integer"}]
    who = Principal("key", "local", frozenset({Scope.ADMIN}))

    def sent(**more):
        destination = {"connection": "box", "box": "b1"}
        lading.apply(make_definition(fields=fields, mapping={"fields": rules}, destination=destination))
        with Store.opened(lading.settings) as store:
            return invoke(lading.settings, store, who, Invocation("things", RECORDS, **more))

    return sent


def the_job(lading):
    """The one job that there is, once it is there."""
    while True:
        with Store.opened(lading.settings) as store, store.read() as session:
            for job in page_of_jobs(session, "local", JobFilter(), limit=1):
                return job
        threading.Event().wait(0.01)


def test_records_of_an_invoke_go_the_way_of_a_file_and_are_waited_for(lading, vendor, invoked):
    with ThreadPoolExecutor(1) as thread:
        answers = thread.submit(invoked)
        lading.finish(the_job(lading).id)
        told = answers.result(30)
    job = the_job(lading)
    assert (job.kind, job.state) == (JobKind.INVOKE, JobState.FINISHED)
    assert vendor.imported() == ["a", "c"]
    assert [answer.outcome.value for answer in told] == ["created", "failed", "created"]
    assert [(e.code, e.field, e.line) for e in told[1].errors] == [("type.integer", "amount", 2)]


def test_records_of_an_invoke_that_are_not_done_in_time_are_unconfirmed_and_the_job_goes_on(
    lading, vendor, invoked
):
    lading.settings = lading.settings.model_copy(update={"invoke_deadline_seconds": 0.1})
    told = invoked()
    assert {(answer.outcome, answer.errors[0].code) for answer in told} == {
        (Outcome.UNCONFIRMED, "vendor.deadline")
    }
    lading.finish(the_job(lading).id)
    assert vendor.imported() == ["a", "c"]


@pytest.mark.usefixtures("vendor")
def test_settings_beside_records_for_a_vendor_are_refused(invoked):
    with pytest.raises(DefinitionError, match="settings"):
        invoked(settings={"a": 1})
