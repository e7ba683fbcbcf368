"""`lading serve` as its users have it: real processes and real sockets."""

import json
import signal
import socket
import time

import httpx
import psutil
import pytest

from cli.serve.listening import listening
from schemas.errors import FatalError
from store.leases import is_free
from tests.cli.running_service import ROWS, ended, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PARTS = ["api", "prefect", "runner", "worker"]


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
    until(lambda: service.states_of_runs(job.id) == ["COMPLETED"])
    (run,) = service.runs_of(job.id)
    assert (run["id"], run["name"]) == (job.flow_run_id, "stages.csv")
    assert sorted(run["tags"]) == ["definition:things", f"job:{job.id}"]
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    names = ["import 1/1", "poll", "report", "upload", "validate"]
    until(lambda: sorted(task["name"] for task in service.prefect("task_runs/filter", wanted)) == names)
    keys = {artifact["key"] for artifact in service.prefect("artifacts/filter", wanted)}
    assert keys == {f"progress-{job.id}", f"summary-{job.id}"}


def test_deployments_of_the_checkout_run_against_it_and_so_does_the_command(service):
    (service.folder / "mine.csv").write_text("Id,Name,Amount\nmine-1,a,1\n")
    service.run_deployment("mine.csv")
    until(lambda: service.rows_of("mine") == 1)
    (service.folder / "mine.csv").write_text("Id,Name,Amount\nmine-2,a,1\n")
    said = service.run("import", "mine.csv", "-d", "things", "--json")
    assert said.returncode == 0, said.stderr
    job_id = json.loads(said.stdout)["job_id"]
    until(lambda: service.states_of_runs(job_id) == ["COMPLETED"])
    assert service.job(job_id).creation_path == "CLI"


def test_a_job_goes_on_at_the_next_start(service):
    job_id = service.post("stopped", ROWS)
    pids = [part["pid"] for part in service.status["parts"].values()]
    with service.held_in_the_middle(job_id):
        started = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        service.hear("stopping", "worker")
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
    until(lambda: service.states_of_runs(job_id) == ["CRASHED", "COMPLETED"])
    assert {
        made["name"]: made["paused"] for made in service.prefect("deployments/filter", {})
    } == dict.fromkeys(["ad-hoc", "scheduled", "dropped", "daily"], False)


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
