import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOMEBODYS_PATH = re.compile(r"(?<![\w./-])/(?:home|Users|root|work)/\w")


def tracked_files() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def make(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_no_file_names_a_path_of_somebodys_machine():
    texts = {path: path.read_bytes().decode(errors="replace") for path in tracked_files()}
    assert [str(path) for path, text in texts.items() if SOMEBODYS_PATH.search(text)] == []


def test_every_room_is_packaged_typed_and_under_contract():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert {name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]} == rooms
    assert set(PROJECT["tool"]["mypy"]["packages"]) == rooms
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == rooms


def test_help_names_every_command():
    (phony,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^make (\S+) ", make("help").stdout, re.MULTILINE) == phony.split()


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (3, 0), (1, 2), (2, 2), (4, 2)])
def test_run_takes_failed_rows_for_success_and_nothing_else(tmp_path, status, expected):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "deployments").mkdir()
    for name in ("requirements.lock", "pyproject.toml", "deployments/install.py"):
        (tmp_path / name).touch()
    lading = tmp_path / ".venv" / "bin" / "lading"
    lading.parent.mkdir(parents=True)
    lading.write_text(f"#!/bin/sh\nexit {status}\n")
    lading.chmod(0o755)
    (tmp_path / ".venv" / "requirements.lock.installed").touch()
    done = make("run", folder=tmp_path)
    assert done.returncode == expected
    assert ("some rows failed" in done.stdout) == (status == 3)


@pytest.fixture(scope="module")
def install():
    spec = importlib.util.spec_from_file_location("install", ROOT / "deployments" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_same_pythons_are_named_everywhere(install):
    oldest, newest = install.OLDEST, install.NEWEST
    assert PROJECT["project"]["requires-python"] == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    assert f"{oldest} <= sys.version_info[:2] <= {newest}" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_other_pythons_are_refused_by_name(install, version):
    with pytest.raises(install.InstallError, match=rf"this is 3\.{version[1]}"):
        install.refuse_other_pythons(version)


@pytest.mark.slow
def test_install_that_fails_quotes_pip_and_leaves_no_stamp(tmp_path):
    (tmp_path / "deployments").mkdir()
    shutil.copy(ROOT / "deployments" / "install.py", tmp_path / "deployments")
    (tmp_path / "some.lock").write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    done = subprocess.run(
        [sys.executable, "deployments/install.py", "some.lock"],
        cwd=tmp_path,
        env=os.environ | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No matching distribution found for no-such-package==1" in done.stderr
    assert not list((tmp_path / ".venv").glob("*.installed"))
