"""Ordinary mistakes: each is one sentence and wrong usage, never a traceback or a fault of ours."""

import json
import os
import stat

import pytest

from cli.output import print_json

DEFINITION = "name: things\nkey: [id]\nfields: [{name: id, header: Id}]\ndestination: {table: things}\n"


@pytest.fixture
def things(folder, lading):
    (folder / "things.yaml").write_text(DEFINITION)
    (folder / "rows.csv").write_text("Id\na\n")
    assert lading("apply", "things.yaml").status == 0
    (folder / "outs").mkdir()
    os.mkfifo(folder / "fifo")
    (folder / "link.csv").symlink_to("rows.csv")
    (folder / "hard.csv").hardlink_to(folder / "rows.csv")


def assert_refused(said, says):
    assert said.status == 2
    assert says in said.err
    assert said.err.count("\n") == 1
    assert "fault inside" not in said.err


@pytest.mark.usefixtures("things")
@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("outs", "'outs' is a folder or a device; name a file"),
        ("fifo", "'fifo' is a folder or a device; name a file"),
        ("nodir/x.xlsx", "folder/nodir' to write 'x.xlsx' in"),
        ("rows.csv/x.xlsx", "folder/rows.csv' to write 'x.xlsx' in"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(lading, out, says):
    assert_refused(lading("import", "rows.csv", "-d", "things", "--failed-rows", out), says)
    assert_refused(lading("template", "things", "-o", out), says)
    assert_refused(lading("job", "any", "--failed-rows", out), says)
    assert lading("jobs", "--json").json == {"jobs": []}


@pytest.mark.usefixtures("things")
@pytest.mark.parametrize("out", ["rows.csv", "outs/../rows.csv", "link.csv", "hard.csv"])
def test_the_failed_rows_do_not_replace_the_file_they_come_from(lading, out, folder):
    said = lading("import", "rows.csv", "-d", "things", "--failed-rows", out)
    assert_refused(said, f"'{out}' is the file to be imported; name another")
    assert (folder / "rows.csv").read_text() == "Id\na\n"
    assert lading("jobs", "--json").json == {"jobs": []}


@pytest.mark.parametrize(
    ("home", "says"),
    [
        ("/dev/null/x", "the home /dev/null/x can't be used: Not a directory; --home names another"),
        ("a-file", "a-file can't be used: it is a file; --home names another"),
    ],
)
def test_a_home_that_cannot_be_one_is_wrong_usage(lading, folder, home, says, monkeypatch):
    monkeypatch.setenv("LADING_HOME", "put back after the test")
    (folder / "a-file").write_text("")
    assert_refused(lading("jobs", "--home", home), says)
    said = lading("jobs", "--home", home, "--json")
    assert says in said.json["error"]


@pytest.mark.usefixtures("things")
def test_what_the_user_may_not_touch_is_wrong_usage(lading, folder):
    (folder / "rows.csv").chmod(0)
    if os.access(folder / "rows.csv", os.R_OK):
        pytest.skip("the superuser may do everything")
    said = lading("import", "rows.csv", "-d", "things")
    assert (said.status, "'rows.csv' is not readable" in said.err) == (2, True)
    (folder / "outs").chmod(0o500)
    assert_refused(lading("template", "things", "-o", "outs/x.xlsx"), "nothing can be written in")
    (folder / ".lading").chmod(0o500)
    assert_refused(lading("jobs"), "it is read-only")


def test_what_the_system_refuses_is_wrong_usage(lading):
    long = "x" * 300 + ".csv"
    for command in ("import", "check", "infer"):
        assert_refused(lading(command, long), f"{long}: File name too long")


def test_a_name_that_is_no_text_is_shown_safely(lading_process, lading, folder):
    name = os.fsdecode(b"\xff.csv")
    (folder / name).write_text("Id\na\n")
    for command in ("import", "check", "infer"):
        assert_refused(lading(command, name), r"'\udcff.csv' is not UTF-8 text; rename")
    said = lading_process("check", name, "--json")
    assert (said.status, said.json["error"][:12]) == (2, r"'\udcff.csv'")


def test_a_home_whose_name_is_no_text_is_wrong_usage(lading, folder, monkeypatch):
    odd = folder / os.fsdecode(b"\xff")
    odd.mkdir()
    monkeypatch.chdir(odd)
    said = lading("jobs", "--json")
    assert_refused(said, r"/\udcff/.lading' is not UTF-8 text; rename the file or folder")
    assert r"/\udcff/.lading' is" in said.json["error"]
    assert list(odd.iterdir()) == []


def test_any_name_of_a_file_can_stand_in_json(capsys):
    name = os.fsdecode(b"\xff.csv")
    print_json({"file": name})
    assert json.loads(capsys.readouterr().out) == {"file": name}


@pytest.mark.usefixtures("things")
def test_what_lading_keeps_is_closed_to_other_users_and_what_it_hands_over_is_not(lading_process, folder):
    (folder / "rows.csv").write_text("Id\na\na\nb\n")
    said = lading_process("import", "rows.csv", "-d", "things", "--failed-rows", "failed.csv")
    assert (said.status, "2 rows written to failed.csv" in said.out) == (3, True)
    assert lading_process("template", "things", "-o", "fill.xlsx").status == 0
    kept = [path for path in (folder / ".lading").rglob("*") if path.is_file()]
    assert {path.name for path in kept} >= {"lading.db", "local.db", "failed-rows.csv"}
    assert [path for path in kept if path.stat().st_mode & 0o077] == []
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in ("failed.csv", "fill.xlsx")] == [0o644] * 2


def test_nothing_is_written_over_what_lies_in_the_home(lading, folder):
    (folder / "rows.csv").write_text("Id,X\na,b\n")
    assert lading("jobs").status == 0
    before = (folder / ".lading" / "lading.db").read_bytes()
    said = lading("import", "rows.csv", "--yes", "--failed-rows", ".lading/lading.db")
    assert (said.status, "lies in Lading's home" in said.err) == (2, True)
    assert (folder / ".lading" / "lading.db").read_bytes() == before


def test_what_is_no_file_is_called_what_it_is(lading, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        ended = lading("import", path, "-d", "things")
        assert (ended.status, "is a folder, a pipe or a device" in ended.err) == (2, True)


def test_a_look_at_a_file_leaves_nothing_beside_it(lading, folder, monkeypatch):
    monkeypatch.delenv("LADING_HOME", raising=False)
    (folder / "rows.csv").write_text("Id\n1\n")
    before = set(folder.iterdir())
    assert lading("check", "rows.csv").status == 0
    assert lading("infer", "rows.csv").status == 0
    assert set(folder.iterdir()) == before
