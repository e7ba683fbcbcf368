"""Which files of a folder are whole: nobody writes on them any more, as far as can be told from outside."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

_UNFINISHED_PREFIXES = (".", "~$")
_UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download")
"""How browsers, office programs and clients of FTP and SFTP call what is not finished."""

Content = tuple[int, int, int]
"""Inode, size in bytes and when the bytes were changed (ns): what stays when a file gets another name."""


@dataclass(frozen=True)
class FoundFile:
    """A file as it was when it was found to be whole."""

    path: Path
    content: Content
    size_bytes: int


@dataclass(frozen=True)
class _Look:
    """What the file system said of a file, and since when it has said just that."""

    stat: tuple[int, ...]
    since: float


class WholeFiles:
    """Remembers what it saw of folders, so that it knows what does not change any more.

    A file is whole when nothing about it changed for `stable_seconds`, or when it lay there under a name of
    something unfinished, just as it is, and was given another name; and nobody has it open for writing, where
    the system tells. Time is measured here: the clock of a file server counts for nothing.
    """

    def __init__(self, stable_seconds: float) -> None:
        self._stable_seconds = stable_seconds
        self._looks: dict[Path, dict[str, _Look]] = {}
        self._unfinished: dict[Path, frozenset[Content]] = {}

    def look(self, folder: Path) -> tuple[list[FoundFile], bool]:
        """The whole files of the folder, in order of name, and whether there are others that may become so.

        Folders, links, hidden files and those with the name of something unfinished are left alone.

        Raises:
            OSError: the folder can't be looked at.
        """
        before, renamed = self._looks.get(folder, {}), self._unfinished.get(folder, frozenset())
        looks: dict[str, _Look] = {}
        unfinished: set[Content] = set()
        whole: list[FoundFile] = []
        for name, found in _regular_files(folder):
            if is_unfinished(name):
                unfinished.add(content_of(found))
                continue
            looks[name] = _again(before.get(name), found)
            is_renamed = name not in before and content_of(found) in renamed
            if (is_renamed or self._is_stable(looks[name])) and not is_open_for_writing(folder / name):
                whole.append(FoundFile(folder / name, content_of(found), found.st_size))
        self._looks[folder], self._unfinished[folder] = looks, frozenset(unfinished)
        return sorted(whole, key=lambda file: file.path), len(whole) < len(looks)

    def forget(self, folder: Path) -> None:
        """The folder is not looked at any more."""
        self._looks.pop(folder, None)
        self._unfinished.pop(folder, None)

    def _is_stable(self, look: _Look) -> bool:
        return time.monotonic() - look.since >= self._stable_seconds


def content_of(found: os.stat_result) -> Content:
    """What tells the file as it is, under whatever name."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def is_unfinished(name: str) -> bool:
    """True for hidden files, and for names under which programs keep what is not finished."""
    return name.startswith(_UNFINISHED_PREFIXES) or name.lower().endswith(_UNFINISHED_SUFFIXES)


def is_open_for_writing(path: Path) -> bool:
    """True when a process of this machine writes on the file; false where the system does not say.

    Linux gives a read lease on a file that nobody has open for writing, and on no other (fcntl(2)).
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Who opens the file meanwhile has this process told, by a signal that would end it.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def _regular_files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                if S_ISREG(found.st_mode):
                    yield entry.name, found


def _again(before: _Look | None, found: os.stat_result) -> _Look:
    seen = (found.st_dev, *content_of(found), found.st_ctime_ns)
    return before if before is not None and before.stat == seen else _Look(seen, time.monotonic())
