"""One real Prefect server for all tests of flows; and a stranger's Prefect set-up, which must never be used."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from flows.prefect_server import prefect_server
from schemas.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 100


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect API in a home of its own, which flows called in the test use."""
    before = dict(os.environ)
    with prefect_server(Settings(home=tmp_path_factory.mktemp("prefect") / ".lading"), print) as url:
        yield url
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator["Stranger"]:
    with Stranger(tmp_path) as stranger:
        yield stranger


class Stranger:
    """A server that somebody else's Prefect set-up names, and processes that run amid that set-up."""

    def __init__(self, tmp_path: Path) -> None:
        self.visits = 0
        self.person, self.folder = tmp_path / "person", tmp_path / "folder"
        self.person.mkdir()
        self.folder.mkdir()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"
        self.url = f"http://{self.address}/api"
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.person), "PYTHONPATH": path}

    def __enter__(self) -> Self:
        threading.Thread(target=self._count_visits, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _count_visits(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._door.accept()[0].close()
                self.visits += 1

    def lurk_in(self, where: str) -> None:
        """Name the stranger's server in one of the places where Prefect looks for settings."""
        profiles = f'active = "stranger"\n[profiles.stranger]\nPREFECT_API_URL = "{self.url}"\n'
        database = f"postgresql+asyncpg://stranger@{self.address}/stranger"
        match where:
            case "environment":
                self.environment |= {
                    "PREFECT_API_URL": self.url,
                    "PREFECT_API_KEY": "stranger",
                    "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-Who": "stranger"}',
                    "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
                    "PREFECT_LOGGING_ROOT_LEVEL": "stranger",
                }
            case "lower case":
                self.environment |= {"prefect_api_url": self.url, "prefect_api_auth_string": "stranger"}
            case "profiles path":
                (self.person / "elsewhere.toml").write_text(profiles)
                self.environment |= {"PREFECT_PROFILES_PATH": str(self.person / "elsewhere.toml")}
            case "profile at home":
                (self.person / ".prefect").mkdir()
                (self.person / ".prefect" / "profiles.toml").write_text(profiles)
            case ".env":
                self._write(
                    where, f"PREFECT_API_URL={self.url}\nPREFECT_SERVER_DATABASE_CONNECTION_URL={database}"
                )
            case "prefect.toml":
                self._write(where, f'[api]\nurl = "{self.url}"\nkey = "stranger"\n')
            case "pyproject.toml":
                self._write(where, f'[tool.prefect.api]\nurl = "{self.url}"\nkey = "stranger"\n')
            case "proxy":
                proxy = f"http://{self.address}"
                self.environment |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "WS_PROXY": proxy}

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def start(self, *code: str) -> subprocess.Popen[str]:
        """A Python process that runs `code` in the stranger's folder and says everything on one pipe."""
        return subprocess.Popen(
            [sys.executable, "-c", "\n".join(code)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *code: str) -> str:
        """All that a process running `code` says until its end."""
        with self.start(*code) as process:
            return process.communicate(timeout=RUN_SECONDS)[0]
