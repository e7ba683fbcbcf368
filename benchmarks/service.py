"""How quickly a running service works: first row, small files, what Prefect costs, cancelling.

And what it takes while it rests.

`python -m benchmarks.service --help` lists what can be chosen. Starts `lading serve` over a new home and
stops it again. All that it prints was seen through the API and the job store.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from schemas.definition import Definition
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.keys import add_key
from store.tables import Job

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = {
    "name": "things",
    "key": ["id"],
    "fields": [
        {"name": "id", "header": "Id", "required": True},
        {"name": "name", "header": "Name"},
        {"name": "amount", "header": "Amount", "type": "integer", "min": 0},
    ],
    "destination": {"table": "things"},
}
FIRST_ROW_SECONDS = 1.0
BEHIND_SECONDS = 5.0
PREFECT_SECONDS = 2.0
CANCEL_SECONDS = 10.0
IDLE_SECONDS = 20.0
WAIT_SECONDS = 600.0


def main() -> None:
    """Print every figure, and whether its aim is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100, help="files of the stream, of 100 rows each")
    parser.add_argument("--seconds", type=float, default=60.0, help="over which they are posted")
    parser.add_argument("--flood", type=int, default=200, help="files that are posted at once")
    parser.add_argument("--posts", type=int, default=15, help="posts whose first row is awaited")
    parser.add_argument("--rows", type=int, default=300_000, help="of the file that is cancelled")
    asked = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch, running_service(Path(scratch)) as service:
        _idle(service)
        _first_row(service, asked.posts)
        _stream(service, asked.files, asked.seconds)
        _flood(service, asked.flood)
        _cancel(service, asked.rows)
        _prefect(service)


@dataclass
class Service:
    """A service that is up."""

    folder: Path
    settings: Settings
    store: Store
    token: str
    process: subprocess.Popen[str]
    status: dict[str, str] = field(default_factory=dict)

    def post(self, name: str, rows: int) -> str:
        """The id of the job of a new file of so many rows."""
        body = "Id,Name,Amount\n" + "".join(f"{name}-{i},a,{i}\n" for i in range(rows))
        answer = httpx.post(
            f"{self.status['api']}/jobs",
            files={"file": (f"{name}.csv", body.encode())},
            data={"definition": "things"},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return str(answer.json()["job_id"])

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end."""
        headers = {"Authorization": f"Bearer {self.token}"}
        httpx.post(f"{self.status['api']}/jobs/{job_id}/cancel", headers=headers, timeout=60).raise_for_status()

    def wait(self, job_id: str, is_so: Callable[[Job], bool]) -> Job:
        """The job as soon as it is so."""
        ends_at = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < ends_at:
            with self.store.read() as session:
                job = get_job(session, job_id)
            if is_so(job):
                return job
            time.sleep(0.005)
        raise TimeoutError(f"job {job_id} is {job.state}")


@contextmanager
def running_service(folder: Path) -> Iterator[Service]:
    """A service over a new home in this folder; stopped at the end."""
    settings = Settings(home=folder / ".lading")
    with Store.opened(settings) as store:
        with store.write() as session:
            put_definition(session, settings.tenant, Definition.model_validate(DOCUMENT))
            token = add_key(session, settings.tenant, list(Scope)).token
        with subprocess.Popen(
            _command(settings, "serve", "--port", "0"),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                started = time.monotonic()
                for line in process.stdout or ():
                    if line.startswith("ready"):
                        break
                print(f"service of a new home is up after {time.monotonic() - started:.1f} s")
                service = Service(folder, settings, store, token, process)
                said = subprocess.run(
                    _command(settings, "status", "--json"),
                    env=environment(),
                    capture_output=True,
                    text=True,
                    check=True,
                )
                service.status = json.loads(said.stdout)
                yield service
            finally:
                process.send_signal(signal.SIGTERM)


def _command(settings: Settings, *words: str) -> list[str]:
    return [sys.executable, "-m", "cli.start", *words, "--home", str(settings.home)]


def environment() -> dict[str, str]:
    """That of a process which has no settings of Lading's or Prefect's but those that a benchmark gives it."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LADING_"))}
    ours.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start compiles everything again
    return ours | {"PYTHONPATH": str(ROOT), "LADING_PREFECT_PORT": "0"}


def _idle(service: Service) -> None:
    """What all parts take of one processor while there is nothing to do."""
    time.sleep(5.0)  # until what starts late is there
    before = sum(map(_cpu_seconds, _processes(service.process.pid)))
    time.sleep(IDLE_SECONDS)
    used = sum(map(_cpu_seconds, _processes(service.process.pid))) - before
    percent = 100 * used / IDLE_SECONDS
    print(f"at rest all parts take {percent:.0f} % of one processor")


def _first_row(service: Service, posts: int) -> None:
    """From the moment in which a file is posted, answer included, to its first row read; the rest is idle."""
    took = []
    for number in range(posts + 1):
        started = time.monotonic()
        job_id = service.post(f"first-{number}", 100)
        service.wait(job_id, lambda job: job.rows_read > 0)
        took.append(time.monotonic() - started)
        service.wait(job_id, lambda job: job.reported_at is not None)
        time.sleep(0.5)
    median = statistics.median(took[1:])
    print(f"POST to first row read: first {took[0]:.2f} s, median {median:.2f} s, worst {max(took[1:]):.2f} s")
    _judge("first row", median, FIRST_ROW_SECONDS)


def _stream(service: Service, files: int, seconds: float) -> None:
    """Many small files for one table: how long after the last post all are terminal, and what each costs."""
    processes = _processes(service.process.pid)
    before, started = sum(map(_cpu_seconds, processes)), time.monotonic()
    jobs = []
    for number in range(files):
        time.sleep(max(0.0, started + number * seconds / files - time.monotonic()))
        jobs.append(service.post(f"stream-{number}", 100))
    last = time.monotonic()
    ended = [service.wait(job_id, lambda job: job.state.terminal) for job_id in jobs]
    behind = time.monotonic() - last
    used = sum(map(_cpu_seconds, _processes(service.process.pid))) - before
    if sum(job.created for job in ended) != 100 * files:
        raise RuntimeError("rows were lost")
    print(f"{files} files over {last - started:.0f} s: {used / files:.2f} s of processor each, all parts")
    _judge("all terminal after the last", behind, BEHIND_SECONDS)


def _flood(service: Service, files: int) -> None:
    """So many files of 10 rows at once, each posted by a thread: nothing is lost or comes twice."""
    started = time.monotonic()
    with ThreadPoolExecutor(files) as threads:
        jobs = list(threads.map(lambda number: service.post(f"flood-{number}", 10), range(files)))
    accepted = time.monotonic()
    ended = [service.wait(job_id, lambda job: job.state.terminal) for job_id in jobs]
    seconds = time.monotonic() - started
    if len(set(jobs)) != files or [job.created for job in ended] != [10] * files:
        raise RuntimeError("jobs or rows were lost, or came twice")
    answered = accepted - started
    print(f"{files} parallel posts: all accepted after {answered:.1f} s, all whole after {seconds:.1f} s")


def _cancel(service: Service, rows: int) -> None:
    """From the request to the end of a job whose chunks are being written."""
    job_id = service.post("cancel", rows)
    service.wait(job_id, lambda job: job.rows_loaded > 0)
    started = time.monotonic()
    service.cancel(job_id)
    job = service.wait(job_id, lambda job: job.state.terminal)
    print(f"cancelled with {job.created:,} of {job.rows:,} rows written")
    _judge("cancelling", time.monotonic() - started, CANCEL_SECONDS)


def _prefect(service: Service) -> None:
    """One import by the command, with the service up, and with Prefect left out."""
    took: dict[str, list[float]] = {"with": [], "without": []}
    other = Settings(home=service.folder / "other" / ".lading")
    with Store.opened(other) as store, store.write() as session:
        put_definition(session, other.tenant, Definition.model_validate(DOCUMENT))
    for number in range(5):
        path = service.folder / f"command-{number}.csv"
        path.write_text("Id,Name,Amount\n" + "".join(f"command-{number}-{i},a,{i}\n" for i in range(1_000)))
        for name, settings in (("without", other), ("with", service.settings)):
            started = time.monotonic()
            words = ("import", str(path), "-d", "things", "--json")
            subprocess.run(_command(settings, *words), env=environment(), stdout=subprocess.DEVNULL, check=True)
            took[name].append(time.monotonic() - started)
    medians = {name: statistics.median(seconds) for name, seconds in took.items()}
    print(f"lading import of 1,000 rows: {medians['without']:.2f} s, with the service {medians['with']:.2f} s")
    _judge("Prefect's cost", medians["with"] - medians["without"], PREFECT_SECONDS)


def _judge(what: str, seconds: float, aim_seconds: float) -> None:
    met = "met" if seconds <= aim_seconds else "MISSED"
    print(f"  {what}: {seconds:.2f} s, aim {aim_seconds:g} s: {met}", flush=True)


def _processes(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
