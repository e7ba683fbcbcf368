import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each pinned requirement of the lock, with its hashes."""
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    split = [line.split("--hash=") for line in lines]
    return [(Requirement(pinned), [text.strip() for text in hashes]) for pinned, *hashes in split]


def pins(lock: str) -> dict[str, set[str]]:
    """The versions that the lock holds of each package; several where platforms differ."""
    versions: dict[str, set[str]] = {}
    for requirement, _ in entries(lock):
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        versions.setdefault(requirement.name, set()).add(specifier.version)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_has_hashes(lock):
    assert all(hashes for _, hashes in entries(lock))
    assert all(text.startswith("sha256:") for _, hashes in entries(lock) for text in hashes)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_of_an_index_is_named(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_satisfies_what_the_project_declares(lock):
    groups = PROJECT["dependency-groups"]
    declared = [*PROJECT["project"]["dependencies"], *groups["build"]]
    declared += groups["dev"] if "dev" in lock else []
    locked = pins(lock)
    for requirement in map(Requirement, declared):
        assert all(requirement.specifier.contains(version) for version in locked[requirement.name]), requirement


def test_fastapi_is_one_that_prefects_client_can_talk_to():
    (fastapi,) = (Requirement(d) for d in PROJECT["project"]["dependencies"] if d.startswith("fastapi"))
    assert not fastapi.specifier.contains("0.151.0")


def test_tests_run_with_the_versions_that_users_get():
    run, dev = map(pins, LOCKS)
    assert {name: dev.get(name) for name in run} == run
