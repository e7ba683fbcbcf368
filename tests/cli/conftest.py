import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main


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
def lading_process(folder):
    """Runs any command in a process of its own, without a terminal."""

    def run(*arguments: str, **environment: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=folder,
            env=_clean_environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def _clean_environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LADING_"))}
    return ours | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "COLUMNS": "200"}
