"""Dropped files, from the folder to the store and back: what a watcher does, whoever tells Prefect of it."""

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from schemas.errors import LadingError
from schemas.settings import Settings
from store.database import Store
from store.drops import settled_drops
from tasks.claiming import claim_file, claim_left
from tasks.settling import settle
from tasks.watched_folders import WatchedFolder, watched_folders
from tasks.whole_files import WholeFiles

LOGGER = logging.getLogger("lading.drops")
AT_ONCE = 200


class Drops:
    """The watched folders of one home, as one process looks after them; any number may do so at a time.

    Attributes:
        folders: as definitions had it when they were last asked.
        growing: paths of folders with files that may soon be whole.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.folders: list[WatchedFolder] = []
        self.growing: set[Path] = set()
        self._settings, self._store = settings, store
        self._looks = WholeFiles(settings.inbox_stable_seconds)
        self._said: dict[str, str] = {}

    def ask_definitions(self) -> None:
        """Look which folders are to be watched."""
        self.folders = watched_folders(self._settings, self._store)

    def present(self) -> dict[Path, int]:
        """The watched folders that are there, each with what tells it from one that is made in its place."""
        found = {}
        for folder in self.folders:
            with suppress(OSError):
                found[folder.path] = folder.path.stat().st_ino
        return found

    def look(self, paths: Collection[Path] | None = None) -> bool:
        """Claim the whole files of these folders; of all, and what was left claimed there, where None.

        Gives whether there was one.
        """
        claimed = False
        for path, folders in groupby(self.folders, key=lambda folder: folder.path):
            if paths is None or path in paths:
                try:
                    claimed |= self._look(path, list(folders), is_sweep=paths is None)
                    self._said.pop(str(path), None)
                except OSError as error:
                    self._say(str(path), f"{path} can't be watched: {error.strerror or error}")
        return claimed

    def settle_ended(self) -> None:
        """Move the files of drops that have ended."""
        with self._store.read() as session:
            ended = settled_drops(session, AT_ONCE)
        for drop in ended:
            try:
                settle(self._settings, self._store, drop)
                self._said.pop(drop.id, None)
            except (OSError, LadingError) as error:
                self._say(drop.id, f"{drop.file_name!r} of {drop.folder} can't be moved yet: {error}")

    def _look(self, path: Path, folders: Iterable[WatchedFolder], *, is_sweep: bool) -> bool:
        whole, are_more = self._looks.look(path)
        (self.growing.add if are_more else self.growing.discard)(path)
        claimed = claim_left(self._store, path, self._looks) if is_sweep else []
        for found in whole:
            taker = next((folder for folder in folders if folder.takes(found.path.name)), None)
            if taker is not None and (drop_id := claim_file(self._store, taker, found)) is not None:
                claimed.append(drop_id)
        return bool(claimed)

    def _say(self, about: str, what: str) -> None:
        """Warn, once as long as it stays the same."""
        if self._said.get(about) != what:
            LOGGER.warning("%s", what)
            self._said[about] = what
