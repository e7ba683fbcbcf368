"""Leases: at most one worker at a time works on a job, and a dead one does not hold it for long."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import getnode

import psutil
from sqlalchemy import func, select
from sqlmodel import Session

from schemas.clock import utc_now
from schemas.errors import ConflictError, LadingError, LeaseLostError
from schemas.settings import Settings
from store.backend import is_postgres
from store.database import Store
from store.jobs import locked_job, set_values
from store.tables import Job


def this_process() -> dict[str, Any]:
    """Who we are, so that others on this machine can tell whether we still live."""
    host, pid = socket.gethostname(), os.getpid()
    return {"host": host, "machine": _this_machine(), "pid": pid, "started": _started(pid)}


def is_free(session: Session, job: Job) -> bool:
    """True when nobody works on the job: no lease, or one that ran out, or a local holder that is gone."""
    owner = job.lease_owner
    if owner is None or job.lease_expires_at is None or job.lease_expires_at <= lease_clock(session):
        return True
    return owner.get("machine") == _this_machine() and not _lives(owner)


def lease_clock(session: Session) -> datetime:
    """The time by which leases are given and run out, one for all workers.

    PostgreSQL's own, because each worker's machine may have another; with SQLite all are on one machine.
    """
    if is_postgres(session):
        now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)
    return utc_now()


def take_lease(session: Session, job_id: str, lease_seconds: float) -> int:
    """Become the one who works on the job; gives the epoch, higher than every earlier one.

    Raises:
        ConflictError: somebody else works on it.
    """
    job = locked_job(session, job_id)
    if not is_free(session, job):
        owner = job.lease_owner or {}
        raise ConflictError(
            f"job {job_id} is being worked on by process {owner.get('pid')} of {owner.get('host')}"
        )
    epoch = job.lease_epoch + 1
    set_values(
        session,
        job_id,
        epoch=job.lease_epoch,
        lease_epoch=epoch,
        lease_owner=this_process(),
        lease_expires_at=lease_clock(session) + timedelta(seconds=lease_seconds),
    )
    return epoch


@contextmanager
def held_lease(store: Store, settings: Settings, job_id: str) -> Iterator[int]:
    """Hold the job's lease, renewed by a timer, for as long as the block runs; gives the epoch.

    A lease that was lost shows when the next write under its epoch is refused.
    """
    with store.write() as session:
        epoch = take_lease(session, job_id, settings.lease_seconds)
    try:
        with renewed_lease(store, settings, job_id, epoch):
            yield epoch
    finally:
        release_lease(store, job_id, epoch)


@contextmanager
def renewed_lease(store: Store, settings: Settings, job_id: str, epoch: int) -> Iterator[None]:
    """Renew a lease that is held, for as long as the block runs; it is the caller's to give back."""
    done = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(store, settings.lease_seconds, job_id, epoch, done), daemon=True, name="lease"
    )
    renewing.start()
    try:
        yield
    finally:
        done.set()
        renewing.join()


def new_lease(session: Session, lease_seconds: float) -> dict[str, Any]:
    """The columns of a job that this process holds from its first moment on, under the epoch 1."""
    expires_at = lease_clock(session) + timedelta(seconds=lease_seconds)
    return {"lease_epoch": 1, "lease_owner": this_process(), "lease_expires_at": expires_at}


def _renew(store: Store, lease_seconds: float, job_id: str, epoch: int, done: threading.Event) -> None:
    while not done.wait(lease_seconds / 3):
        try:
            with store.write() as session:
                expires_at = lease_clock(session) + timedelta(seconds=lease_seconds)
                set_values(session, job_id, epoch=epoch, lease_expires_at=expires_at)
        except LeaseLostError:
            return
        except LadingError:
            continue


def release_lease(store: Store, job_id: str, epoch: int) -> None:
    """Let others work on the job; nothing where somebody took the lease since."""
    try:
        with store.write() as session:
            set_values(session, job_id, epoch=epoch, lease_owner=None, lease_expires_at=None)
    except LeaseLostError:
        return


@cache
def _this_machine() -> str:
    """What tells this machine from others, those of the same name and containers of its own included.

    Only there does a process number say whether somebody still lives. After a restart of the machine it is
    another, and a lease from before runs out by itself.
    """
    try:
        return f"{_BOOT_ID.read_text().strip()}:{_PROCESSES.readlink()}"
    except OSError:
        return f"{socket.gethostname()}:{getnode():x}"


def _lives(owner: dict[str, Any]) -> bool:
    try:
        started: str = owner["started"]
        return _started(owner["pid"]) == started
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _started(pid: int) -> str:
    """What tells the process from others that had its number, and does not move when the clock is set.

    Raises:
        psutil.NoSuchProcess: it is gone.
    """
    if not _BOOT_ID.exists():
        return str(psutil.Process(pid).create_time())
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return f"{_BOOT_ID.read_text().strip()}:{after_name[_START_TICKS]}"


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")
"""Names the set of processes that see each other; each container has its own."""
_START_TICKS = 19
"""Place of `starttime` (ticks since boot) among the fields after the name, proc(5)."""
