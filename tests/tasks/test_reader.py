"""Files are read by a process of its own: what it may cost, and what its death becomes."""

import contextlib
import os
import signal
import sys
import threading
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
    request = {"path": str(path), "file_name": path.name, "shown_errors": 1}
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


@ON_LINUX
def test_a_file_that_takes_too_much_memory_makes_the_job_invalid(lading, make_definition, tmp_path):
    lading.settings = lading.settings.model_copy(update={"memory_limit_bytes": 256 * MIB})
    (tmp_path / "wide.csv").write_bytes(b"Id" + b"," * 4_000_000 + b"\n1\n")
    job = lading.job(lading.run(tmp_path / "wide.csv", make_definition()))
    assert (job.state, job.error_code) == (JobState.INVALID, "file.memory_limit")
    assert "more than the 256 MiB of memory that LADING_MEMORY_LIMIT_BYTES allows" in job.error_message


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
