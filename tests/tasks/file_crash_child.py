"""Imports into a file in processes that kill themselves with -9 at one of the steps. Run as a program.

Reads a JSON object a line: `home`, `source` (brought as a new file) or `job` (resumed), `number` (1-based, of
the step at which it is killed; the steps are each end of a transaction of the kept records, and each moment
around the writing and the renaming of the file). For each it forks, and says on a line how that ended.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from destinations.files.destination import FilesDestination
from destinations.files.kept_records import KeptRecords
from destinations.places.disk import DiskDriver
from flows.run import import_directly, resume
from schemas.import_request import ImportRequest
from schemas.settings import Settings

PRELOADED = ("formats.delimited", "formats.jsonlines", "formats.xlsx", "pandera.strategies", "pyarrow.ipc")
"""What an import loads at its first use."""


class KillAtStep:
    """Kills this process when it comes to the n-th step."""

    def __init__(self, number: int) -> None:
        self._left = number

    def reached(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, step: Callable[..., object]) -> Callable[..., object]:
        """The step, and the moments before and after it."""

        def killing(*args: object) -> object:
            self.reached()
            done = step(*args)
            self.reached()
            return done

        return killing


def run(home: str, job: str | None, source: str | None, number: int) -> None:
    """Import, and be killed, or not if there are not so many steps."""
    kill = KillAtStep(number)
    transaction, put = KeptRecords.transaction, DiskDriver.put

    @contextmanager
    def killing_transaction(kept: KeptRecords) -> Iterator[None]:
        with transaction(kept):
            yield
            kill.reached()
        kill.reached()

    def killing_put(driver: DiskDriver, original: Path, path: str, temporary: str) -> None:
        half = original.read_bytes()[:10]
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(temporary).write_bytes(half)
        kill.reached()
        put(driver, original, path, temporary)
        kill.reached()

    KeptRecords.transaction, DiskDriver.put = killing_transaction, killing_put
    FilesDestination._whole = kill.after(FilesDestination._whole)
    settings = Settings(home=Path(home), commit_rows=1_000)
    if job is not None:
        resume(settings, job)
    else:
        import_directly(settings, ImportRequest(source or "", "things"))


def main() -> None:
    for name in PRELOADED:
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 1
            try:
                run(**json.loads(line))
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(ended, flush=True)  # noqa: T201 - tells the parent


if __name__ == "__main__":
    main()
