"""Jobs whose end somebody asks for: before they begin, while the reader is silent, and between two chunks."""

import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from flows import run
from schemas.errors import ConflictError
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job, list_events, request_cancel
from tasks.reader_process import end_idle_readers
from tasks.upload import accept_upload

ROWS = 20_000
LINES = ["Id,Name,Amount", *(f"k{i},a,{i}" for i in range(ROWS))]


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / ".lading", commit_rows=1_000, segment_rows=5_000)


@pytest.fixture
def store(settings):
    with Store.opened(settings) as store:
        yield store


@pytest.fixture
def received(settings, store, make_definition, write_csv):
    """The id of a job that nobody has begun."""
    with store.write() as session:
        put_definition(session, "local", make_definition())
    return accept_upload(settings, ImportRequest(str(write_csv(*LINES)), "things"))


CHILD = """
import sys, threading, time
from pathlib import Path
from flows import run
from schemas.errors import ProcessEndsError
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from tasks.ending import end_soon

settings, job_id = Settings(home=Path(sys.argv[1]), commit_rows=1_000, segment_rows=5_000), sys.argv[2]

def end():
    with Store.opened(settings) as store:
        while True:
            with store.read() as session:
                if get_job(session, job_id).rows_loaded >= 1_000:
                    return end_soon()
            time.sleep(0.002)

threading.Thread(target=end).start()
try:
    run.resume(settings, job_id)
except ProcessEndsError as error:
    print(type(error).__name__)
"""


def cancel(store, job_id):
    with store.write() as session:
        request_cancel(session, job_id)


def cancelled_once(store, job_id, is_reached):
    """A thread that cancels the job as soon as it got there."""

    def wait():
        while True:
            with store.read() as session:
                if is_reached(get_job(session, job_id)):
                    return cancel(store, job_id)
            time.sleep(0.002)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_job_cancelled_while_it_waits_ends_without_being_read(lading, store, received):
    cancel(store, received)
    run.resume(lading.settings, received)
    job = lading.job(received)
    assert (job.state.value, job.error_code, job.rows, job.validating_at) == (
        "cancelled",
        "job.cancelled",
        0,
        None,
    )
    assert not lading.settings.table_path("local").exists()


def test_a_cancelled_import_keeps_what_it_wrote_and_accounts_for_the_rest(lading, store, received):
    thread = cancelled_once(store, received, lambda job: job.rows_loaded >= 1_000)
    run.resume(lading.settings, received)
    thread.join()
    job, counts = lading.job(received), lading.counts(received)
    assert (job.state.value, job.error_code, job.error_message) == (
        "cancelled",
        "job.cancelled",
        "cancelled on request",
    )
    assert counts.keys() == {"created", "unprocessed"}
    assert (job.rows, sum(counts.values())) == (ROWS, ROWS)
    assert lading.table().height == counts["created"] < ROWS
    assert job.reported_at is not None


def test_a_job_is_cancelled_while_its_reader_says_nothing(lading, store, received):
    end_idle_readers()  # a new one takes half a second to begin
    thread = cancelled_once(store, received, lambda job: job.state.value == "validating" and stop_the_reader())
    run.resume(lading.settings, received)
    thread.join()
    job = lading.job(received)
    assert (job.state.value, job.error_code, job.rows) == ("cancelled", "job.cancelled", 0)
    assert readers_of_ours() == []


def stop_the_reader():
    for reader in (found := readers_of_ours()):
        reader.send_signal(signal.SIGSTOP)
    return bool(found)


def readers_of_ours():
    children = psutil.Process().children()
    return [child for child in children if "tasks.reader_child" in " ".join(child.cmdline())]


def test_to_ask_twice_is_to_ask_once_and_what_has_ended_can_not_be_cancelled(lading, store, received):
    cancel(store, received)
    cancel(store, received)
    with store.read() as session:
        assert [event.name for event in list_events(session, received)] == ["received", "cancel requested"]
    run.resume(lading.settings, received)
    with store.write() as session, pytest.raises(ConflictError, match="there is nothing to cancel"):
        request_cancel(session, received)


def test_a_process_that_is_about_to_end_leaves_its_job_where_it_is(lading, store, received):
    command = [sys.executable, "-c", CHILD, str(lading.settings.home), received]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    with store.read() as session:
        job = get_job(session, received)
    assert said == "ProcessEndsError\n"
    assert (job.state.value, job.lease_owner, job.rows) == ("importing", None, ROWS)
    run.resume(lading.settings, received)
    assert lading.counts(received) == {"created": ROWS}
