"""The limits of the process that reads a file, as the system is asked to hold it to them."""

import contextlib
import platform
import resource
from pathlib import Path

from schemas.errors import FileRefusedError
from schemas.limits import Limits


def enforce(limits: Limits) -> None:
    """Have the system stop this process at its limits, counted from now on; may be called again.

    The time on the clock is watched by who started the process.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds_so_far = int(used.ru_utime + used.ru_stime)
    _lower(resource.RLIMIT_CPU, seconds_so_far + limits.cpu_seconds)
    if _memory_is_limited():
        _lower(resource.RLIMIT_DATA, limits.memory_bytes)
    _lower(resource.RLIMIT_CORE, 0)


def peak_bytes() -> int:
    """The most memory that this process ever had at one time."""
    if platform.system() == "Linux":
        # What getrusage says there counts the process that started this one, too.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _lower(limit: int, most: int) -> None:
    """Set the soft limit, which may be raised again; a lower one of the system's own holds instead."""
    _, hard = resource.getrlimit(limit)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (allowed, hard))


def unenforced() -> list[str]:
    """Sentences for people on the limits that this system does not enforce."""
    if _memory_is_limited():
        return []
    return ["this system does not stop a process at LADING_MEMORY_LIMIT_BYTES; it is only estimated beforehand"]


def out_of_memory(limits: Limits) -> FileRefusedError:
    """What a file is refused with that can't be read in the memory allowed."""
    allowed = f"{limits.memory_bytes // 2**20:,} MiB"
    return FileRefusedError(
        "file.memory_limit",
        f"reading the file takes more than the {allowed} of memory that LADING_MEMORY_LIMIT_BYTES allows",
    )


def _memory_is_limited() -> bool:
    # macOS takes the limit and does not keep it.
    return platform.system() == "Linux"
