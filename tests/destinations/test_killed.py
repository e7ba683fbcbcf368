"""A worker killed at any moment, and its successor: together they leave what one undisturbed worker leaves."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("loading_child.py")
ROOT = CHILD.parents[2]
ENVIRONMENT = {"PYTHONPATH": "."} | {n: v for n, v in os.environ.items() if n.startswith("LADING_TEST")}
ROWS = 40_000


def _rows():
    for n in range(ROWS):
        yield {
            "id": f"k{n % 30_000:06}" if n % 30_000 < 10_000 else f"n{n:06}",
            "n": -1 if n % 777 == 0 else n,
            "text": f"row {n} " * 5,
            "_verdict": int(n % 501 == 0),
        }


@pytest.fixture
def job(lab, tmp_path):
    """A table with a CHECK that holds some of the keys already, and the chunks of a job on disk."""
    definition = lab.define("id", "n:integer", "text")
    folder = tmp_path / "chunks"
    folder.mkdir()
    chunks = lab.chunks(definition, list(_rows()))
    for chunk in chunks:
        chunk.frame.write_ipc(folder / f"{chunk.chunk}.arrow")
    return definition, chunks, folder


def _make_table(lab, home):
    lab.move(home)
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INTEGER CHECK (n >= 0), text TEXT)")
    lab.sql(
        "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 4999) "
        "INSERT INTO things SELECT 'k' || substr(CAST(1000000 + n AS TEXT), 2), n, 'old' FROM c"
    )


def _killed_after(command, lines, seconds):
    """Kill a worker some time after its n-th line; True when it was at work."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=ENVIRONMENT) as child:
        for _ in range(lines):
            child.stdout.readline()
        time.sleep(seconds)
        at_work = child.poll() is None
        child.kill()
    return at_work


def _left_behind(lab, definition):
    destination = lab.open(definition)
    pages = list(destination.pages("job"))
    destination.close()
    return pages, lab.sql("SELECT id, n, text FROM things ORDER BY id")


@pytest.mark.parametrize("lab", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_kill_at_any_moment_and_replay_leave_what_an_undisturbed_run_leaves(lab, tmp_path, job):
    definition, chunks, folder = job
    _make_table(lab, tmp_path / "undisturbed")
    calm = lab.open(definition)
    calm.prepare(definition)
    calm.begin("job", 1)
    for start in range(0, len(chunks), 2):
        calm.load("job", 1, definition, chunks[start : start + 2])
    expected = _left_behind(lab, definition)

    _make_table(lab, tmp_path / "killed")
    command = [sys.executable, str(CHILD), str(folder), str(tmp_path / "killed"), definition.model_dump_json()]
    at_work = [_killed_after(command, lines=1 + n % 3, seconds=n * 0.004) for n in range(8)]
    assert all(at_work)
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=ENVIRONMENT)
    assert _left_behind(lab, definition) == expected
    assert {"C", "U", "F", "G"} <= set("".join(p.letters for p in expected[0]))
