"""Seconds and memory of a command in a fresh process, its children included."""

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_SECONDS = 0.03
MIB = 1024 * 1024
KIND = "PSS" if psutil.LINUX else "RSS"
"""What is summed: pages that several processes share count once on Linux, and once for each elsewhere."""


class BenchmarkError(Exception):
    """A command that was to be measured failed, or can't be run here."""


@dataclass(frozen=True)
class Measured:
    """One run of one command.

    Attributes:
        seconds: from its start to its end, on the clock.
        cpu_seconds: that the processors worked for it, in user and system mode; less disturbed by what else
            the machine does, but blind to waiting.
        peak_mib: the largest sum of `KIND` over the process and its children, of all samples.
        bound_mib: the sum of what each of those processes took at most (RSS), whenever that was; no true
            peak is above it.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    bound_mib: float


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run the command in the checkout and wait for its end.

    Args:
        environment: variables beside those of this process.

    Raises:
        BenchmarkError: its exit status was not 0; the message quotes the end of what it said.
    """
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), variables.get("PYTHONPATH")]))
    os.sync()  # nobody pays for what the one before left in the cache
    with tempfile.TemporaryFile() as said:
        started, worked = time.perf_counter(), _cpu_seconds()
        with subprocess.Popen(
            command, cwd=ROOT, env=variables | dict(environment or {}), stdout=said, stderr=subprocess.STDOUT
        ) as child:
            memory = _Memory(child.pid)
            memory.start()
            status = child.wait()
            seconds = time.perf_counter() - started
            memory.stop()
        cpu_seconds = _cpu_seconds() - worked
        if status:
            said.seek(0)
            last = said.read().decode(errors="replace").strip()[-500:]
            raise BenchmarkError(f"{' '.join(command)[:200]} ended with {status}: {last}")
    return Measured(seconds, cpu_seconds, memory.peak_bytes / MIB, sum(memory.most_bytes.values()) / MIB)


class _Memory(threading.Thread):
    """Samples the memory of a process and all its children until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.most_bytes: dict[int, int] = {}
        self._pid = pid
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            parent = psutil.Process(self._pid)
        except psutil.NoSuchProcess:
            return
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(map(self._sample, _family(parent))))

    def stop(self) -> None:
        """End sampling; the figures are whole afterwards."""
        self._stopped.set()
        self.join()

    def _sample(self, process: psutil.Process) -> int:
        try:
            resident = _most_resident(process)
            self.most_bytes[process.pid] = max(self.most_bytes.get(process.pid, 0), resident)
            return int(process.memory_full_info().pss) if KIND == "PSS" else resident
        except psutil.Error:
            return 0


def _cpu_seconds() -> float:
    """Of all children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _most_resident(process: psutil.Process) -> int:
    """The most that the process took so far where the kernel remembers it, else what it takes now; bytes."""
    status = Path(f"/proc/{process.pid}/status")
    if psutil.LINUX and status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)
