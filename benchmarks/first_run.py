"""How long a newcomer waits: `make run` in a clean clone, from empty and again, and its longest silence.

`python benchmarks/first_run.py [PYTHON]`; needs git, make and, for the first run, a network or pip's cache.
"""

import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def timed(folder: Path, python: str) -> tuple[int, float, float, bool]:
    """Exit status, seconds, longest seconds between two lines, and whether a line said ERROR."""
    started = last = time.monotonic()
    silence, said_error = 0.0, False
    command = ["make", "run", f"PYTHON={python}"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        for line in run.stdout or ():
            now = time.monotonic()
            silence, last = max(silence, now - last), now
            said_error = said_error or "ERROR" in line
    ended = time.monotonic()
    return run.returncode, ended - started, max(silence, ended - last), said_error


def main() -> None:
    """Print a line for each of the two runs."""
    python = sys.argv[1] if len(sys.argv) > 1 else "python3"
    print(f"{platform.platform()}, {python}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "lading"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        for name in ("from empty", "again"):
            status, seconds, silence, said_error = timed(folder, python)
            error = ", a line said ERROR" if said_error else ""
            print(f"{name:<11} status {status}, {seconds:5.1f} s, longest silence {silence:.1f} s{error}")


if __name__ == "__main__":
    main()
