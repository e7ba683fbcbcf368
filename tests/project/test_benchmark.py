import importlib
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a module of the benchmark, which is no room and not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_the_same_rows_are_the_same_bytes_and_every_format_holds_the_same(tmp_path, benchmark):
    files = benchmark("files")
    made = {kind: files.input_file(tmp_path / "one", kind, 300) for kind in files.FORMATS}
    assert files.input_file(tmp_path / "two", "csv", 300).read_bytes() == made["csv"].read_bytes()
    csv = pl.read_csv(made["csv"], try_parse_dates=True)
    assert csv.shape == (300, 10)
    assert csv["note"].str.contains('"', literal=True).any()
    assert csv.equals(pl.read_excel(made["xlsx"]).cast(csv.schema))
    lines = pl.read_ndjson(made["jsonl"])
    assert csv.equals(lines.with_columns(pl.col("born").str.to_date(), pl.col("seen_at").str.to_datetime()))


def test_memory_of_children_counts_and_so_does_a_failure(benchmark):
    measure = benchmark("measure")
    wait = "import sys, time; kept = bytes(10**6) * 64; time.sleep(0.5)"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {wait!r}])"
    taken = measure.measure([sys.executable, "-c", nested])
    assert 60 < taken.peak_mib <= taken.bound_mib < 150
    with pytest.raises(measure.BenchmarkError, match="ended with 1: no such luck"):
        measure.measure([sys.executable, "-c", "import sys; sys.exit('no such luck')"])


@pytest.mark.parametrize(("rows", "met"), [(1_000_000, (False, True)), (100_000, (None, None))])
def test_small_files_are_measured_but_not_judged(benchmark, rows, met):
    aims, contenders, workloads = (benchmark(name) for name in ("aims", "contenders", "workloads"))
    measured = benchmark("measure").Measured
    workload = workloads.Workload("csv into sqlite", "csv", "sqlite", rows, 1, 1)
    results = [
        workloads.Result(contenders.NEW, rows, (measured(5.0, 4.0, 399.0, 450.0),)),
        workloads.Result(contenders.polars_adbc("csv"), rows, (measured(2.0, 1.0, 500.0, 500.0),)),
    ]
    speed, memory = aims.aims(workload, results)
    assert (speed.figure, memory.figure) == (pytest.approx(0.4), 399.0)
    assert (speed.met, memory.met) == met


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_piece_of_the_benchmark_works(tmp_path):
    words = ["--rows", "1000", "--flat-rows", "0", "--repeats", "1", "--json", "--formats", "csv", "xlsx"]
    command = [sys.executable, "-m", "benchmarks.run", *words, "--files", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["skipped"] == [] or found["skipped"][0].startswith("postgres: lading: ")
    shown = {workload["title"]: [r["name"] for r in workload["results"]] for workload in found["workloads"]}
    assert {"csv into sqlite", "xlsx into sqlite", "checking csv"} <= shown.keys()
    assert shown["xlsx into sqlite"] == [
        "lading import, all new",
        "lading import, all unchanged",
        "polars.read_excel + ADBC",
    ]
    assert shown["checking csv"] == ["lading check", "lading check -d", "polars.read_csv"]
    assert all(result["seconds"] > 0 for workload in found["workloads"] for result in workload["results"])
