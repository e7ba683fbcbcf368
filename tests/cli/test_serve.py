"""`lading serve` as its users have it: real processes, real sockets, and parts that are killed."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx
import psutil
import pytest

from cli.serve.listening import listening
from cli.serve.serving import now_serving
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.errors import FatalError
from schemas.principal import Principal, Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job, request_cancel
from store.keys import add_key
from store.leases import is_free
from tasks.upload import Brought, accept_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
ROWS = 60_000
PARTS = ["api", "prefect", "runner", "worker"]
AGAIN_SECONDS = 30


class Service:
    """`lading serve` over one home, and what a test wants of it."""

    def __init__(self, folder, definition):
        self.folder = folder
        self.settings = Settings(home=folder / ".lading")
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LADING_"))
        }
        numbers = {"LADING_COMMIT_ROWS": "1000", "LADING_SEGMENT_ROWS": "20000", "LADING_PREFECT_PORT": "0"}
        self.environment = ours | numbers | {"PYTHONPATH": str(ROOT)}
        self.store = Store.open(self.settings)
        with self.store.write() as session:
            put_definition(session, "local", definition)
            key = add_key(session, "local", list(Scope))
        self.principal = Principal(key.key_id, key.tenant, frozenset(Scope))

    def start(self):
        self.said = []
        self.up = threading.Event()
        self.process = subprocess.Popen(
            self.command("serve", "--port", "0"),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        assert self.up.wait(200), self.said

    def _listen(self, process):
        with process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip())
                if line.startswith("ready"):
                    self.up.set()
        self.up.set()

    def command(self, *words):
        return [sys.executable, "-m", "cli.start", *map(str, words), "--home", str(self.settings.home)]

    def run(self, *words):
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def status(self):
        return asdict(now_serving(self.settings))

    def post(self, name, rows):
        """The id of a new job that came over HTTP, of so many rows that no other file has."""
        body = "Id,Name,Amount\n" + "".join(f"{name}-{i},a,{i}\n" for i in range(rows))
        brought = Brought(self.principal, BytesIO(body.encode()), f"{name}.csv", "things")
        return accept_file(self.settings, brought).job_id

    def cancel(self, job_id):
        with self.store.write() as session:
            request_cancel(session, job_id)

    def job(self, job_id):
        with self.store.read() as session:
            return get_job(session, job_id)

    def wait(self, job_id, is_so, seconds=100):
        """The job as soon as it is so."""
        ends_at = time.monotonic() + seconds
        while not is_so(job := self.job(job_id)):
            assert time.monotonic() < ends_at, (job.state, job.rows_read, job.rows_loaded)
            time.sleep(0.01)
        return job

    def in_the_middle(self, name):
        """The id of a job of which some chunks are committed, and most are not."""
        job_id = self.post(name, ROWS)
        self.wait(job_id, lambda job: job.rows_loaded >= 1_000)
        return job_id

    def rows_of(self, name):
        with closing(sqlite3.connect(self.settings.table_path("local"))) as connection:
            return connection.execute("SELECT count(*) FROM things WHERE id LIKE ?", (f"{name}-%",)).fetchone()[
                0
            ]

    def runs_of(self, job_id):
        """Prefect's runs of the job, oldest first."""
        found = self.prefect("flow_runs/filter", {"flow_runs": {"tags": {"all_": [f"job:{job_id}"]}}})
        return sorted(found, key=lambda run: run["created"])

    def prefect(self, path, body):
        answer = httpx.post(f"{self.status['prefect_api']}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.store.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    fields = [
        {"name": "id", "header": "Id", "required": True},
        {"name": "name", "header": "Name"},
        {"name": "amount", "header": "Amount", "type": "integer"},
    ]
    definition = Definition.model_validate(
        {"name": "things", "key": ["id"], "fields": fields, "destination": {"table": "things"}}
    )
    service = Service(tmp_path_factory.mktemp("service"), definition)
    service.start()
    yield service
    service.close()


def ended(job):
    return job.reported_at is not None


def test_it_says_where_it_listens_and_its_health_needs_no_key(service):
    status = json.loads(service.run("status", "--json").stdout)
    assert {"api", "prefect_api", "prefect_ui", "home", "pid", "parts"} == status.keys()
    assert (status["home"], status["pid"]) == (str(service.settings.home), service.process.pid)
    assert {name: part["state"] for name, part in status["parts"].items()} == dict.fromkeys(PARTS, "up")
    assert httpx.get(f"{status['api']}/health").json() == {"status": "ok", "missing": []}
    assert "<html" in httpx.get(status["prefect_ui"], follow_redirects=True).text
    assert (service.settings.home / "serve.json").stat().st_mode & 0o777 == 0o600
    assert any(line.startswith("api") and status["api"] in line for line in service.said)


def test_a_second_one_over_the_same_home_is_refused_by_name(service):
    said = service.run("serve", "--port", "0")
    assert said.returncode == 4
    assert f"is served already, process {service.process.pid} at http://127.0.0.1:" in said.stderr


def test_a_job_that_came_over_http_is_a_run_with_every_stage(service):
    job = service.wait(service.post("stages", 100), ended)
    assert (job.state.value, job.created, job.creation_path) == ("finished", 100, "API")
    until(lambda: [run["state_type"] for run in service.runs_of(job.id)] == ["COMPLETED"])
    (run,) = service.runs_of(job.id)
    assert (run["id"], run["name"]) == (job.flow_run_id, "stages.csv")
    assert sorted(run["tags"]) == ["definition:things", f"job:{job.id}"]
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    names = ["import 1/1", "poll", "report", "upload", "validate"]
    until(lambda: sorted(task["name"] for task in service.prefect("task_runs/filter", wanted)) == names)
    keys = {artifact["key"] for artifact in service.prefect("artifacts/filter", wanted)}
    assert keys == {f"progress-{job.id}", f"summary-{job.id}"}


def until(is_so, seconds=60):
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_comes_back_and_the_job_ends_whole(service, part):
    job_id = service.in_the_middle(part)
    before = service.status["parts"][part]
    os.kill(before["pid"], signal.SIGKILL)
    rows_loaded = service.job(job_id).rows_loaded
    service.wait(job_id, lambda job: ended(job) or job.rows_loaded > rows_loaded, AGAIN_SECONDS)
    job = service.wait(job_id, ended)
    assert (job.state.value, job.rows, job.created) == ("finished", ROWS, ROWS)
    assert service.rows_of(part) == ROWS
    until(lambda: service.status["parts"][part]["state"] == "up")
    after = service.status["parts"][part]
    assert (after["restarts"], after["pid"] != before["pid"]) == (before["restarts"] + 1, True)
    until(
        lambda: all(run["state_type"] in {"COMPLETED", "CRASHED", "FAILED"} for run in service.runs_of(job_id))
    )


def test_cancelling_takes_effect_within_ten_seconds(service):
    job_id = service.in_the_middle("cancel")
    asked_at = utc_now()
    service.cancel(job_id)
    job = service.wait(job_id, ended)
    assert (job.state.value, job.error_code) == ("cancelled", "job.cancelled")
    assert job.cancelled_at - asked_at < timedelta(seconds=10)
    assert (job.created + job.unprocessed, service.rows_of("cancel")) == (ROWS, job.created)
    until(lambda: [run["state_type"] for run in service.runs_of(job_id)] == ["CANCELLED"])


def test_what_is_cancelled_at_prefect_is_cancelled_here(service):
    job_id = service.in_the_middle("ui")
    state = {"type": "CANCELLING", "name": "Cancelling"}
    service.prefect(f"flow_runs/{service.job(job_id).flow_run_id}/set_state", {"state": state})
    job = service.wait(job_id, ended)
    assert (job.state.value, job.created + job.unprocessed) == ("cancelled", ROWS)
    until(lambda: [run["state_type"] for run in service.runs_of(job_id)] == ["CANCELLED"])


def test_a_queued_job_is_cancelled_while_another_has_its_table(service):
    first = service.in_the_middle("first")
    second = service.post("second", 100)
    service.cancel(second)
    job = service.wait(second, ended)
    assert (job.state.value, job.rows, job.validating_at) == ("cancelled", 0, None)
    assert not ended(service.job(first))
    assert service.wait(first, ended).created == ROWS


def test_deployments_of_the_checkout_run_against_it_and_so_does_the_command(service):
    (service.folder / "mine.csv").write_text("Id,Name,Amount\nmine-1,a,1\n")
    environment = service.environment | {
        "PREFECT_API_URL": service.status["prefect_api"],
        "PREFECT_HOME": str(service.folder / "prefect"),
    }
    words = ["deployment", "run", "import-file/ad-hoc", "-p", "source=mine.csv", "-p", "definition=things"]
    subprocess.run([sys.executable, "-m", "prefect", *words], env=environment, check=True, capture_output=True)
    until(lambda: service.rows_of("mine") == 1)
    (service.folder / "mine.csv").write_text("Id,Name,Amount\nmine-2,a,1\n")
    said = service.run("import", "mine.csv", "-d", "things", "--json")
    assert said.returncode == 0, said.stderr
    job_id = json.loads(said.stdout)["job_id"]
    assert [run["state_type"] for run in service.runs_of(job_id)] == ["COMPLETED"]


def test_a_job_goes_on_at_the_next_start(service):
    job_id = service.in_the_middle("stopped")
    pids = [part["pid"] for part in service.status["parts"].values()]
    started = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(60) == 0
    assert time.monotonic() - started < 45
    assert not any(psutil.pid_exists(pid) for pid in pids)
    job = service.job(job_id)
    with service.store.read() as session:
        assert (job.state.value, is_free(session, job)) == ("importing", True)
    assert service.run("status").returncode == 4
    service.start()
    job = service.wait(job_id, ended)
    assert (job.created, service.rows_of("stopped")) == (ROWS, ROWS)
    until(lambda: [run["state_type"] for run in service.runs_of(job_id)] == ["CRASHED", "COMPLETED"])


def test_the_parts_do_not_outlive_a_parent_that_is_killed(service):
    parts = [psutil.Process(part["pid"]) for part in service.status["parts"].values()]
    service.process.kill()
    gone, alive = psutil.wait_procs(parts, timeout=40)
    assert (len(gone), alive) == (len(PARTS), [])
    assert service.run("status").returncode == 4


def test_a_port_that_is_taken_is_refused_by_name(monkeypatch):
    monkeypatch.setattr("cli.serve.listening.WAIT_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            FatalError, match=f"127.0.0.1:{port} can't be listened on.*LADING_PORT names another"
        ):
            listening("127.0.0.1", port, "LADING_PORT", print)
