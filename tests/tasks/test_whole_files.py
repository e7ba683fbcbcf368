"""When a file that somebody drops counts as whole; real files, and a clock of the test's own."""

import os
import subprocess
import sys

import pytest

from tasks.whole_files import WholeFiles, is_open_for_writing, is_unfinished


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the watcher sees; the test moves them."""
    seconds = [1_000.0]
    monkeypatch.setattr("tasks.whole_files.time.monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def looks():
    return WholeFiles(stable_seconds=2.0)


def names(looks, folder):
    """The names of the whole files, and whether there are others that may become so."""
    whole, are_more = looks.look(folder)
    return [file.path.name for file in whole], are_more


def test_a_file_is_whole_when_nothing_about_it_changed_for_long_enough(tmp_path, clock, looks):
    (tmp_path / "a.csv").write_text("Id\n")
    assert names(looks, tmp_path) == ([], True)
    clock[0] += 1.9
    assert names(looks, tmp_path) == ([], True)
    clock[0] += 0.1
    assert names(looks, tmp_path) == (["a.csv"], False)


def test_a_slow_writer_is_waited_for(tmp_path, clock, looks):
    path = tmp_path / "a.csv"
    for _ in range(5):
        with path.open("a") as file:
            file.write("more\n")
        assert names(looks, tmp_path) == ([], True)
        clock[0] += 1.9
    clock[0] += 0.1
    assert names(looks, tmp_path) == (["a.csv"], False)


def test_a_time_of_the_file_server_that_is_wrong_does_not_count(tmp_path, clock, looks):
    for name, at in (("past.csv", 1), ("future.csv", 4_000_000_000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert names(looks, tmp_path) == ([], True)
    clock[0] += 2
    assert names(looks, tmp_path) == (["future.csv", "past.csv"], False)


@pytest.mark.parametrize(
    "name", [".hidden.csv", "~$a.xlsx", "a.csv.part", "a.tmp", "a.FilePart", "a.crdownload"]
)
def test_what_is_called_unfinished_is_left_alone(tmp_path, clock, looks, name):
    assert is_unfinished(name)
    (tmp_path / name).touch()
    for _ in range(2):
        assert names(looks, tmp_path) == ([], False)
        clock[0] += 100


def test_a_file_that_is_renamed_when_it_is_finished_is_whole_at_once(tmp_path, looks):
    (tmp_path / "a.csv.part").write_text("Id\n1\n")
    assert names(looks, tmp_path) == ([], False)
    (tmp_path / "a.csv.part").rename(tmp_path / "a.csv")
    assert names(looks, tmp_path) == (["a.csv"], False)


def test_a_file_that_is_renamed_and_written_on_is_waited_for(tmp_path, looks):
    (tmp_path / "a.csv.part").write_text("Id\n1\n")
    names(looks, tmp_path)
    (tmp_path / "a.csv.part").rename(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open("a") as file:
        file.write("2\n")
    assert names(looks, tmp_path) == ([], True)


def test_folders_and_links_are_not_followed(tmp_path, clock, looks):
    (tmp_path / "folder.csv").mkdir()
    elsewhere = tmp_path / "folder.csv" / "secret.csv"
    elsewhere.touch()
    (tmp_path / "link.csv").symlink_to(elsewhere)
    os.mkfifo(tmp_path / "pipe.csv")
    for _ in range(2):
        assert names(looks, tmp_path) == ([], False)
        clock[0] += 100


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who writes on a file")
def test_a_file_that_another_process_has_open_for_writing_is_not_whole_however_long_it_pauses(
    tmp_path, clock, looks
):
    path = tmp_path / "a.csv"
    code = "import sys; file = open(sys.argv[1], 'w'); print(flush=True); input(); file.close()"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        assert is_open_for_writing(path)
        names(looks, tmp_path)
        clock[0] += 1_000
        assert names(looks, tmp_path) == ([], True)
        writer.communicate("\n")
    assert not is_open_for_writing(path)
    names(looks, tmp_path)
    clock[0] += 2
    assert names(looks, tmp_path) == (["a.csv"], False)


def test_a_file_that_is_being_read_is_whole(tmp_path):
    path = tmp_path / "a.csv"
    path.touch()
    with path.open():
        assert not is_open_for_writing(path)


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path, looks):
    with pytest.raises(FileNotFoundError):
        looks.look(tmp_path / "nowhere")
