"""Files of clients in the job store: what came of each under the id that its client made."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

from sqlmodel import Session, col, func, or_, select

from store.backend import alone
from store.face_tables import ClientFile
from store.tables import Upload


def find_client_file(session: Session, tenant: str, client_hash: str, now: datetime) -> ClientFile | None:
    """The tenant's file of this id as far as it came; None where there is none, or its time is over."""
    found = session.get(ClientFile, (tenant, client_hash), populate_existing=True)
    return found if found is not None and not _is_over(found, now) else None


def new_client_file(session: Session, new: ClientFile) -> ClientFile:
    """Begin a file of which nothing came yet, or give the one that somebody else began meanwhile.

    In a directory it gets a name that no other file there has: ` (1)` and so on.
    """
    lock_client_files(session, new.tenant)
    found = find_client_file(session, new.tenant, new.hash, new.created_at)
    if found is not None:
        return found
    forget_client_file(session, new.tenant, new.hash)
    if new.directory is not None:
        new.file_name = _free_name(session, new.tenant, new.directory, new.file_name)
    session.add(new)
    session.flush()
    return new


def lock_client_files(session: Session, tenant: str) -> None:
    """Until the end of the `write` nobody else begins a file of the tenant."""
    alone(session, "client files", tenant)


def locked_client_file(session: Session, tenant: str, client_hash: str) -> ClientFile | None:
    """The file as it is now, which nobody else changes until the end of the `write`."""
    key = (tenant, client_hash)
    return session.get(ClientFile, key, populate_existing=True, with_for_update=True)


def client_bytes(session: Session, tenant: str, now: datetime) -> int:
    """What all files of the tenant have together that are kept, or were begun."""
    total = select(func.coalesce(func.sum(ClientFile.size_bytes), 0)).where(
        ClientFile.tenant == tenant, or_(col(ClientFile.expires_at).is_(None), col(ClientFile.expires_at) > now)
    )
    return int(session.exec(total).one())


def is_kept_by_client(session: Session, sha256: str, now: datetime) -> bool:
    """True when these bytes are a client's file whose time is not over."""
    in_time = or_(col(ClientFile.expires_at).is_(None), col(ClientFile.expires_at) > now)
    query = select(ClientFile.hash).join(Upload).where(Upload.sha256 == sha256, in_time)
    return session.exec(query.limit(1)).first() is not None


def expired_client_files(session: Session, now: datetime) -> Sequence[ClientFile]:
    """Those whose time is over."""
    return session.exec(select(ClientFile).where(col(ClientFile.expires_at) <= now)).all()


def unfinished_client_files(session: Session) -> Sequence[ClientFile]:
    """Those of which parts are missing."""
    return session.exec(select(ClientFile).where(col(ClientFile.upload_id).is_(None))).all()


def forget_client_file(session: Session, tenant: str, client_hash: str) -> None:
    """Remove what is known of it; harmless when repeated."""
    found = session.get(ClientFile, (tenant, client_hash))
    if found is not None:
        session.delete(found)
        session.flush()


def _is_over(file: ClientFile, now: datetime) -> bool:
    return file.expires_at is not None and file.expires_at <= now


def _free_name(session: Session, tenant: str, directory: str, wanted: str) -> str:
    there = select(ClientFile.file_name).where(ClientFile.tenant == tenant, ClientFile.directory == directory)
    taken, name, path, number = set(session.exec(there)), wanted, PurePath(wanted), 0
    while name in taken:
        number += 1
        name = f"{path.stem} ({number}){path.suffix}"
    return name
