"""What was measured, as text for people and as JSON."""

import os
import platform
from dataclasses import asdict
from typing import Any

import polars as pl
import psutil

from benchmarks.aims import AIM_ROWS, Aim, aims
from benchmarks.measure import KIND, MIB
from benchmarks.workloads import Result, Workload


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "polars": pl.__version__,
        "memory_is": KIND,
    }


def machine_text() -> str:
    """The machine in one line."""
    found = machine()
    return (
        f"{found['system']}, {found['processors']} processors, {found['memory_gib']} GiB, load average "
        f"{found['load_average']} at the start, Python {found['python']}, "
        f"polars {found['polars']}; memory is {KIND}"
    )


def workload_text(workload: Workload, results: list[Result]) -> str:
    """A table of the contenders, and the aims below it."""
    times = f", median of {workload.repeats}" if workload.repeats > 1 else ", run once"
    size = f"{workload.file_bytes / MIB:,.0f} MiB"
    lines = [
        f"{workload.title}, {workload.rows:,} rows, {size}{times}",
        f"  {'':<38}{'seconds':>9}{'(CPU)':>9}{'rows/s':>11}{'peak MiB':>10}{'(bound)':>10}{'Lading /':>10}",
    ]
    ours = results[0]
    for result in results:
        ratio = f"{ours.rows_per_second / result.rows_per_second:>10.2f}" if not _is_ours(result) else ""
        lines.append(
            f"  {result.name:<38}{result.seconds:>9.2f}{f'({result.cpu_seconds:.2f})':>9}"
            f"{result.rows_per_second:>11,.0f}"
            f"{result.peak_mib:>10,.0f}{f'({result.bound_mib:,.0f})':>10}{ratio}"
        )
    lines += [f"  {_aim_text(aim)}" for aim in aims(workload, results)]
    return "\n".join(lines)


def workload_json(workload: Workload, results: list[Result]) -> dict[str, Any]:
    """The same with every run."""
    return {
        **asdict(workload),
        "results": [
            {
                "name": result.name,
                "seconds": result.seconds,
                "cpu_seconds": result.cpu_seconds,
                "rows_per_second": result.rows_per_second,
                "peak_mib": result.peak_mib,
                "bound_mib": result.bound_mib,
                "runs": [asdict(run) for run in result.runs],
            }
            for result in results
        ],
        "aims": [asdict(aim) for aim in aims(workload, results)],
    }


def _is_ours(result: Result) -> bool:
    return result.name.startswith("lading ")


def _aim_text(aim: Aim) -> str:
    told = {True: "met", False: "NOT MET", None: f"judged from {AIM_ROWS:,} rows on"}[aim.met]
    return f"aim {aim.text}: {aim.figure:,.2f}, {told}"
