"""Takes the code of a client at its commit out of a git directory, into a folder of its own."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Protocol


class Pinned(Protocol):
    """A client: its repository, the commit, and the part of it that is needed (all where it is empty)."""

    name: str
    commit: str
    part: str


class CheckoutError(Exception):
    """No repository in the folder has the commit."""


def checked_out(folder: Path, client: type[Pinned], scratch: Path) -> Path:
    """The folder with the client's code, just as its commit has it."""
    wanted = [client.commit, client.part] if client.part else [client.commit]
    for repository in (folder, *sorted(folder.glob("*/")), *sorted(folder.glob("*/*/"))):
        archive = subprocess.run(
            ["git", "-C", str(repository), "archive", "--format=tar", *wanted], capture_output=True, check=False
        )
        if archive.returncode == 0:
            into = scratch / client.name.replace("/", "+")
            with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
                tar.extractall(into, filter="data")
            return into / client.part
    raise CheckoutError(f"no git directory in {folder} has the commit {client.commit} of {client.name}")
