"""Files a job's records in processes that kill themselves with -9 at one of the steps. Run as a program.

Reads a JSON object a line: `home`, `url`, `job`, `epoch`, `number` (1-based, of the step at which it is
killed: each end of a transaction, before and after its commit, and the moments around writing and renaming
the file). For each it forks, and says on a line how that ended.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from destinations.files import FilesDestination
from destinations.files.kept_records import KeptRecords
from destinations.places.disk import DiskDriver
from schemas.definition import Definition
from schemas.destination import StagedChunk, Verdict
from schemas.settings import Settings

CHUNKS, ROWS = 3, 4


def definition(url: str) -> Definition:
    return Definition.model_validate(
        {
            "name": "things",
            "mode": "insert",
            "fields": [{"name": "id", "type": "integer"}],
            "destination": {"url": url},
        }
    )


def chunks() -> list[StagedChunk]:
    """Chunks whose last row failed."""
    found = []
    for chunk in range(CHUNKS):
        first = chunk * ROWS
        told = {
            "_ordinal": range(first, first + ROWS),
            "_row": range(first + 2, first + ROWS + 2),
            "_verdict": [Verdict.GOOD] * (ROWS - 1) + [Verdict.FAILED],
            "id": range(first, first + ROWS),
        }
        types = {"_ordinal": pl.UInt32, "_row": pl.UInt32, "_verdict": pl.UInt8, "id": pl.Int64}
        found.append(StagedChunk(chunk, pl.DataFrame(told, schema=types)))
    return found


class KillAtStep:
    """Kills this process when it comes to the n-th step."""

    def __init__(self, number: int) -> None:
        self._left = number

    def reached(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def kill_at(number: int) -> None:
    """Let this process die at that step."""
    kill = KillAtStep(number)
    transaction, put = KeptRecords.transaction, DiskDriver.put

    @contextmanager
    def killing_transaction(kept: KeptRecords) -> Iterator[None]:
        with transaction(kept):
            yield
            kill.reached()
        kill.reached()

    def killing_put(driver: DiskDriver, source: Path, path: str, temporary: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(temporary).write_bytes(source.read_bytes()[:3])
        kill.reached()
        put(driver, source, path, temporary)
        kill.reached()

    KeptRecords.transaction, DiskDriver.put = killing_transaction, killing_put


def file_job(home: str, url: str, job: str, epoch: int) -> None:
    """What an import does with its destination, from wherever an earlier epoch was killed."""
    wanted = definition(url)
    destination = FilesDestination(Settings(home=Path(home)), "local", wanted.destination)
    try:
        destination.begin(job, epoch)
        done = destination.committed_chunks(job)
        for chunk in chunks():
            if chunk.chunk not in done:
                destination.load(job, epoch, wanted, [chunk])
        destination.complete(job, epoch, wanted, [])
    finally:
        destination.close()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 1
            try:
                told = json.loads(line)
                kill_at(told.pop("number"))
                file_job(**told)
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(ended, flush=True)  # noqa: T201 - tells the parent


if __name__ == "__main__":
    main()
