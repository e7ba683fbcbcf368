"""Kill -9 at every step of filing a job's records: one whole file, no half one, and pages that say so."""

import json
import subprocess
import sys

import pytest

from destinations.files import FilesDestination
from schemas.errors import LeaseLostError
from tests.destinations import filing_child
from tests.destinations.filing_child import CHUNKS, ROWS, definition

FILED = [n for n in range(CHUNKS * ROWS) if n % ROWS != ROWS - 1]
WHOLE = {
    "csv": "id\r\n" + "".join(f"{n}\r\n" for n in FILED),
    "json": "[\n" + ",\n".join(f'{{"id":{n}}}' for n in FILED) + "\n]\n",
}
KINDS = tuple(WHOLE)
NEVER = 1_000


@pytest.fixture
def filing(settings, tmp_path):
    """Files one job in a process of its own that is killed at this step; gives whether it was."""
    command = [sys.executable, "-m", filing_child.__name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:

        def file(job: str, epoch: int, number: int) -> bool:
            told = {"home": str(settings.home), "url": url_of(tmp_path, job), "job": job, "epoch": epoch}
            child.stdin.write(json.dumps(told | {"number": number}) + "\n")
            child.stdin.flush()
            ended = int(child.stdout.readline())
            assert ended in {0, -9}
            return ended == -9

        yield file
        child.stdin.close()


def url_of(tmp_path, job):
    """Of a file whose kind is how the name of the job begins."""
    return f"{tmp_path}/out/{job}/things.{job.partition('-')[0]}"


def there(tmp_path, job):
    folder = tmp_path / "out" / job
    return {path.name: path.read_bytes().decode() for path in folder.iterdir()} if folder.exists() else {}


def sealed_letters(settings, tmp_path, job):
    destination = FilesDestination(settings, "local", definition(url_of(tmp_path, job)).destination)
    try:
        destination.seal(job, 9)
        return "".join(page.letters for page in destination.pages(job))
    finally:
        destination.close()


@pytest.mark.slow
def test_whenever_it_is_killed_the_next_epoch_leaves_one_whole_file(filing, settings, tmp_path):
    step = 1
    while filing(job := f"{(kind := KINDS[step % len(KINDS)])}-{step}", 1, step):
        assert there(tmp_path, job).get(f"things.{kind}") in {None, WHOLE[kind]}
        filing(job, 2, 1 + step % 7)
        assert not filing(job, 3, NEVER)
        assert there(tmp_path, job) == {f"things.{kind}": WHOLE[kind]}
        assert sealed_letters(settings, tmp_path, job) == "CCCF" * CHUNKS
        step += 1
    assert step > 15


@pytest.mark.slow
def test_whenever_it_is_killed_a_sealed_job_says_whether_its_file_is_there(filing, settings, tmp_path):
    step, said = 1, []
    while filing(job := f"csv-{step}", 1, step):
        letters = sealed_letters(settings, tmp_path, job)
        assert letters == sealed_letters(settings, tmp_path, job)
        said.append("C" in letters)
        assert there(tmp_path, job) == ({"things.csv": WHOLE["csv"]} if said[-1] else {})
        assert letters in {"CCCF" * CHUNKS, *("PPPF" * chunks for chunks in range(CHUNKS + 1))}
        step += 1
    assert said == sorted(said)
    assert set(said) == {False, True}


def test_a_worker_that_lost_its_lease_writes_nothing(settings, tmp_path):
    wanted = definition(url_of(tmp_path, "csv-1"))
    destination = FilesDestination(settings, "local", wanted.destination)
    destination.begin("csv-1", 2)
    destination.load("csv-1", 2, wanted, filing_child.chunks())
    for call in (
        lambda: destination.begin("csv-1", 1),
        lambda: destination.load("csv-1", 1, wanted, filing_child.chunks()),
        lambda: destination.complete("csv-1", 1, wanted, []),
        lambda: destination.seal("csv-1", 1),
    ):
        with pytest.raises(LeaseLostError):
            call()
    destination.seal("csv-1", 2)
    with pytest.raises(LeaseLostError):
        destination.complete("csv-1", 2, wanted, [])
    destination.close()
    assert there(tmp_path, "csv-1") == {}
