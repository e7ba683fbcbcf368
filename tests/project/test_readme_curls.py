import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PRINTED_AT = "http://127.0.0.1:8642"
JOBS = """
curl -sS -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8642/jobs
"""
WAIT = """
until [ "$(curl -sS -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8642/jobs/$JOB \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["reported_at"] is not None)')" = True ]
do sleep 0.2; done
"""


def blocks(heading):
    """The shell scripts of one section of the README."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def lading(tmp_path):
    """Runs the command in a home of its own, which other processes find in the environment."""
    ours = ("LADING_", "PREFECT_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"LADING_HOME": str(tmp_path / "home"), "LADING_PREFECT_PORT": "0", "LADING_PORT": "0"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}

    def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **options)

    run.environment = environment
    return run


@pytest.fixture
def api(lading, tmp_path):
    """The address of a running service whose work can run."""
    with (tmp_path / "serve.log").open("w") as log:
        serving = subprocess.Popen(["lading", "serve"], env=lading.environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 100
        while time.monotonic() < until:
            said = lading("lading", "status", "--json")
            address = json.loads(said.stdout)["api"] if said.returncode == 0 else None
            if address and lading("curl", "-fsS", f"{address}/health").returncode == 0:
                break
            assert serving.poll() is None, (tmp_path / "serve.log").read_text()
            time.sleep(0.5)
        yield address
    finally:
        serving.terminate()
        serving.wait(30)


@pytest.fixture
def as_printed(lading, api, tmp_path):
    """Runs a script of the README against the service; fails where a line fails. Gives what it printed."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")

    def run(script):
        whole = f"set -euo pipefail\n{script}".replace(PRINTED_AT, api)
        failing = whole.replace("curl -sS", "curl -sS --fail-with-body")
        ran = lading("bash", "-c", failing, cwd=tmp_path, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_curl_of_the_status_api_works_as_printed(as_printed, tmp_path):
    first, second = blocks("Over HTTP")
    printed = as_printed(f"{first}{WAIT}{second}")
    assert '"code":"type.date"' in printed
    assert '"outcome":"failed"' in printed
    assert (tmp_path / "failed-rows.csv").read_text("utf-8-sig").count("\n") == 4
    assert (tmp_path / "earthquakes.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_curl_of_the_vendors_works_as_printed(as_printed):
    (script,) = blocks("Vendors' import APIs")
    printed = as_printed(script + JOBS)
    vendors = ('"importId"', '"queueBatchDetails"', '"import_id"', '"jobId"')
    for answered in (*vendors, '"statusCode":200', '"statusCode":422'):
        assert answered in printed
    jobs = json.loads(printed[printed.rindex('{"jobs"') :])["jobs"]
    assert {job["definition"] for job in jobs} == {"things", "starmind-tags", "people"}
    assert len(jobs) == 5


def test_every_curl_of_the_readme_is_in_the_parts_that_are_run():
    run = [*blocks("Over HTTP"), *blocks("Vendors' import APIs")]
    assert len(run) == 3
    assert README.count("curl -") == sum(block.count("curl -") for block in run)
