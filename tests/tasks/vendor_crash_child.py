"""Imports to the scripted vendor in processes that kill themselves with -9 at one moment. Run as a program.

Reads a JSON object a line: `home`, `job`, `number`: the process dies at the 1-based n-th of all moments after
a commit of the job store and after a call to the vendor. For each it forks, and says on a line how that ended:
0, or minus a signal's number.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import formats.delimited  # noqa: F401 - what an import loads at its first use
from connectors.vendor_http import VendorHttp
from flows.run import resume
from schemas.settings import Settings
from store.database import Store
from tests.tasks import scripted_vendor


def kill_at(number: int) -> None:
    """From now on this process dies at the n-th moment."""
    moments = count(1)

    def reached() -> None:
        if next(moments) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    write, answer = Store.write, VendorHttp._answer

    @contextmanager
    def killing_write(store: Store) -> Iterator[object]:
        with write(store) as session:
            yield session
        reached()

    def killing_answer(http: VendorHttp, call: object) -> object:
        came = answer(http, call)
        reached()
        return came

    Store.write, VendorHttp._answer = killing_write, killing_answer


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        child = os.fork()
        if not child:
            status = 1
            try:
                kill_at(case["number"])
                with scripted_vendor.known():
                    resume(Settings(home=Path(case["home"])), case["job"])
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - tells the parent


if __name__ == "__main__":
    main()
