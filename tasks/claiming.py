"""Makes a dropped file Lading's: it is renamed into a hidden folder beside, and the store is told.

The rename is what decides: of two who try, one finds the file gone. The new place says whose it is, so that a
file that was claimed by a process which died before it told the store is found, and told of, by the next look.
"""

import logging
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from schemas.drop import CLAIMED_FOLDER
from schemas.errors import NotFoundError
from store.database import Store
from store.drops import add_drop, known_drops
from store.source_tables import Drop
from tasks.sweep import entries
from tasks.watched_folders import WatchedFolder
from tasks.whole_files import FoundFile, WholeFiles, content_of

LOGGER = logging.getLogger("lading.drops")


def claim_file(store: Store, folder: WatchedFolder, found: FoundFile) -> str | None:
    """Claim the file; gives the id of the drop, None where somebody else was quicker, or has changed the file.

    A file that is another by now than the one that was found whole is claimed, but the store is not told before
    it is whole, too: `claim_left`.

    Raises:
        OSError: the folder does not let us rename.
    """
    drop_id = str(uuid4())
    claim = folder.path / CLAIMED_FOLDER / f"{folder.tenant}.{folder.definition}.{drop_id}"
    claim.mkdir(parents=True, mode=0o700)
    try:
        found.path.rename(claim / found.path.name)
    except OSError as error:
        claim.rmdir()
        if isinstance(error, FileNotFoundError):
            return None
        raise
    if content_of((claim / found.path.name).lstat()) != found.content:
        return None
    _keep(store, folder.path, claim, found)
    return drop_id


def claim_left(store: Store, folder: Path, looks: WholeFiles) -> list[str]:
    """Tell the store of claimed files that it does not know, once they are whole; gives the ids of the drops.

    Raises:
        OSError: the folder can't be looked at.
    """
    claims = {
        drop_id: claim for claim in entries(folder / CLAIMED_FOLDER) if (drop_id := _drop_id(claim)) is not None
    }
    with store.read() as session:
        known = known_drops(session, claims)
    told = []
    for drop_id, claim in claims.items():
        if drop_id not in known:
            for found in looks.look(claim)[0]:
                _keep(store, folder, claim, found)
                looks.forget(claim)
                told.append(drop_id)
        elif known[drop_id].ended_at is not None:
            remove_claim(claim)
    return told


def claimed_file(drop: Drop) -> Path:
    """Where the file of the drop lies.

    Raises:
        NotFoundError: it is gone.
    """
    claim = Path(drop.path)
    with suppress(FileNotFoundError):
        for path in claim.iterdir():
            # Its name may hold bytes that no store keeps: the folder knows it.
            if not path.is_symlink() and path.is_file():
                return path
    raise NotFoundError(f"the dropped file {drop.file_name!r} is not in {claim} any more")


def remove_claim(claim: Path) -> None:
    """Take the empty folder of a claim away; harmless when it is gone, or when something is in it."""
    with suppress(OSError):
        claim.rmdir()


def _keep(store: Store, folder: Path, claim: Path, found: FoundFile) -> None:
    tenant, definition, drop_id = claim.name.split(".")
    drop = Drop(
        id=drop_id,
        tenant=tenant,
        definition=definition,
        folder=str(folder),
        file_name=found.path.name,
        path=str(claim),
        size_bytes=found.size_bytes,
    )
    with store.write() as session:
        add_drop(session, drop)
    LOGGER.info("%s: claimed %r as %s", folder, found.path.name, drop_id)


def _drop_id(claim: Path) -> str | None:
    """The id that the folder's name ends with; None for a folder that is not ours."""
    parts = claim.name.split(".")
    try:
        return str(UUID(parts[2])) if len(parts) == 3 else None
    except ValueError:
        return None
