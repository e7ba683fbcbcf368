"""Jobs that were interrupted: each test leaves one half done by really stopping it half-way."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import pairwise

import pytest

from flows import run
from schemas.errors import ConflictError, LeaseLostError, RetriableError
from schemas.import_request import ImportRequest
from schemas.job import Ending, JobState
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job, list_events, running_jobs
from store.leases import held_lease
from store.uploads import get_upload
from tasks.poll import end_job
from tasks.upload import accept_upload
from tasks.validate import _validate, validate_job

pytestmark = pytest.mark.slow

HEADER = "Id,Name,Amount"
ROWS = 80_000
BAD = {17: "x", 31_000: "-1", 39_999: "y"}
CHILD = """
import sys
from flows.run import import_directly
from schemas.import_request import ImportRequest
from schemas.settings import Settings
import_directly(Settings(home=sys.argv[1], commit_rows=1000, segment_rows=10000), ImportRequest(*sys.argv[2:]))
"""


@pytest.fixture
def big_file(write_csv):
    return write_csv(HEADER, *(f"k{i},name {i},{BAD.get(i, i)}" for i in range(ROWS)))


@pytest.fixture
def kill_when(lading, make_definition, environment):
    """Starts an import in a process of its own and kills it with -9 as soon as its job is so far."""

    def start_and_kill(path, reached) -> str:
        lading.apply(make_definition())
        arguments = [sys.executable, "-c", CHILD, str(lading.settings.home), str(path), "things"]
        with (
            subprocess.Popen(arguments, env=environment(lading.settings)) as child,
            Store.opened(lading.settings) as store,
        ):
            job_id = job_that(reached, store, child)
            os.kill(child.pid, signal.SIGKILL)
        return job_id

    return start_and_kill


def job_that(reached, store, child):
    """Waits until the child's job is so far; gives its id."""
    while True:
        assert child.poll() is None, "the import ended before it was so far"
        with store.read() as session:
            jobs = [job for job in running_jobs(session, "local") if reached(job)]
        if jobs:
            return jobs[0].id
        time.sleep(0.002)


def assert_whole(lading, job_id):
    assert lading.job(job_id).state is JobState.FINISHED
    assert lading.counts(job_id) == {"created": ROWS - 3, "failed": 3}
    assert [error.ordinal for error in lading.errors(job_id)] == sorted(BAD)
    letters = lading.letters(job_id)
    assert [ordinal for ordinal, letter in enumerate(letters) if letter != "C"] == sorted(BAD)
    table = lading.table().sort("amount")
    assert table["id"].to_list() == [f"k{i}" for i in range(ROWS) if i not in BAD]


POSTGRES = pytest.param("postgresql", marks=pytest.mark.slow)
on_both_stores = pytest.mark.parametrize("lading", ["sqlite", POSTGRES], indirect=True)


@on_both_stores
@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(lambda job: job.state == "validating" and job.rows_read > 0, id="validating"),
        pytest.param(lambda job: job.state == "importing" and job.rows_loaded >= 5_000, id="importing"),
        pytest.param(
            lambda job: job.state == "importing" and job.rows_loaded >= 35_000,
            id="nearly-done",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_killed_import_is_brought_to_its_end_with_every_row_once(lading, big_file, kill_when, reached):
    job_id = kill_when(big_file, reached)
    before = lading.job(job_id)
    assert not before.state.terminal
    assert lading.is_free(job_id)
    run.resume(lading.settings, job_id)
    assert_whole(lading, job_id)


def is_importing(job):
    return job.state == "importing" and job.rows_loaded >= 5_000


@pytest.mark.parametrize("lading", ["postgresql"], indirect=True)
def test_connections_to_the_job_store_that_are_cut_cost_nothing_but_time(
    lading, make_definition, big_file, environment
):
    lading.apply(make_definition())
    arguments = [sys.executable, "-c", CHILD, str(lading.settings.home), str(big_file), "things"]
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with (
        subprocess.Popen(arguments, env=environment(lading.settings)) as child,
        Store.opened(lading.settings) as store,
    ):
        job_id = job_that(is_importing, store, child)
        with store.read() as session:
            assert session.connection().exec_driver_sql(cut).scalar_one() > 0
        assert child.wait(timeout=60) == 0
    assert_whole(lading, job_id)


@pytest.mark.slow
def test_bringing_the_same_file_again_is_the_resumption(lading, make_definition, big_file, kill_when):
    job_id = kill_when(big_file, is_importing)
    assert lading.run(big_file, make_definition()) == job_id
    assert_whole(lading, job_id)


def test_another_import_into_the_table_first_resumes_the_interrupted_one(
    lading, make_definition, big_file, kill_when, write_csv
):
    interrupted = kill_when(big_file, is_importing)
    other = lading.run(write_csv(HEADER, "k5,changed,5", name="other.csv"), make_definition())
    assert lading.job(interrupted).state is JobState.FINISHED
    assert lading.counts(interrupted) == {"created": ROWS - 3, "failed": 3}
    assert lading.counts(other) == {"updated": 1}
    with Store.opened(lading.settings) as store, store.read() as session:
        said = [event.detail for event in list_events(session, other) if event.name == "resumes"]
        assert said == [f"first resumes the interrupted job {interrupted}"]
        assert get_job(session, interrupted).finished_at < get_job(session, other).finished_at


def test_an_abandoned_job_keeps_what_it_did_and_accounts_for_the_rest(lading, big_file, kill_when):
    job_id = kill_when(big_file, is_importing)
    run.abandon(lading.settings, job_id)
    job = lading.job(job_id)
    assert (job.state, job.error_code, job.rows) == (JobState.CANCELLED, "job.abandoned", ROWS)
    done = len(lading.letters(job_id))
    assert 5_000 <= done < ROWS
    assert job.created == lading.table().height == done - sum(1 for ordinal in BAD if ordinal < done)
    assert job.unprocessed == ROWS - done
    run.resume(lading.settings, job_id)
    assert lading.job(job_id).state is JobState.CANCELLED


@pytest.mark.slow
def test_a_job_that_somebody_works_on_is_not_abandoned(lading, big_file, kill_when):
    job_id = kill_when(big_file, is_importing)
    held = pytest.raises(ConflictError, match="being worked on")
    with Store.opened(lading.settings) as store, held_lease(store, lading.settings, job_id), held:
        run.abandon(lading.settings, job_id)
    assert lading.job(job_id).state is JobState.IMPORTING


@on_both_stores
@pytest.mark.slow
def test_imports_into_one_table_at_the_same_time_follow_each_other(
    lading, make_definition, write_csv, environment
):
    lading.apply(make_definition())
    paths = [write_csv(HEADER, *(f"k{i},{n},{i}" for i in range(20_000)), name=f"{n}.csv") for n in range(3)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(lading.settings.home), str(path), "things"],
            env=environment(lading.settings),
        )
        for path in paths
    ]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    with Store.opened(lading.settings) as store, store.read() as session:
        jobs = sorted(
            (
                get_job(session, row[0])
                for row in session.connection().exec_driver_sql("SELECT id FROM job").all()
            ),
            key=lambda job: job.importing_at,
        )
    assert [job.counts.rows for job in jobs] == [20_000] * 3
    assert [job.created for job in jobs] == [20_000, 0, 0]
    for earlier, later in pairwise(jobs):
        assert earlier.finished_at <= later.importing_at


@pytest.mark.slow
def test_a_destination_that_stays_locked_leaves_the_job_to_be_resumed(lading, make_definition, write_csv):
    lading.run(write_csv(HEADER, "a,A,1"), make_definition())
    impatient = lading.settings.model_copy(update={"busy_timeout_seconds": 0.01})
    path = write_csv(HEADER, "a,B,1")
    with closing(sqlite3.connect(lading.settings.table_path("local"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetriableError, match="locked"):
            run.import_directly(impatient, ImportRequest(str(path), "things"))
    assert lading.letters(lading.run(path, make_definition())) == "U"
    with Store.opened(lading.settings) as store, store.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 2


@pytest.mark.slow
def test_settings_are_not_needed_to_agree_between_attempts(lading, big_file, kill_when):
    job_id = kill_when(big_file, is_importing)
    other = Settings(home=lading.settings.home, commit_rows=7_000, segment_rows=3_000)
    run.resume(other, job_id)
    assert_whole(lading, job_id)


KILL_AT = """
import os, signal, sys
import flows.lifecycle, tasks.poll, tasks.report
from flows.run import import_directly
from schemas.import_request import ImportRequest
from schemas.settings import Settings
module, name = sys.argv[1].split(":")
setattr(sys.modules[module], name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
import_directly(Settings(home=sys.argv[2]), ImportRequest(*sys.argv[3:]))
"""
"""Kills itself with -9 in the place of the function that the first argument names."""


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("tasks.poll:_pages", id="before the destination is sealed"),
        pytest.param("tasks.pages:put_pages", id="after it is sealed"),
        pytest.param("tasks.poll:_finish", id="before the job is terminal"),
        pytest.param("tasks.report:failed_rows", id="before the report"),
        pytest.param("flows.lifecycle:plan_segments", id="before the first row is written"),
    ],
)
def test_a_kill_around_the_end_of_a_job_costs_nothing_but_time(lading, make_definition, write_csv, point):
    lading.apply(make_definition())
    path = write_csv(HEADER, *(f"k{i},n,{i}" for i in range(1_500)), "bad,n,x")
    command = [sys.executable, "-c", KILL_AT, point, str(lading.settings.home), str(path), "things"]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    with Store.opened(lading.settings) as store, store.read() as session:
        (job_id,) = session.connection().exec_driver_sql("SELECT id FROM job").scalars()
    run.resume(lading.settings, job_id)
    assert lading.counts(job_id) == {"created": 1_500, "failed": 1}
    assert lading.letters(job_id) == "C" * 1_500 + "F"
    assert [error.ordinal for error in lading.errors(job_id)] == [1_500]
    assert lading.job(job_id).errors == 1
    assert lading.job(job_id).reported_at is not None
    assert lading.table().height == 1_500
    assert lading.counts(lading.run(path, make_definition())) == {"unchanged": 1_500, "failed": 1}


@pytest.mark.parametrize("lost", ["all", "verdicts.arrow"])
def test_staged_rows_that_were_lost_are_staged_once_more(lading, big_file, kill_when, lost):
    job_id = kill_when(big_file, is_importing)
    folder = lading.settings.stage_path(job_id, lading.job(job_id).stage_epoch)
    for path in [folder / lost] if lost != "all" else list(folder.iterdir()):
        path.unlink()
    run.resume(lading.settings, job_id)
    assert_whole(lading, job_id)


def test_a_worker_that_lost_its_lease_does_not_touch_what_the_new_owner_staged(
    lading, make_definition, write_csv
):
    lading.apply(make_definition())
    path = write_csv(HEADER, "k1,A,1", "k1,B,2", "k2,C,3")
    job_id = accept_upload(lading.settings, ImportRequest(str(path), "things"))
    with Store.opened(lading.settings) as store:
        with held_lease(store, lading.settings, job_id) as stale:
            pass
        with held_lease(store, lading.settings, job_id) as epoch:
            validate_job(lading.settings, job_id, epoch)
            with store.read() as session:
                upload = get_upload(session, get_job(session, job_id).upload_id)
            with pytest.raises(LeaseLostError):
                _validate(lading.settings, store, job_id, stale, upload, make_definition())
            with pytest.raises(LeaseLostError):
                end_job(lading.settings, job_id, stale, Ending())
    run.resume(lading.settings, job_id)
    assert lading.letters(job_id) == "FFC"
    assert lading.table().rows() == [("k2", "C", 3)]


def test_a_job_whose_upload_is_gone_ends_and_says_so(lading, big_file, kill_when):
    job_id = kill_when(big_file, lambda job: job.state == "validating")
    with Store.opened(lading.settings) as store, store.read() as session:
        upload = get_upload(session, get_job(session, job_id).upload_id)
    lading.settings.upload_path(upload.sha256).unlink()
    run.resume(lading.settings, job_id)
    job = lading.job(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "job.failed")
    assert "are gone; bring the file again" in job.error_message
