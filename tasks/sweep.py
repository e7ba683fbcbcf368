"""Takes files and folders of the home away, or only counts them, and remembers what it did."""

import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from stat import S_ISREG

LOGGER = logging.getLogger("lading.purge")


@dataclass(frozen=True)
class Purged:
    """What was removed, or would be.

    Attributes:
        jobs: so many lost what became of each row.
        errors: so many jobs lost their errors.
        uploads, stages, reports, leftovers: so many of each were removed from the disk.
        files, size_bytes: of these together.
        unfinished: jobs that have had their time but are not terminal, and keep everything.
        stuck: paths that could not be removed.
    """

    dry_run: bool
    jobs: int
    errors: int
    uploads: int
    stages: int
    reports: int
    leftovers: int
    files: int
    size_bytes: int
    unfinished: int
    stuck: list[str]


class Sweep:
    """What one purge takes away from the disk.

    Args:
        now: files and folders are as old as this makes them.
        dry_run: count only.
    """

    def __init__(self, now: datetime, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._now = now
        self._taken: Counter[str] = Counter()
        self._files = self._size_bytes = 0
        self._stuck: list[str] = []

    def take(self, kind: str, path: Path) -> bool:
        """Take the file or folder away, if it is there; false when it would not go.

        Args:
            kind: `upload`, `stage`, `report` or `leftover`.
        """
        if not path.exists():
            return True
        sizes = [found.st_size for found in _looked_at(path) if S_ISREG(found.st_mode)]
        if not self.dry_run and not self._is_removed(path):
            return False
        self._taken[kind] += 1
        self._files += len(sizes)
        self._size_bytes += sum(sizes)
        return True

    def is_older(self, path: Path, days: float) -> bool:
        """True when nothing in it was changed for so many days."""
        newest = max((found.st_mtime for found in _looked_at(path)), default=0.0)
        return datetime.fromtimestamp(newest, UTC) <= self._now - timedelta(days=days)

    def purged(self, *, jobs: int, errors: int, unfinished: int) -> Purged:
        """All that was taken away, with what was forgotten in the store."""
        return Purged(
            dry_run=self.dry_run,
            jobs=jobs,
            errors=errors,
            uploads=self._taken["upload"],
            stages=self._taken["stage"],
            reports=self._taken["report"],
            leftovers=self._taken["leftover"],
            files=self._files,
            size_bytes=self._size_bytes,
            unfinished=unfinished,
            stuck=self._stuck,
        )

    def _is_removed(self, path: Path) -> bool:
        try:
            _remove(path)
        except OSError as error:
            if path.exists():  # else somebody else removed it at the same time
                LOGGER.warning("%s could not be removed: %s", path, error.strerror or error)
                self._stuck.append(str(path))
                return False
        return True


def entries(folder: Path) -> list[Path]:
    """What lies in the folder, in order of name; nothing where it is not there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(folder.iterdir())
    return []


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _looked_at(path: Path) -> Iterator[os.stat_result]:
    """What the file system says of the path and of all below it that is not gone meanwhile."""
    # Other than `Path.rglob`, this bears that a folder goes while it is being listed.
    below = (Path(folder, name) for folder, *names in os.walk(path) for name in chain(*names))
    for found in chain([path], below):
        with suppress(FileNotFoundError):
            yield found.lstat()
