"""How long each way to start takes, from the moment in which somebody asks to the first row read.

`python -m benchmarks.starts [--times N]`. Starts `lading serve` over a new home and stops it again. A dropped
file has to lie still for `LADING_INBOX_STABLE_SECONDS` first, which is in the figure.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from benchmarks.service import Service, environment, running_service
from store.job_lists import JobFilter, page_of_jobs

WAIT_SECONDS = 120.0
ROWS = 100


def main() -> None:
    """Print the seconds of every way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="how often each way is tried")
    times = parser.parse_args().times
    print(f"load average before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch, running_service(Path(scratch)) as service:
        for order, (way, start) in enumerate(WAYS.items()):
            took = [_seconds(service, start, f"start{order}-{number}") for number in range(times + 1)]
            median, worst = statistics.median(took[1:]), max(took[1:])
            print(f"{way}: first {took[0]:.2f} s, median {median:.2f} s, worst {worst:.2f} s")


def _seconds(service: Service, start: Callable[[Service, Path], None], name: str) -> float:
    """From the call to the first row read; the file is made before, and its job has ended after."""
    file = service.folder / f"{name}.csv"
    file.write_text("Id,Name,Amount\n" + "".join(f"{name}-{i},a,{i}\n" for i in range(ROWS)))
    started = time.monotonic()
    start(service, file)
    job_id = _job_of(service, file.name)
    service.wait(job_id, lambda job: job.rows_read > 0)
    took = time.monotonic() - started
    service.wait(job_id, lambda job: job.reported_at is not None)
    return took


def _job_of(service: Service, file_name: str) -> str:
    ends_at = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends_at:
        with service.store.read() as session:
            found = page_of_jobs(session, service.settings.tenant, JobFilter(file=file_name), limit=1)
        if found:
            return found[0].id
        time.sleep(0.01)
    raise TimeoutError(f"there is no job of {file_name}")


def _drop(service: Service, file: Path) -> None:
    inbox = service.settings.inbox_path / "things"
    while not inbox.is_dir():
        time.sleep(0.01)
    file.rename(inbox / file.name)


def _deployment_run(service: Service, file: Path) -> None:
    command = [sys.executable, "-m", "prefect", "deployment", "run", "import-file/ad-hoc"]
    ours = {"PREFECT_API_URL": service.status["prefect_api"], "PREFECT_HOME": str(service.folder / "prefect")}
    subprocess.run(
        [*command, "-p", f"source={file}", "-p", "definition=things"],
        cwd=service.folder,
        env=environment() | ours,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _form(service: Service, file: Path) -> None:
    """What the form of Prefect's UI sends."""
    api = service.status["prefect_api"]
    deployment = httpx.get(f"{api}/deployments/name/import-file/ad-hoc", timeout=60).raise_for_status().json()
    asked = {"parameters": {"source": str(file), "definition": "things"}, "state": {"type": "SCHEDULED"}}
    address = f"{api}/deployments/{deployment['id']}/create_flow_run"
    httpx.post(address, json=asked, timeout=60).raise_for_status()


def _post(service: Service, file: Path) -> None:
    with file.open("rb") as content:
        answer = httpx.post(
            f"{service.status['api']}/jobs",
            files={"file": (file.name, content)},
            data={"definition": "things"},
            headers={"Authorization": f"Bearer {service.token}"},
            timeout=60,
        )
    answer.raise_for_status()


WAYS = {
    "dropped file": _drop,
    "`prefect deployment run`": _deployment_run,
    "form of Prefect's UI": _form,
    "POST": _post,
}

if __name__ == "__main__":
    main()
