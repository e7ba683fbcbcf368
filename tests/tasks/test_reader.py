"""Files are read by a process of its own: what it may cost, and what its death becomes."""

import contextlib
import gzip
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from schemas.errors import FatalError, FileRefusedError
from schemas.job import JobState
from schemas.limits import Limits
from tasks import reading
from tasks.reader import read_apart
from tasks.reader_limits import unenforced
from tasks.reader_process import end_idle_readers
from tasks.reading import StageFolder, check

MIB = 2**20
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")


@pytest.fixture(autouse=True)
def no_reader_is_left():
    end_idle_readers()
    yield
    end_idle_readers()


@pytest.fixture
def pipe(tmp_path):
    """A pipe in place of a file: whoever opens it to read waits until somebody writes."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    return path


def look(path, limits=None):
    request = {"path": str(path), "file_name": path.name, "shown_errors": 1, "folder": str(path.parent)}
    return read_apart(limits or Limits(), "look", request)


def readers():
    """The reader processes that are children of this one."""
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile
            found += [process] if any("reader_child" in word for word in process.cmdline()) else []
    return found


def await_reader(known=()):
    while True:
        found = [reader for reader in readers() if reader not in known]
        if found:
            return found[0]


@pytest.mark.slow
@ON_LINUX
def test_a_file_that_takes_too_much_memory_makes_the_job_invalid(lading, make_definition, tmp_path):
    lading.settings = lading.settings.model_copy(update={"memory_limit_bytes": 512 * MIB})
    (tmp_path / "wide.csv").write_bytes(b"Id" + b"," * 8_000_000 + b"\n1\n")
    job = lading.job(lading.run(tmp_path / "wide.csv", make_definition()))
    assert (job.state, job.error_code) == (JobState.INVALID, "file.memory_limit")
    assert "more than the 512 MiB of memory that LADING_MEMORY_LIMIT_BYTES allows" in job.error_message


def test_a_file_that_takes_too_much_processor_time_makes_the_job_invalid(lading, make_definition, tmp_path):
    lading.settings = lading.settings.model_copy(update={"cpu_limit_seconds": 1})
    with (tmp_path / "long.jsonl").open("w") as out:
        out.writelines(f'{{"Id": "k{i}", "Name": "name {i}", "Amount": {i}}}\n' for i in range(300_000))
    job = lading.job(lading.run(tmp_path / "long.jsonl", make_definition()))
    assert (job.state, job.error_code) == (JobState.INVALID, "file.cpu_limit")
    assert "more than the 1 s of processor time" in job.error_message


def test_a_file_that_takes_too_long_makes_the_job_invalid(lading, make_definition, write_csv):
    lading.settings = lading.settings.model_copy(update={"time_limit_seconds": 0.01})
    job = lading.job(lading.run(write_csv("Id,Name", "1,a"), make_definition()))
    assert (job.state, job.error_code) == (JobState.INVALID, "file.time_limit")
    assert "longer than the 0.01 s" in job.error_message


@pytest.mark.parametrize("ask", [lambda *file: reading.look(*file, 1), reading.infer], ids=["look", "infer"])
def test_nothing_unpacked_stays_of_a_reader_that_dies(tmp_path, monkeypatch, ask):
    path, temporary = tmp_path / "long.csv.gz", tmp_path / "temporary"
    path.write_bytes(gzip.compress(b"Id\n" + b"1\n" * 20_000_000, 1))
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)

    def crash():
        while not list(temporary.rglob("*.unpacked")):
            time.sleep(0.01)
        await_reader().send_signal(signal.SIGSEGV)

    helper = threading.Thread(target=crash)
    helper.start()
    with pytest.raises(FileRefusedError) as told:
        ask(Limits(), path, path.name)
    helper.join()
    assert told.value.code == "file.crash"
    assert list(temporary.iterdir()) == []


def test_a_crash_of_the_reader_is_a_refusal_of_the_file(pipe):
    crash = threading.Thread(target=lambda: await_reader().send_signal(signal.SIGSEGV))
    crash.start()
    with pytest.raises(FileRefusedError, match="was ended by SIGSEGV; nothing of it") as told:
        look(pipe)
    crash.join()
    assert told.value.code == "file.crash"


def test_a_reader_that_was_killed_is_started_once_more(write_csv):
    helper = threading.Thread(target=lambda: await_reader().kill())
    helper.start()
    assert look(write_csv("Id", "1"))["rows"] == 1
    helper.join()


def test_a_relative_path_is_read_from_where_we_stand_not_from_where_the_reader_began(tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.csv").write_text("Id\n1\n")
        monkeypatch.chdir(tmp_path / name)
        file = Path(f"{name}.csv")
        assert reading.look(Limits(), file, file.name, 1).rows == 1


def test_a_small_reader_waits_for_the_next_file_and_a_grown_one_does_not(write_csv, tmp_path):
    look(write_csv("Id", "1"))
    (first,) = readers()
    look(write_csv("Id", "2"))
    assert readers() == [first]
    (tmp_path / "wide.csv").write_bytes(b"Id" + b"," * 16_000 + b"\n1\n")
    look(tmp_path / "wide.csv")
    assert readers() == []


def test_a_reader_that_is_killed_twice_is_a_refusal_of_the_file(pipe):
    def kill_both():
        first = await_reader()
        first.kill()
        await_reader(known=[first]).kill()

    helper = threading.Thread(target=kill_both)
    helper.start()
    with pytest.raises(FileRefusedError, match=r"was ended by SIGKILL"):
        look(pipe)
    helper.join()


def test_a_fault_inside_lading_is_told_without_the_values_of_the_file(tmp_path, caplog):
    (tmp_path / "secret.csv").write_text("Id\nsecret\n")
    with pytest.raises(FatalError, match=r"^a fault inside Lading: KeyError$"):
        read_apart(Limits(), "no such work", {"path": str(tmp_path / "secret.csv")})
    assert "reader_child.py" in caplog.text
    assert "secret" not in caplog.text


def test_the_reader_gets_no_secret_and_finds_only_the_installed_lading(tmp_path, monkeypatch, write_csv):
    monkeypatch.setenv("LADING_SECRET", "hidden")
    (tmp_path / "polars.py").write_text("raise SystemExit('the wrong polars')")
    monkeypatch.chdir(tmp_path)
    assert look(write_csv("Id", "1"))["rows"] == 1
    (idle,) = readers()
    given = idle.environ()
    assert given["PATH"] == os.environ["PATH"]
    assert [name for name in given if given[name] == "hidden" or name.startswith("LADING_")] == []


def test_only_what_the_system_does_not_enforce_is_told_of():
    assert bool(unenforced()) == (sys.platform != "linux")


@pytest.mark.slow
def test_more_errors_than_fit_in_a_message_arrive_one_by_one(lading, make_definition, write_csv):
    rows = 30_000
    path = write_csv("Id,Name,Amount", *(f"k{i // 2},,x" for i in range(rows)))
    job = lading.job(lading.run(path, make_definition()))
    assert job.failed == rows
    errors = lading.errors(job.id)
    assert len(errors) == job.errors
    assert [e.ordinal for e in errors if e.code == "key.duplicate"] == list(range(rows))
    assert [e.message for e in errors if e.code == "key.duplicate"][:2] == [
        "the same key stands in row 3",
        "the same key stands in row 2",
    ]


def test_a_check_whose_reader_was_killed_lists_each_error_once(make_definition, write_csv, tmp_path):
    path = write_csv("Id,Name,Amount", *(f"k{i},a,{'x' if i == 5 else i}" for i in range(60_000)))
    told = []

    def keep(_part, errors, rows):
        if not rows:
            told.clear()
        told.extend(errors)
        if errors and len(killed) == 0:
            killed.extend(readers())
            killed[0].kill()

    killed = []
    check(Limits(), path, path.name, make_definition(), StageFolder(tmp_path / "stage"), keep)
    assert len(killed) == 1
    assert [error.ordinal for error in told] == [5]
