"""The benchmark: `lading import` and `lading check` beside what others do with the same file in the same run.

`python -m benchmarks.run --help` lists what can be chosen; `benchmarks/README.md` says what is measured.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender, checkers, importers
from benchmarks.databases import postgres_server, server_version
from benchmarks.files import FORMATS, input_file
from benchmarks.measure import BenchmarkError, measure
from benchmarks.tables import machine, machine_text, workload_json, workload_text
from benchmarks.workloads import Places, Workload, postgres_place, run_workload, sqlite_place

FILES_VARIABLE = "LADING_BENCH_FILES"
PROBE_ROWS = 1_000


def main() -> None:
    """Run what the arguments choose, and print it."""
    chosen = _arguments().parse_args()
    with ExitStack() as stack:
        bench = Bench(chosen)
        bench.tell(machine_text())
        bench.open_databases(stack)
        started = time.monotonic()
        for workload, contenders in bench.workloads():
            bench.run(workload, contenders)
        bench.tell(f"took {time.monotonic() - started:,.0f} s")
    if chosen.json:
        print(json.dumps({"machine": machine(), "skipped": bench.skipped, "workloads": bench.done}, indent=2))


@dataclass
class Bench:
    """One run of the benchmark.

    Attributes:
        done: each workload with its results.
        skipped: what was not measured, and why.
    """

    chosen: argparse.Namespace
    done: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    places: dict[str, Places] = field(default_factory=dict)

    def tell(self, text: str) -> None:
        """Print a line; on standard error where standard output is JSON."""
        print(text, file=sys.stderr if self.chosen.json else sys.stdout, flush=True)

    def open_databases(self, stack: ExitStack) -> None:
        """Find out which of the chosen databases Lading loads into; a server lives as long as the stack."""
        for database in self.chosen.databases:
            places: Places = sqlite_place
            if database == "postgres":
                url = stack.enter_context(postgres_server())
                self.tell(f"PostgreSQL {server_version(url)}")
                places = partial(postgres_place, url)
            try:
                self._probe(database, places)
            except BenchmarkError as error:
                self.skipped.append(f"{database}: {str(error).splitlines()[-1]}")
                self.tell(f"skipped {self.skipped[-1]}")
            else:
                self.places[database] = places

    def workloads(self) -> Iterator[tuple[Workload, list[Contender]]]:
        """Everything that was chosen, the smallest files first."""
        chosen = self.chosen
        for rows in sorted(chosen.rows):
            for kind in chosen.formats:
                for database in self.places:
                    yield self._workload(kind, database, rows), importers(kind, database, peers=True)
            if "csv" in chosen.formats:
                yield self._workload("csv", None, rows), checkers()
        # Memory that does not grow with the file needs no peers and no second run.
        for kind in ("csv", "jsonl"):
            if chosen.flat_rows and kind in chosen.formats and "sqlite" in self.places:
                workload = self._workload(kind, "sqlite", chosen.flat_rows, repeats=1)
                yield workload, importers(kind, "sqlite", peers=False)

    def run(self, workload: Workload, contenders: list[Contender]) -> None:
        """Measure one workload and print its table."""
        file = input_file(self.chosen.files, workload.kind, workload.rows)
        places = self.places[workload.database] if workload.database else sqlite_place
        results = run_workload(
            workload, file, contenders, places, self.tell if self.chosen.verbose else _silent
        )
        self.done.append(workload_json(workload, results))
        self.tell("\n" + workload_text(workload, results))

    def _workload(self, kind: str, database: str | None, rows: int, repeats: int | None = None) -> Workload:
        size = input_file(self.chosen.files, kind, rows).stat().st_size
        title = f"{kind} into {database}" if database else f"checking {kind}"
        return Workload(title, kind, database, rows, size, repeats or self.chosen.repeats)

    def _probe(self, database: str, places: Places) -> None:
        """Import a small file: what can't be is told at once, and Python has compiled what it will run."""
        file = input_file(self.chosen.files, "csv", PROBE_ROWS)
        with places() as place:
            for contender in importers("csv", database, peers=False):
                measure(contender.command(file, place), place.environment)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description=(__doc__ or "").split("\n\n")[0]
    )
    folder = os.environ.get(FILES_VARIABLE) or Path(tempfile.gettempdir()) / "lading-bench-files"
    add = parser.add_argument
    add("--rows", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes of the files")
    add("--flat-rows", type=int, default=5_000_000, help="size of the files for flat memory; 0: none")
    add("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    add("--databases", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    add("--repeats", type=int, default=3, help="runs of each command, of which the median counts")
    add(
        "--files",
        type=Path,
        default=Path(folder),
        help=f"where files are kept; default ${FILES_VARIABLE} or %(default)s",
    )
    add("--json", action="store_true", help="print JSON on standard output, the rest on standard error")
    add("--verbose", action="store_true", help="tell of every single run")
    return parser


def _silent(_: str) -> None:
    """What `tell` does where nobody asked."""


if __name__ == "__main__":
    main()
