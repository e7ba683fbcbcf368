"""What Lading has set itself, and whether the figures of a workload meet it."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contenders import CHECK, CHECK_DEFINITION, NEW, READ_CSV, polars_adbc
from benchmarks.workloads import Result, Workload

AIM_ROWS = 1_000_000
"""Fewer rows are measured, not judged: starting a process is most of their time."""

_LEAST_SPEED = {"csv": 0.5, "xlsx": 0.6}
_MOST_MIB = {"csv": 400, "jsonl": 400, "xlsx": 1024}
_MOST_CHECK_TIME = 3.0


@dataclass(frozen=True)
class Aim:
    """One aim and the figure that it is judged by.

    Attributes:
        text: what is aimed at.
        met: None where the workload is too small to judge.
    """

    text: str
    figure: float
    limit: float
    met: bool | None


def aims(workload: Workload, results: list[Result]) -> list[Aim]:
    """Every aim that the workload has figures for."""
    by_name = {result.name: result for result in results}
    return [*_speeds(workload, by_name), *_memory(workload, by_name), *_checks(workload, by_name)]


def _speeds(workload: Workload, results: dict[str, Result]) -> Iterator[Aim]:
    least, peer = _LEAST_SPEED.get(workload.kind), results.get(polars_adbc(workload.kind))
    if least is not None and peer is not None and NEW in results:
        ratio = results[NEW].rows_per_second / peer.rows_per_second
        yield _aim(workload, f"at least {least} x the rows/s of {peer.name}", ratio, least, at_least=True)


def _memory(workload: Workload, results: dict[str, Result]) -> Iterator[Aim]:
    if NEW in results:
        limit = _MOST_MIB[workload.kind]
        yield _aim(workload, f"peak under {limit:,} MiB", results[NEW].peak_mib, limit, at_least=False)


def _checks(workload: Workload, results: dict[str, Result]) -> Iterator[Aim]:
    for name in (CHECK, CHECK_DEFINITION):
        if name in results:
            ratio = results[name].seconds / results[READ_CSV].seconds
            text = f"`{name}`: at most {_MOST_CHECK_TIME:g} x the time of {READ_CSV}"
            yield _aim(workload, text, ratio, _MOST_CHECK_TIME, at_least=False)


def _aim(workload: Workload, text: str, figure: float, limit: float, *, at_least: bool) -> Aim:
    met = figure >= limit if at_least else figure <= limit
    return Aim(text, figure, limit, met if workload.rows >= AIM_ROWS else None)
