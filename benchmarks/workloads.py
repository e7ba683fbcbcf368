"""Runs the contenders of a workload in turns, several times over, and keeps what was measured."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.contenders import Contender, Place
from benchmarks.databases import postgres_database
from benchmarks.measure import Measured, measure

Places = Callable[[], AbstractContextManager[Place]]
"""Makes the place of one repetition, and takes it away again."""


@dataclass(frozen=True)
class Workload:
    """One file and those who work on it.

    Attributes:
        title: such as `csv into sqlite`.
        kind: of the file.
        database: `sqlite`, `postgres`, or None where nothing is loaded.
        file_bytes: its size.
        repeats: how often each contender runs.
    """

    title: str
    kind: str
    database: str | None
    rows: int
    file_bytes: int
    repeats: int


@dataclass(frozen=True)
class Result:
    """What one contender of a workload took: the runs, in order of time."""

    name: str
    rows: int
    runs: tuple[Measured, ...]

    @property
    def seconds(self) -> float:
        """The median of the runs."""
        return median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """The median of the runs."""
        return median(run.cpu_seconds for run in self.runs)

    @property
    def rows_per_second(self) -> float:
        """By the median."""
        return self.rows / self.seconds

    @property
    def peak_mib(self) -> float:
        """The highest of the runs."""
        return max(run.peak_mib for run in self.runs)

    @property
    def bound_mib(self) -> float:
        """The highest of the runs."""
        return max(run.bound_mib for run in self.runs)


def run_workload(
    workload: Workload, file: Path, contenders: list[Contender], places: Places, tell: Callable[[str], None]
) -> list[Result]:
    """All contenders in the order given, then all again: what disturbs the machine disturbs everybody.

    Raises:
        BenchmarkError: a command failed.
    """
    runs: dict[str, list[Measured]] = {contender.name: [] for contender in contenders}
    for repetition in range(1, workload.repeats + 1):
        with places() as place:
            for contender in contenders:
                command = contender.command(file, place)
                if place.postgres is not None:
                    place.postgres.settle()
                measured = measure(command, place.environment)
                runs[contender.name].append(measured)
                tell(f"  {repetition}/{workload.repeats} {contender.name}: {measured.seconds:.2f} s")
    return [Result(name, workload.rows, tuple(measured)) for name, measured in runs.items()]


@contextmanager
def sqlite_place() -> Iterator[Place]:
    """An empty folder; the database files are made in it."""
    with tempfile.TemporaryDirectory(prefix="lading-bench-") as folder:
        yield Place(Path(folder))


@contextmanager
def postgres_place(server_url: str) -> Iterator[Place]:
    """An empty folder and an empty database on the server."""
    with sqlite_place() as place, postgres_database(server_url) as postgres:
        yield Place(place.folder, postgres)
