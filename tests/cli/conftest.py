import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main
from schemas.settings import Settings
from tests.cli.running_service import RunningService


@dataclass(frozen=True)
class Said:
    """What a command left: its exit status, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON value on standard output."""
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path):
    """The empty folder that commands run in."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.fixture
def lading(folder, monkeypatch, capsys):
    """Runs a command that imports nothing, in this process and in `folder`."""
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["lading", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def start_lading(folder):
    """Starts a command in a process of its own that commits often; gives the process."""
    # A shell starts what it runs in the background with Ctrl-C ignored, and a child inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    children = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli.start", *map(str, arguments)],
            cwd=folder,
            env=clean_environment() | {"LADING_COMMIT_ROWS": "1000", "LADING_SEGMENT_ROWS": "10000"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    signal.signal(signal.SIGINT, before)
    for child in children:
        child.kill()
        child.communicate()


@pytest.fixture
def home(folder):
    """The settings of the home that commands in `folder` make."""
    return Settings(home=folder / ".lading")


@pytest.fixture
def lading_process(folder):
    """Runs any command in a process of its own, without a terminal."""

    def run(*arguments: str, **environment: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "cli.start", *map(str, arguments)],
            cwd=folder,
            env=clean_environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            umask=0o022,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def clean_environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LADING_"))}
    return ours | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "COLUMNS": "200"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service that is up, one for all tests of a file."""
    service = RunningService(tmp_path_factory.mktemp("service"))
    service.start()
    yield service
    service.close()
