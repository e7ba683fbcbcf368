"""`lading serve` over a home of its own, in real processes, and what tests want of it."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import httpx

from cli.serve.serving import now_serving
from schemas.definition import Definition
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import get_job
from store.keys import add_key

ROOT = Path(__file__).resolve().parents[2]
ROWS = 60_000
"""Of a job that something happens to; its chunks are a sixtieth of it."""
AGAIN_SECONDS = 30
"""A job whose owner is gone is going again by then."""
FIELDS = [
    {"name": "id", "header": "Id", "required": True},
    {"name": "name", "header": "Name"},
    {"name": "amount", "header": "Amount", "type": "integer"},
]
DEFINITION = {"name": "things", "key": ["id"], "fields": FIELDS, "destination": {"table": "things"}}


def until(is_so, seconds=90):
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def ended(job):
    return job.reported_at is not None


class RunningService:
    """The service, its key, and its job store."""

    def __init__(self, folder, **environment):
        self.folder = folder
        self.settings = Settings(home=folder / ".lading")
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LADING_"))
        }
        numbers = {"LADING_COMMIT_ROWS": "1000", "LADING_SEGMENT_ROWS": "20000", "LADING_PREFECT_PORT": "0"}
        self.environment = ours | numbers | environment | {"PYTHONPATH": str(ROOT)}
        self.store = Store.open(self.settings)
        with self.store.write() as session:
            put_definition(session, "local", Definition.model_validate(DEFINITION))
            self._token = add_key(session, "local", list(Scope)).token

    def start(self):
        self.said = []
        self._heard = threading.Condition()
        self.process = subprocess.Popen(
            self._command("serve", "--port", "0"),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        self.hear("ready")

    def hear(self, *words):
        """Wait until the service has said a line that begins so."""

        def was_said():
            return any(line.split()[: len(words)] == [*words] for line in self.said)

        with self._heard:
            assert self._heard.wait_for(was_said, 200), self.said

    def _listen(self, process):
        with process.stdout as lines:
            for line in lines:
                with self._heard:
                    self.said.append(line.rstrip())
                    self._heard.notify_all()

    def _command(self, *words):
        return [sys.executable, "-m", "cli.start", *map(str, words), "--home", str(self.settings.home)]

    def run(self, *words):
        """What a command of Lading's, run beside the service, left."""
        return subprocess.run(
            self._command(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def run_prefect(self, *words, **how):
        """Start a command of Prefect's own, in the folder of the service; gives the process."""
        environment = self.environment | {
            "PREFECT_API_URL": self.status["prefect_api"],
            "PREFECT_HOME": str(self.folder / "prefect"),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "prefect", *words], env=environment, **({"cwd": self.folder} | how)
        )

    def run_deployment(self, file_name):
        """Have `import-file/ad-hoc` import a file of the folder, by `prefect deployment run`."""
        parameters = ["-p", f"source={file_name}", "-p", "definition=things"]
        assert self.run_prefect("deployment", "run", "import-file/ad-hoc", *parameters).wait(100) == 0

    @property
    def status(self):
        return asdict(now_serving(self.settings))

    @property
    def headers(self):
        """Of a request that may do everything."""
        return {"Authorization": f"Bearer {self._token}"}

    def post(self, name, rows):
        """The id of a new job, posted, of so many rows that no other file has."""
        return self._send(
            "jobs", files={"file": (f"{name}.csv", body(name, rows))}, data={"definition": "things"}
        )

    def cancel(self, job_id):
        self._send(f"jobs/{job_id}/cancel")

    def _send(self, path, **what):
        answer = httpx.post(f"{self.status['api']}/{path}", headers=self.headers, timeout=60, **what)
        assert answer.status_code == 202, answer.text
        return answer.json()["job_id"]

    def job(self, job_id):
        with self.store.read() as session:
            return get_job(session, job_id)

    def job_of_file(self, file_name):
        """The id of the only job of that file, once there is one."""

        def found():
            with self.store.read() as session:
                return [job.id for job in page_of_jobs(session, "local", JobFilter(file=file_name), limit=2)]

        until(found)
        (job_id,) = found()
        return job_id

    def wait(self, job_id, is_so, seconds=100):
        """The job as soon as it is so."""
        ends_at = time.monotonic() + seconds
        while not is_so(job := self.job(job_id)):
            assert time.monotonic() < ends_at, (job.state, job.rows_read, job.rows_loaded)
            time.sleep(0.01)
        return job

    @contextmanager
    def held_in_the_middle(self, job_id):
        """While the block runs some chunks of the job are committed, and nobody can commit the next one."""
        self.wait(job_id, lambda job: job.rows_loaded >= 1_000)
        path = self.settings.table_path("local")
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            assert self.job(job_id).state.value == "importing"
            yield
            connection.execute("ROLLBACK")

    def rows_of(self, name):
        with closing(sqlite3.connect(self.settings.table_path("local"))) as connection:
            query = "SELECT count(*) FROM things WHERE id LIKE ?"
            return connection.execute(query, (f"{name}-%",)).fetchone()[0]

    def runs_of(self, job_id):
        """Prefect's runs of the job, oldest first."""
        found = self.prefect("flow_runs/filter", {"flow_runs": {"tags": {"all_": [f"job:{job_id}"]}}})
        return sorted(found, key=lambda run: run["created"])

    def states_of_runs(self, job_id):
        return [run["state_type"] for run in self.runs_of(job_id)]

    def prefect(self, path, body):
        # Its server may wait a minute for its own database once, when it was killed in the middle.
        answer = httpx.post(f"{self.status['prefect_api']}/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def kill(self, part):
        """End the part as nothing can be ended more rudely; gives what it was."""
        before = self.status["parts"][part]
        os.kill(before["pid"], signal.SIGKILL)
        return before

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.store.close()


def body(name, rows):
    """A file of so many rows, whose ids begin with the name."""
    return "Id,Name,Amount\n" + "".join(f"{name}-{i},a,{i}\n" for i in range(rows))
