"""Makes `.venv` and installs a lock into it, saying every two seconds how far it is.

Run by the Makefile; needs nothing but Python and pip. Only what the lock names is fetched, as wheels whose
hashes match it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
SAY_SECONDS = 2
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = VENV / "install.log"


class InstallError(Exception):
    """The environment could not be made; the message says what to do."""


def refuse_other_pythons(version: tuple[int, int]) -> None:
    """Stop where the lock holds nothing for this Python."""
    if not OLDEST <= version <= NEWEST:
        raise InstallError(
            f"Lading runs on Python 3.11, 3.12 and 3.13, and this is {version[0]}.{version[1]}.\n"
            "Name one of these, for example: make run PYTHON=python3.12"
        )


def stamp_of(lock: Path) -> Path:
    """The file that says: this lock is installed, whole."""
    return VENV / f"{lock.name}.installed"


def make_venv() -> None:
    """Make `.venv`, anew where an earlier install did not come to its end."""
    if any(VENV.glob("*.installed")):
        return
    print("making .venv", flush=True)
    has_pip = importlib.util.find_spec("pip") is not None
    try:
        venv.create(VENV, clear=True, symlinks=True, with_pip=not has_pip)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallError(f"Python could not make .venv: {error}\nIs its pip installed?") from error


def pip_command() -> list[str]:
    """Pip for `.venv`: the one of this Python, which saves a copy; else the one that `.venv` came with."""
    inside = str(VENV / "bin" / "python")
    if (VENV / "bin" / "pip").exists():
        return [inside, "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", inside]


def progress(total: int) -> str:
    """How far pip is with the lock's `total` lines, read from its log and from what lies in `.venv` by now."""
    log = LOG.read_text(errors="replace")
    total -= log.count("Ignoring ")
    here = sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))
    if "Installing collected packages" in log:
        return f"installing  {min(here, total)} of {total} packages"
    return f"fetching  {log.count('Collecting ') + log.count('already satisfied')} of {total} packages"


def wait(child: subprocess.Popen[bytes], doing: Callable[[], str]) -> None:
    """Wait for the child's end; at once and every two seconds say what it is doing."""
    started = time.monotonic()
    try:
        while child.poll() is None:
            print(f"{doing()}  ({time.monotonic() - started:.0f} s)", flush=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(SAY_SECONDS)
    except BaseException:
        child.terminate()
        child.wait()
        raise


def run(doing: Callable[[], str], *command: str) -> None:
    """Run a command to its end; its own words go to the log, and into the error where it fails."""
    with LOG.open("w") as log:
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        wait(child, doing)
    if child.returncode:
        raise InstallError(
            f"{LOG.read_text(errors='replace')}\n"
            f"This failed with status {child.returncode}; its own words are above. "
            "Is the network at fault, set HTTPS_PROXY, or pip's index. The next make starts afresh."
        )


def install(lock: Path) -> None:
    """Bring `.venv` to what `lock` says, and the project itself into it, editable."""
    started = time.monotonic()
    make_venv()
    for old in VENV.glob("*.installed"):
        old.unlink()
    total = sum("==" in line for line in lock.read_text().splitlines())
    # No resolver, which the lock spares us; no compiling of what is never used: a third of the time each.
    pip = [*pip_command(), "install", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-compile"]
    run(lambda: progress(total), *pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock))
    run(lambda: "installing  Lading itself", *pip, "--no-build-isolation", "-e", ".")
    run(lambda: "starting Lading for the first time", str(VENV / "bin" / "lading"), "--help")
    stamp_of(ROOT / "requirements.lock").touch()
    stamp_of(lock).touch()
    print(f"installed {lock.name} in {time.monotonic() - started:.0f} s", flush=True)


def main() -> int:
    """Install the lock that the command line names; 0, or 1 after saying why not."""
    try:
        refuse_other_pythons(sys.version_info[:2])
        install(ROOT / sys.argv[1])
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next make starts afresh", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
