"""What has had its time goes, what a job still needs stays, and the counts stay for good."""

import io
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from flows import run
from schemas.clock import utc_now
from schemas.errors import NotFoundError, StoreBusyError
from schemas.import_request import ImportRequest
from schemas.job import Ending, JobState
from schemas.principal import Principal, Scope
from store.access_tables import IdempotencyKey
from store.database import Store
from store.jobs import get_job
from store.leases import held_lease
from store.uploads import get_upload, lock_bytes
from tasks.failed_rows import failed_rows
from tasks.poll import end_job
from tasks.purge import purge_home
from tasks.upload import Brought, accept_file, accept_upload
from tasks.validate import validate_job

HEADER = "Id,Name,Amount"
POSTGRES = pytest.param("postgresql", marks=pytest.mark.slow)
on_both_stores = pytest.mark.parametrize("lading", ["sqlite", POSTGRES], indirect=True)


@pytest.fixture
def purge_after(lading, monkeypatch):
    """Purges as if so many days had gone by; gives what was removed."""

    def purge(days, **options):
        later = utc_now() + timedelta(days=days)
        with monkeypatch.context() as patch:
            patch.setattr("tasks.purge.utc_now", lambda: later)
            return purge_home(lading.settings, **options)

    return purge


@pytest.fixture
def finished(lading, make_definition, write_csv):
    """A job that made two records, and failed a row."""
    return lading.run(write_csv(HEADER, "a,A,1", "b,B,x", "c,C,3"), make_definition())


def paths_of(lading, job_id):
    """The upload, the stage folder and the report of the job."""
    (upload,) = lading.settings.uploads_path.glob("*/*")
    return upload, lading.settings.stages_path(job_id), lading.settings.report_path(job_id)


def removed(purged):
    """What was removed from the disk: uploads, stages, reports, leftovers, files."""
    return purged.uploads, purged.stages, purged.reports, purged.leftovers, purged.files


def write_failed_rows(lading, job_id, out):
    with Store.opened(lading.settings) as store:
        return failed_rows(lading.settings, store, job_id, out)


def test_an_idempotency_key_goes_when_its_time_is_over_and_its_job_stays(lading, make_definition, purge_after):
    lading.apply(make_definition())
    key = Principal("k1", "local", frozenset({Scope.ADMIN}))
    brought = Brought(key, io.BytesIO(b"Id\na\n"), "a.csv", "things", idempotency_key="mine")
    job_id = accept_file(lading.settings, brought).job_id

    def kept():
        with Store.opened(lading.settings) as store, store.read() as session:
            return session.get(IdempotencyKey, ("local", "mine"))

    purge_after(6)
    purge_after(8, dry_run=True)
    assert kept().job_id == job_id
    purge_after(8)
    assert kept() is None
    assert lading.job(job_id).state is JobState.RECEIVED


@on_both_stores
def test_everything_goes_when_its_time_is_over_and_the_counts_stay(lading, finished, purge_after, tmp_path):
    upload, _, report = paths_of(lading, finished)
    assert removed(purge_after(29)) == (0, 0, 0, 0, 0)
    assert write_failed_rows(lading, finished, tmp_path / "out.csv") == 1
    size_bytes = upload.stat().st_size
    purged = purge_after(31)
    assert (removed(purged), purged.size_bytes, purged.jobs) == ((1, 0, 0, 0, 1), size_bytes, 0)
    assert not upload.exists()
    with pytest.raises(NotFoundError, match=r"'things.csv' were removed on \d{4}-\d\d-\d\d; bring"):
        write_failed_rows(lading, finished, tmp_path / "out.csv")
    assert lading.letters(finished) == "CFC"
    purged = purge_after(91)
    assert (removed(purged), purged.jobs, purged.errors) == ((0, 0, 1, 0, 1), 1, 1)
    assert not report.exists()
    assert (lading.letters(finished), lading.errors(finished)) == ("", [])
    assert lading.counts(finished) == {"created": 2, "failed": 1}
    assert lading.job(finished).error_groups == [["type.integer", "amount", 1]]
    assert lading.job(finished).purged_at is not None
    with pytest.raises(NotFoundError, match=r"errors of job .* were removed on \d{4}-\d\d-\d\d"):
        write_failed_rows(lading, finished, tmp_path / "out.csv")
    assert removed(purge_after(91)) == (0, 0, 0, 0, 0)
    assert lading.table()["id"].to_list() == ["a", "c"]


def test_a_dry_run_says_the_same_and_removes_nothing(lading, finished, purge_after):
    upload, _, report = paths_of(lading, finished)
    said = purge_after(91, dry_run=True)
    assert upload.exists()
    assert report.exists()
    assert lading.letters(finished) == "CFC"
    assert lading.job(finished).errors_purged_at is None
    done = purge_after(91)
    assert (removed(said), said.jobs, said.errors) == (removed(done), done.jobs, done.errors)
    assert (said.dry_run, done.dry_run, done.size_bytes) == (True, False, said.size_bytes)


def test_errors_may_go_before_the_rows(lading, make_definition, write_csv, purge_after):
    lading.settings = lading.settings.model_copy(update={"error_days": 5})
    job_id = lading.run(write_csv(HEADER, "b,B,x"), make_definition())
    purged = purge_after(6)
    assert (purged.jobs, purged.errors, purged.reports) == (0, 1, 1)
    assert (lading.letters(job_id), lading.errors(job_id)) == ("F", [])


def test_bytes_stay_as_long_as_any_upload_of_them(lading, make_definition, write_csv, purge_after, monkeypatch):
    lines = (HEADER, "a,A,1")
    lading.run(write_csv(*lines, name="first.csv"), make_definition())
    later = utc_now() + timedelta(days=20)
    monkeypatch.setattr("store.uploads.utc_now", lambda: later)
    job_id = lading.run(write_csv(*lines, name="second.csv"), make_definition())
    upload, *_ = paths_of(lading, job_id)
    assert purge_after(31).uploads == 0
    assert upload.exists()
    assert purge_after(51).uploads == 1
    assert not upload.exists()


def test_bytes_that_were_removed_may_be_brought_again(lading, make_definition, write_csv, purge_after):
    path = write_csv(HEADER, "a,A,1")
    lading.run(path, make_definition())
    assert purge_after(31).uploads == 1
    assert lading.counts(lading.run(path, make_definition())) == {"unchanged": 1}
    assert purge_after(1).uploads == 0


@on_both_stores
def test_nothing_goes_from_under_a_job_that_can_be_resumed(lading, make_definition, write_csv, purge_after):
    """Validated twice under two leases, then left alone for years."""
    lading.apply(make_definition())
    job_id = accept_upload(lading.settings, ImportRequest(str(write_csv(HEADER, "a,A,1", "b,B,x")), "things"))
    with Store.opened(lading.settings) as store:
        for _ in range(2):
            with held_lease(store, lading.settings, job_id) as epoch:
                validate_job(lading.settings, job_id, epoch)
                assert removed(purge_after(9_999)) == (0, epoch - 1, 0, 0, (epoch - 1) * 2)
    purged = purge_after(9_999)
    assert (removed(purged), purged.jobs, purged.unfinished) == ((0, 0, 0, 0, 0), 0, 1)
    assert [path.name for path in lading.settings.stages_path(job_id).iterdir()] == ["2"]
    run.resume(lading.settings, job_id)
    assert lading.letters(job_id) == "CF"
    assert len(lading.errors(job_id)) == 1
    assert purge_after(9_999).unfinished == 0


def test_a_job_that_ended_but_was_not_reported_keeps_its_bytes_for_the_report(
    lading, make_definition, write_csv, purge_after
):
    lading.apply(make_definition())
    source = str(write_csv(HEADER, "a,A,1", "b,B,x"))
    job_id = accept_upload(lading.settings, ImportRequest(source, "things", validate_only=True))
    with Store.opened(lading.settings) as store, held_lease(store, lading.settings, job_id) as epoch:
        validate_job(lading.settings, job_id, epoch)
        end_job(lading.settings, job_id, epoch, Ending())
    _, stage, report = paths_of(lading, job_id)
    assert removed(purge_after(6)) == (0, 0, 0, 0, 0)
    assert removed(purge_after(31)) == (0, 1, 0, 0, 2)
    assert not stage.exists()
    run.resume(lading.settings, job_id)
    assert (report / "failed-rows.csv").exists()
    assert purge_after(31).uploads == 1


def test_what_nobody_knows_stays_as_long_as_what_somebody_knows(lading, finished, purge_after):
    settings = lading.settings
    paths = {
        settings.uploads_path / "killed.part": 1,
        settings.stages_path("unknown") / "1" / "block-000000.arrow": 7,
        settings.upload_path("ab" * 32): 30,
        settings.report_path("unknown") / "failed-rows.csv": 90,
    }
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    gone = []
    for path, days in paths.items():
        purge_after(days - 0.5)
        assert [known for known in paths if not known.exists()] == gone
        purged = purge_after(days + 0.5)
        gone.append(path)
        assert [known for known in paths if not known.exists()] == gone
        assert purged.files >= 1
    assert lading.counts(finished) == {"created": 2, "failed": 1}


@on_both_stores
def test_bytes_that_are_being_brought_are_not_removed_meanwhile(lading, finished, purge_after):
    upload, *_ = paths_of(lading, finished)
    patient, lading.settings = (
        lading.settings,
        lading.settings.model_copy(update={"busy_timeout_seconds": 0.05}),
    )
    with Store.opened(patient) as store, store.write() as session:
        lock_bytes(session, upload.name)
        with pytest.raises(StoreBusyError):
            purge_after(31)
        assert upload.exists()
    assert purge_after(31).uploads == 1


@on_both_stores
def test_a_file_may_be_imported_while_its_bytes_are_purged(lading, make_definition, write_csv):
    lading.settings = lading.settings.model_copy(update={"upload_days": 1e-9})
    path, done = write_csv(HEADER, *(f"k{i},n,{i}" for i in range(50))), threading.Event()
    lading.run(path, make_definition())

    def purge_on_and_on():
        while not done.is_set():
            purge_home(lading.settings)

    purging = threading.Thread(target=purge_on_and_on)
    purging.start()
    try:
        jobs = [lading.run(path, make_definition()) for _ in range(4)]
    finally:
        done.set()
        purging.join()
    assert [lading.counts(job_id) for job_id in jobs] == [{"unchanged": 50}] * 4


KILLED = """
import os, signal, sys
from datetime import timedelta
import tasks.purge
from schemas.clock import utc_now
from schemas.settings import Settings
from store import retention
setattr(retention, sys.argv[1], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
tasks.purge.utc_now = lambda: utc_now() + timedelta(days=91)
tasks.purge.purge_home(Settings())
"""


@pytest.mark.parametrize("point", ["forget_errors", "forget_rows", "forget_bytes"])
def test_a_purge_that_was_killed_is_completed_by_the_next(lading, finished, purge_after, environment, point):
    command = [sys.executable, "-c", KILLED, point]
    killed = subprocess.run(command, env=environment(lading.settings), check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    purge_after(91)
    assert list(lading.settings.uploads_path.glob("*/*")) == []
    assert (lading.letters(finished), lading.errors(finished)) == ("", [])
    with Store.opened(lading.settings) as store, store.read() as session:
        job = get_job(session, finished)
        assert (job.state, job.created, job.failed) == (JobState.FINISHED, 2, 1)
        assert None not in {job.purged_at, job.errors_purged_at, get_upload(session, job.upload_id).purged_at}
    assert removed(purge_after(91)) == (0, 0, 0, 0, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may do everything")
def test_what_can_not_be_removed_is_named_and_the_rest_goes(lading, finished, purge_after):
    upload, _, report = paths_of(lading, finished)
    upload.parent.chmod(0o500)
    purged = purge_after(91)
    assert purged.stuck == [str(upload)]
    assert not report.exists()
    upload.parent.chmod(0o700)
    assert purge_after(91).uploads == 1
