"""Whole imports through every client to its vendor scripted: each fault ends in the right state, in time."""

import time
from contextlib import contextmanager

import pytest

from schemas.connection import ConnectionDocument
from schemas.errors import UnfitConnectionError
from schemas.job import JobState
from store.database import Store
from tasks.connection_keeping import keep_connection
from tests.connectors.scripted.vendor import Fault, scripted
from tests.connectors.scripted.ways import WAYS
from tests.connectors.test_clients import CLIENTS, TELLING
from tests.tasks.conftest import Lading

pytestmark = pytest.mark.slow
LINES = ("Id,Name,Amount", "a,Ann,1", "b,Bob,x", "c,Cid,3", "d,Dora,4")
GOOD = [("a", "Ann", "1"), ("c", "Cid", "3"), ("d", "Dora", "4")]
UNTOLD = "QFQQ"
"""One letter a row: the bad one failed, and of the others nothing is known."""
WELL = {
    "elma365": UNTOLD,
    "integrator": UNTOLD,
    "learningbuilder": UNTOLD,
    "starmind": "CFCC",
    "teamtracks": "CFCC",
}
"""What a vendor that did well tells."""
DEADLINE_SECONDS = 3.0


@pytest.fixture
def lading(settings):
    """A home whose vendors have a few seconds."""
    return Lading(settings.model_copy(update={"vendor_deadline_seconds": 20.0}))


@pytest.fixture
def hasty(settings):
    """A home whose vendors have hardly any time."""
    return Lading(settings.model_copy(update={"vendor_deadline_seconds": DEADLINE_SECONDS}))


@pytest.fixture
def delivering(write_csv, make_definition):
    """The vendor scripted, and a way to import `LINES` into it, which gives the job."""

    @contextmanager
    def of(lading, name, faults=None, known=None, **script):
        way = WAYS[name]
        options, secrets = known or (way.options, way.secrets)
        with scripted(way.script(**script), faults) as vendor:
            document = ConnectionDocument(
                name="box", connector=name, url=vendor.url, options=options, secrets=secrets
            )
            with Store.opened(lading.settings) as store, store.write() as session:
                keep_connection(lading.settings, session, "local", document)
            definition = make_definition(destination={"connection": "box", **way.container})
            yield vendor, lambda lines=LINES: lading.job(lading.run(write_csv(*lines), definition))

    return of


def assert_well(lading, name, job, vendor):
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FINISHED, None, WELL[name])
    assert {tuple(rows) for rows in vendor.script.taken} == {tuple(GOOD)}
    counts = job.vendor_counts
    assert (None if counts is None else counts["total"]) == (len(GOOD) if WAYS[name].tells else None)


def files_that_hold(folder, secrets):
    """The files below the folder in which one of these can be read."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


@pytest.mark.parametrize("name", CLIENTS)
def test_faults_that_pass_cost_time_and_no_row(lading, delivering, name, caplog):
    faults = {call: [Fault.SLOW, Fault.BROKEN, Fault.CUT] for call in WAYS[name].calls}
    with delivering(lading, name, faults | {"submit": [Fault.TOO_MANY, Fault.SLOW]}) as (vendor, run):
        job = run()
    assert_well(lading, name, job, vendor)
    assert (vendor.count("submit"), len(vendor.script.taken)) == (2, 1)
    secrets = {*WAYS[name].secrets.values()}
    assert files_that_hold(lading.settings.home, secrets) == []
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.DROPPED, Fault.GARBAGE, Fault.BROKEN])
@pytest.mark.parametrize("name", CLIENTS)
def test_rows_whose_answer_was_lost_are_unconfirmed_unless_the_vendor_may_be_asked_again(
    lading, delivering, name, fault
):
    with delivering(lading, name, {"submit": [fault]}) as (vendor, run):
        job = run()
    if name == "starmind":
        assert_well(lading, name, job, vendor)
    else:
        assert (job.state, job.error_code, lading.letters(job.id)) == (
            JobState.FAILED,
            "vendor.unknown",
            UNTOLD,
        )
        assert (vendor.count("submit"), vendor.count("look")) == (1, 0)


@pytest.mark.parametrize("name", TELLING)
def test_an_import_that_never_ends_is_given_up_at_its_deadline(hasty, delivering, name):
    with delivering(hasty, name, looks=None) as (vendor, run):
        began_at = time.monotonic()
        job = run()
        took_seconds = time.monotonic() - began_at
    handed_over = bool(vendor.script.taken)
    letters = UNTOLD if handed_over else "PFPP"
    assert (job.state, job.error_code, hasty.letters(job.id)) == (JobState.FAILED, "vendor.deadline", letters)
    assert vendor.count("submit") == int(handed_over)
    assert DEADLINE_SECONDS <= took_seconds < DEADLINE_SECONDS + 20


def test_an_import_is_invoked_with_at_most_1000_records_and_5_mb_at_a_time(lading, delivering):
    names = [*["x" * 900_000, "ü" * 450_000] * 3, *["short"] * 2_000]
    lines = ["Id,Name,Amount", *(f"{number},{name},1" for number, name in enumerate(names))]
    with delivering(lading, "integrator") as (vendor, run):
        job = run(lines)
    assert (job.state, job.error_message) == (JobState.FINISHED, None)
    assert [len(rows) for rows in vendor.script.taken] == [5, 1_000, 1_000, 1]
    assert [int(row[0]) for rows in vendor.script.taken for row in rows] == list(range(2_006))
    assert job.counts.unconfirmed == 2_006


def test_a_record_that_an_import_does_not_take_fails_at_the_users_row(lading, delivering):
    wrong = {"statusCode": 422, "errors": [{"code": "c", "message": "no such name", "field": "Name"}]}
    with delivering(lading, "integrator", answers={3: wrong}, ignored=frozenset({4})) as (_, run):
        job = run()
    assert (job.state, lading.letters(job.id)) == (JobState.FINISHED, "QFFI")
    (told,) = [error for error in lading.errors(job.id) if error.code == "vendor.refused"]
    assert (told.row, told.field, told.value, told.message) == (4, "name", "Cid", "no such name")


def test_an_app_that_is_blocked_for_a_while_takes_every_row_once(lading, delivering):
    with delivering(lading, "elma365", blocked=2) as (vendor, run):
        job = run()
    assert_well(lading, "elma365", job, vendor)
    assert (vendor.count("upload"), vendor.count("submit"), len(vendor.script.taken)) == (1, 3, 1)


def test_an_app_that_stays_blocked_is_given_up_with_its_rows_unprocessed(hasty, delivering):
    with delivering(hasty, "elma365", blocked=1_000) as (vendor, run):
        job = run()
    assert (job.state, job.error_code, hasty.letters(job.id)) == (JobState.FAILED, "vendor.deadline", "PFPP")
    assert vendor.script.taken == []


@pytest.mark.parametrize("name", [name for name in CLIENTS if WAYS[name].renewing])
def test_a_token_that_expires_mid_poll_is_renewed_and_read_nowhere(lading, delivering, name):
    with delivering(lading, name, known=WAYS[name].renewing, looks=3, token_looks=1) as (vendor, run):
        job = run()
    assert_well(lading, name, job, vendor)
    assert (vendor.count("token"), len(vendor.script.taken)) == (2, 1)
    secrets = {vendor.script.token, *WAYS[name].renewing[1].values()}
    assert files_that_hold(lading.settings.home, secrets) == []


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("elma365", "poll_seconds", "0.1"),
        ("elma365", "directory", "inbox"),
        ("learningbuilder", "creation_path", "lading"),
        ("learningbuilder", "send_success_email_to", "nobody"),
    ],
)
def test_a_connection_with_an_option_that_is_none_is_not_kept(lading, delivering, name, option, value):
    known = {option: value}, WAYS[name].secrets
    with (
        pytest.raises(UnfitConnectionError, match=f"options.{option}: "),
        delivering(lading, name, known=known),
    ):
        pass


def test_a_token_that_is_withdrawn_mid_poll_leaves_the_rows_unconfirmed(lading, delivering):
    with delivering(lading, "elma365", looks=3, token_looks=1) as (vendor, run):
        job = run()
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.failed", UNTOLD)
    assert (vendor.count("submit"), vendor.count("look")) == (1, 2)


def test_a_workbook_that_the_vendor_finds_invalid_fails_at_the_users_rows(lading, delivering):
    with delivering(lading, "starmind", refused={3: "requirement failed: too short"}) as (vendor, run):
        job = run()
    assert (job.state, job.error_code, lading.letters(job.id)) == (JobState.FAILED, "vendor.failed", "PFFP")
    (told,) = [error for error in lading.errors(job.id) if error.code == "vendor.refused"]
    assert (told.row, told.message) == (4, "Tags: requirement failed: too short")
    assert vendor.script.taken == []


def test_a_record_that_a_track_does_not_take_fails_at_the_users_row(lading, delivering):
    with delivering(lading, "teamtracks", refused={3: "no such choice"}) as (_, run):
        job = run()
    assert (job.state, lading.letters(job.id)) == (JobState.FINISHED, "CFFC")
    (told,) = [error for error in lading.errors(job.id) if error.code == "vendor.refused"]
    assert (told.row, told.message) == (4, "no such choice")
