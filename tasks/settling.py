"""Moves a dropped file to where it stays when its job has ended, with what is wrong with it beside."""

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from schemas.drop import DONE_FOLDER, FAILED_FOLDER, DropState
from schemas.errors import NotFoundError
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.drops import end_drop, get_drop
from store.jobs import get_job
from store.pages import list_errors
from store.source_tables import Drop
from store.tables import Job
from tasks.claiming import claimed_file
from tasks.failed_rows import failed_rows_path
from tasks.summary import summary_markdown

LOGGER = logging.getLogger("lading.drops")
REASONS, FAILED_ROWS = ".reasons.md", ".failed-rows"
"""What follows the name of the dropped file in the names of what lies beside it."""
_DRAFTS = ".beside"
_NAME_BYTES = 200
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def settle(settings: Settings, store: Store, drop: Drop) -> None:
    """Move the file to `done` or `failed`, never over another one; nothing where somebody else is at it.

    Wherever this is interrupted it can be done again.

    Raises:
        OSError: the folders don't let us.
    """
    with _alone(Path(drop.path)) as is_ours:
        if is_ours:
            _settle(settings, store, drop.id)


def _settle(settings: Settings, store: Store, drop_id: str) -> None:
    with store.read() as session:
        drop = get_drop(session, drop_id)
        job = None if drop.job_id is None else get_job(session, drop.job_id)
    if drop.ended_at is not None:
        return
    is_done = job is not None and job.state is JobState.FINISHED
    target = Path(drop.folder) / (DONE_FOLDER if is_done else FAILED_FOLDER)
    with suppress(NotFoundError):  # somebody took it away: so be it
        file = claimed_file(drop)
        target.mkdir(exist_ok=True)
        _move(file, target, drop.id, _drafts(settings, store, drop, job))
    with store.write() as session:
        end_drop(session, drop.id, DropState.DONE if is_done else DropState.FAILED)
    shutil.rmtree(drop.path, ignore_errors=True)
    LOGGER.info("%s: %r is in %s now", drop.folder, drop.file_name, target.name)


@contextmanager
def _alone(claim: Path) -> Iterator[bool]:
    """Whether we are the only one who moves what is in the folder; also where there is nothing left of it."""
    try:
        folder = os.open(claim, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield True
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(folder)


def _drafts(settings: Settings, store: Store, drop: Drop, job: Job | None) -> Mapping[str, Path]:
    """What is to lie beside the file: what follows its name there → where it lies now.

    A draft that is there already stays, so that it is known again at the target.
    """
    if job is not None and job.state is JobState.FINISHED and not job.failed:
        return {}
    folder = Path(drop.path) / _DRAFTS
    folder.mkdir(exist_ok=True)
    reasons = _reasons(store, drop, job)
    drafts = {REASONS: _draft(folder / REASONS, lambda path: path.write_text(reasons, errors="replace"))}
    rows = None if job is None else failed_rows_path(settings, job)
    if rows is not None and rows.exists():
        drafts[f"{FAILED_ROWS}{rows.suffix}"] = _draft(folder / rows.name, partial(shutil.copyfile, rows))
    return drafts


def _draft(path: Path, write: Callable[[Path], object]) -> Path:
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.part")
        write(unfinished)
        unfinished.replace(path)
    return path


def _reasons(store: Store, drop: Drop, job: Job | None) -> str:
    if job is None:
        return f"# {drop.file_name}: refused\n\n{drop.reason}\n"
    with store.read() as session:
        return summary_markdown(job, drop.file_name, list_errors(session, job.id), None) + "\n"


def _move(file: Path, target: Path, drop_id: str, drafts: Mapping[str, Path]) -> None:
    """Move what belongs beside the file, then the file; where its name is taken, under one of its own."""
    stem, suffix = _short(file)
    for name in (f"{stem}{suffix}", f"{stem}.{drop_id[:8]}{suffix}", f"{drop_id}{suffix}"):
        moves = {target / f"{name}{after}": draft for after, draft in drafts.items()} | {target / name: file}
        if all(_is_free_for(path, moved) for path, moved in moves.items()):
            break
    for path, moved in moves.items():
        _put(moved, path)


def _is_free_for(path: Path, moved: Path) -> bool:
    return not os.path.lexists(path) or (path.exists() and path.samefile(moved))


def _put(moved: Path, path: Path) -> None:
    """Give the file its name at the target; that is a second name for now, where the file system has such."""
    try:
        os.link(moved, path)
    except FileExistsError:
        if not path.samefile(moved):
            raise  # the next try takes another name
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        moved.rename(path)


def _short(file: Path) -> tuple[str, str]:
    """Stem and suffix of a name that has room for what follows it."""
    suffix = file.suffix if len(os.fsencode(file.suffix)) < _NAME_BYTES // 4 else ""
    stem = os.fsencode(file.name.removesuffix(suffix))
    return os.fsdecode(stem[:_NAME_BYTES]) if len(stem) > _NAME_BYTES else os.fsdecode(stem), suffix
