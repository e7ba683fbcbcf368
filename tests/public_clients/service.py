"""A `lading serve` over a new home, with a tenant that has a key and two databases."""

import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TENANT = "acme"
SCOPES = ("imports:create", "imports:read", "definitions:write", "connections:write")
_START_SECONDS = 120


@dataclass(frozen=True)
class Service:
    """The service as the tenant sees it.

    Attributes:
        connections: ids of those that lead to its own database, and to another one.
    """

    url: str
    home: Path
    token: str
    connections: tuple[str, str]

    def rows(self, table: str) -> list[tuple]:
        """The records of a table of the tenant's own database."""
        with closing(sqlite3.connect(self.home / "data" / f"{TENANT}.db")) as database:
            return database.execute(f'SELECT id, name, qty FROM "{table}" ORDER BY id').fetchall()


@contextmanager
def running_service(scratch: Path) -> Iterator[Service]:
    """The service, until the end of the block."""
    home = scratch / "home"
    ours = ("LADING_", "PREFECT_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"LADING_HOME": str(home), "LADING_PORT": "0", "LADING_PREFECT_PORT": "0"}

    def lading(*told: str) -> str:
        command = [str(Path(sys.executable).with_name("lading")), *told]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    token = json.loads(lading("keys", "create", "--tenant", TENANT, *scopes, "--json"))["token"]
    lading("databases", "add", "other", "--url", f"sqlite:///{scratch}/other.db", "--grant", TENANT)
    with (scratch / "serve.log").open("w") as log:
        command = [str(Path(sys.executable).with_name("lading")), "serve"]
        serving = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        url = _address(serving, lading, scratch / "serve.log")
        yield Service(url, home, token, _connections(url, token))
    finally:
        serving.terminate()
        serving.wait(60)


def _address(serving: subprocess.Popen, lading, log: Path) -> str:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and serving.poll() is None:
        with suppress(subprocess.CalledProcessError, OSError, KeyError):
            url = json.loads(lading("status", "--json"))["api"]
            with urllib.request.urlopen(f"{url}/health", timeout=10):
                return url
        time.sleep(0.5)
    raise RuntimeError(f"lading serve does not answer: {log.read_text()[-2000:]}")


def _connections(url: str, token: str) -> tuple[str, str]:
    asked = urllib.request.Request(
        f"{url}/integrator/v1/connections", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        first, second = json.load(answer)[:2]
    return first["_id"], second["_id"]
