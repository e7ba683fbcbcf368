"""Kill -9 at every step of an import into a file: one whole file, no half one, every row accounted for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.lifecycle import abandon, directly
from schemas.job import JobState
from store.database import Store
from store.jobs import running_jobs
from tests.tasks import file_crash_child

pytestmark = pytest.mark.slow
ROWS, BAD = 1_200, 3
MOST_STEPS = 60


@pytest.fixture
def dies():
    """Runs one import in a process of its own that is killed at this step; gives whether it was."""
    command = [sys.executable, "-m", file_crash_child.__name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:

        def die(**what: object) -> bool:
            child.stdin.write(json.dumps({"job": None, "source": None} | what) + "\n")
            child.stdin.flush()
            ended = int(child.stdout.readline())
            assert ended in {0, -9}
            return ended == -9

        yield die
        child.stdin.close()


def things(tmp_path: Path) -> Path:
    source = tmp_path / "things.csv"
    lines = (f"{n},name {n},{-1 if n % 500 == 7 else n}\n" for n in range(ROWS))
    source.write_text("Id,Name,Amount\n" + "".join(lines))
    return source


def only_job(lading):
    with Store.opened(lading.settings) as store, store.read() as session:
        (job,) = running_jobs(session, "local")
        return job


def wanted(job_id: str) -> dict[str, bytes]:
    lines = (f"{n},name {n},{n}\r\n" for n in range(ROWS) if n % 500 != 7)
    return {f"things-{job_id}.csv": ("Id,Name,Amount\r\n" + "".join(lines)).encode()}


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_whenever_it_is_killed_a_resumed_job_leaves_one_whole_file(lading, make_definition, tmp_path, dies):
    out, home, files = tmp_path / "out", str(lading.settings.home), {}
    lading.apply(make_definition(mode="insert", destination={"url": f"{out}/{{definition}}-{{job_id}}.csv"}))
    source, step = things(tmp_path), 1
    while dies(home=home, source=str(source), number=step):
        job_id = only_job(lading).id
        files |= wanted(job_id)
        assert {name for name in there(out) if not name.startswith(".")} <= files.keys()
        assert not dies(home=home, job=job_id, number=MOST_STEPS)
        assert there(out) == files
        assert lading.job(job_id).state is JobState.FINISHED
        assert lading.counts(job_id) == {"created": ROWS - BAD, "failed": BAD}
        step += 1
    assert 15 < step < MOST_STEPS


def test_whenever_it_is_killed_an_abandoned_job_says_whether_its_file_is_there(
    lading, make_definition, tmp_path, dies
):
    out, home, files = tmp_path / "out", str(lading.settings.home), {}
    lading.apply(make_definition(mode="insert", destination={"url": f"{out}/{{definition}}-{{job_id}}.csv"}))
    source, step, said = things(tmp_path), 1, []
    while dies(home=home, source=str(source), number=step):
        job_id = only_job(lading).id
        abandon(directly, lading.settings, job_id)
        assert lading.job(job_id).state is JobState.CANCELLED
        said.append(lading.counts(job_id).get("created", 0))
        files |= wanted(job_id) if said[-1] else {}
        assert there(out) == files
        step += 1
    assert said == sorted(said)
    assert set(said) == {0, ROWS - BAD}
