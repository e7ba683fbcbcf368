"""A watcher of one home without Prefect, in a process of its own: looks so many times, when it is told to."""

import sys
from pathlib import Path

from schemas.settings import Settings
from store.database import Store
from tasks.drops import Drops

if __name__ == "__main__":
    settings = Settings(home=Path(sys.argv[1]), inbox_stable_seconds=0.05)
    with Store.opened(settings) as store:
        drops = Drops(settings, store)
        drops.ask_definitions()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for _ in range(int(sys.argv[2])):
            drops.look()
