"""Which folders are watched: an inbox for each definition of the operator, and what definitions name beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from schemas.definition import Definition
from schemas.settings import Settings
from store.database import Store
from store.definitions import definitions_in_use


@dataclass(frozen=True, order=True)
class WatchedFolder:
    """One folder whose files a definition takes.

    Attributes:
        tenant: whose definition it is, and whose jobs come of it.
        pattern: which names count.
    """

    path: Path
    tenant: str
    definition: str
    pattern: str = "*"

    def takes(self, name: str) -> bool:
        """True when a file of this name is meant."""
        return fnmatchcase(name, self.pattern)


def watched_folders(settings: Settings, store: Store) -> list[WatchedFolder]:
    """All of them, in order of path and definition; an inbox that is not there is made."""
    with store.read() as session:
        in_use = [(stored.tenant, stored.definition) for stored in definitions_in_use(session)]
    folders = sorted(folder for tenant, said in in_use for folder in _folders(settings, tenant, said))
    for folder in folders:
        if folder.path.is_relative_to(settings.inbox_path):
            folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folders


def _folders(settings: Settings, tenant: str, definition: Definition) -> Iterator[WatchedFolder]:
    if tenant == settings.tenant:
        yield WatchedFolder(settings.inbox_path / definition.name, tenant, definition.name)
    for watch in definition.watch:
        yield WatchedFolder(Path(watch.folder), tenant, definition.name, watch.pattern)
