"""Imports in processes that kill themselves with -9 around one commit. Run as a program.

Reads a JSON object a line: `home`, `source` (brought as a new file), `job` (resumed) or `records` (invoked with
so many), `of` (`destination` or `store`), `moment` (see `KillAtCommit`) and `number` (1-based). For each it
forks, so that the imports of modules are paid for once, works in the fork, and says on a line how that ended:
0, or minus a signal's number.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path

from connectors.invocation import Invocation
from destinations import open_destination
from flows.run import import_directly, resume
from schemas.destination import Destination
from schemas.import_request import ImportRequest
from schemas.principal import Principal, Scope
from schemas.settings import Settings
from store.database import Store
from tasks import import_rows, invoke_at_once, poll
from tasks.invoke import invoke

PRELOADED = ("formats.delimited", "formats.jsonlines", "formats.xlsx", "pandera.strategies", "pyarrow.ipc")
"""What an import loads at its first use."""


class KillAtCommit:
    """Kills this process when it comes to one moment around a commit for the n-th time.

    The moments are `between` (ahead of a transaction, so after the commit of the one before), `before` (all is
    written, nothing committed) and `after` (committed, and nobody was told).
    """

    def __init__(self, moment: str, number: int) -> None:
        self._moment, self._left = moment, number

    @contextmanager
    def around(self, transaction: AbstractContextManager[object]) -> Iterator[object]:
        """The transaction, with the moments in it."""
        self._reached("between")
        with transaction as given:
            yield given
            self._reached("before")
        self._reached("after")

    def _reached(self, moment: str) -> None:
        self._left -= moment == self._moment
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def killing_destinations(kill: KillAtCommit) -> Callable[..., Destination]:
    """What opens destinations whose commits are counted."""

    def opened(*args: object) -> Destination:
        destination = open_destination(*args)
        transaction = destination._transaction
        destination._transaction = lambda *job: kill.around(transaction(*job))
        return destination

    return opened


def records_of(number: int) -> list[dict[str, object]]:
    """So many records, of which a table that takes no amount of 13 refuses one, and the checks another."""
    return [{"Id": f"k{n:04}", "Amount": "x" if n == 5 else n} for n in range(number)]


def run(
    home: str, job: str | None, source: str | None, of: str, moment: str, number: int, records: int = 0
) -> None:
    """Import, and be killed, or not if there are not so many commits."""
    kill = KillAtCommit(moment, number)
    if of == "destination":
        opened = killing_destinations(kill)
        import_rows.open_destination = poll.open_destination = invoke_at_once.open_destination = opened
    else:
        write = Store.write
        Store.write = lambda store: kill.around(write(store))
    settings = Settings(home=Path(home), commit_rows=1_000)
    if records:
        who = Principal("key", "local", frozenset({Scope.ADMIN}))
        with Store.opened(settings) as store:
            invoke(settings, store, who, Invocation("things", records_of(records)))
    elif job is not None:
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
