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
SECTION = (ROOT / "README.md").read_text().split("## Over HTTP\n")[1].split("\n## ")[0]
PRINTED_AT = "http://127.0.0.1:8642"
WAIT = """
until [ "$(curl -sS -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8642/jobs/$JOB \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["reported_at"] is not None)')" = True ]
do sleep 0.2; done
"""


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


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_curl_of_the_readme_works_as_printed(lading, api, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    first, second = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    script = f"set -euo pipefail\n{first}{WAIT}{second}".replace(PRINTED_AT, api)
    failing = script.replace("curl -sS", "curl -sS --fail-with-body")
    ran = lading("bash", "-c", failing, cwd=tmp_path, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"code":"type.date"' in ran.stdout
    assert '"outcome":"failed"' in ran.stdout
    assert (tmp_path / "failed-rows.csv").read_text("utf-8-sig").count("\n") == 4
    assert (tmp_path / "earthquakes.xlsx").read_bytes().startswith(b"PK")


def test_every_curl_of_the_readme_is_in_the_part_that_is_run():
    blocks = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    everywhere = (ROOT / "README.md").read_text()
    assert len(blocks) == 2
    assert everywhere.count("curl -") == sum(block.count("curl -") for block in blocks)
