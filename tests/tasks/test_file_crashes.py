"""Kill -9 at every step of an import into a file: one whole file, no half one, every row accounted for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.lifecycle import abandon, directly
from schemas.job import JobState
from store.database import Store
from store.jobs import unreported_jobs
from tests.tasks import file_crash_child

pytestmark = pytest.mark.slow
ROWS = 2_500
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
        (job,) = unreported_jobs(session, "local")
        return job


def wanted(job_id: str) -> dict[str, bytes]:
    lines = (f"{n},name {n},{n}\r\n" for n in range(ROWS) if n % 500 != 7)
    return {f"things-{job_id}.csv": ("Id,Name,Amount\r\n" + "".join(lines)).encode()}


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_whenever_it_is_killed_a_resumed_job_leaves_one_whole_file(lading, make_definition, tmp_path, dies):
    out = tmp_path / "out"
    lading.apply(make_definition(mode="insert", destination={"url": f"{out}/{{definition}}-{{job_id}}.csv"}))
    source, step = things(tmp_path), 1
    while dies(home=str(lading.settings.home), source=str(source), number=step):
        job_id = only_job(lading).id
        assert {name for name in there(out) if not name.startswith(".")} <= wanted(job_id).keys()
        # Killed once more on its way, at the first step and then at a later one, before it may end.
        dies(home=str(lading.settings.home), job=job_id, number=1 + step % 5)
        assert not dies(home=str(lading.settings.home), job=job_id, number=MOST_STEPS)
        assert there(out) == wanted(job_id)
        assert lading.job(job_id).state is JobState.FINISHED
        assert lading.counts(job_id) == {"created": ROWS - 5, "failed": 5}
        shutil.rmtree(lading.settings.home)
        shutil.rmtree(out)
        lading.apply(
            make_definition(mode="insert", destination={"url": f"{out}/{{definition}}-{{job_id}}.csv"})
        )
        step += 1
    assert step > 15


def test_whenever_it_is_killed_an_abandoned_job_says_whether_its_file_is_there(
    lading, make_definition, tmp_path, dies
):
    out = tmp_path / "out"
    definition = make_definition(mode="insert", destination={"url": f"{out}/{{definition}}-{{job_id}}.csv"})
    lading.apply(definition)
    source, step, said = things(tmp_path), 1, set()
    while dies(home=str(lading.settings.home), source=str(source), number=step):
        job_id = only_job(lading).id
        abandon(directly, lading.settings, job_id)
        assert lading.job(job_id).state is JobState.CANCELLED
        created = lading.counts(job_id).get("created", 0)
        assert there(out) == (wanted(job_id) if created else {})
        assert created in {0, ROWS - 5}
        said.add(created)
        shutil.rmtree(lading.settings.home)
        shutil.rmtree(out, ignore_errors=True)
        lading.apply(definition)
        step += 1
    assert said == {0, ROWS - 5}
