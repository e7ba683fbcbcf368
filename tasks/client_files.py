"""Takes files that clients bring in parts, under ids of their own; parts lie on disk until all are there."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO

from schemas.client_file import FilePart, FileRules, KeptFile, OpenFile
from schemas.clock import utc_now
from schemas.errors import BodyError, NoSpaceError, NotFoundError, PartRefusedError
from schemas.settings import Settings
from store.client_files import (
    client_bytes,
    find_client_file,
    lock_client_files,
    locked_client_file,
    new_client_file,
)
from store.database import Store, Transaction
from store.face_tables import ClientFile
from store.uploads import get_upload, put_upload
from tasks.copying import LEFTOVER, READ_BYTES, Copy, room
from tasks.kept_bytes import kept_bytes

SECONDS_PER_DAY = 86_400


def take_part(settings: Settings, store: Store, tenant: str, part: FilePart, rules: FileRules) -> KeptFile:
    """Keep the part, and when it was the last one missing, the file; a part that is there already is no error.

    Raises:
        PartRefusedError: it does not go on where the last one ended, or its size is not what it must be.
        NoSpaceError: there is no room for the file.
        BodyError: the file is larger than one may be.
    """
    now = utc_now()
    known = _known(settings, store, tenant, part, rules, now)
    _check_sizes(part, known, rules)
    if part.start < known.received_bytes or known.upload_id is not None:
        with room():
            _take_repeated(settings, store, known, part)
    else:
        with room():
            _write(_part_path(settings, known, part.start), part.file)
        _note_part(store, known, part, rules, now)
    return _kept(settings, store, tenant, part.client_hash, rules)


def open_client_file(settings: Settings, store: Store, tenant: str, client_hash: str) -> OpenFile:
    """The whole file that the client brought under this id.

    Raises:
        NotFoundError: there is none, it is gone, or parts of it are missing.
    """
    with store.read() as session:
        found = find_client_file(session, tenant, client_hash, utc_now())
        if found is None or found.upload_id is None:
            raise NotFoundError(
                f"there is no whole file with the hash {client_hash}: it was never uploaded, or not to its "
                "end, or its time is over; upload it again"
            )
        path = kept_bytes(settings, get_upload(session, found.upload_id))
    return OpenFile(path.open("rb"), found.file_name, found.size_bytes, found.expires_at)


def parts_path(settings: Settings, file: ClientFile) -> Path:
    """Folder of the parts of a file that is not whole yet."""
    return settings.parts_path / file.tenant / file.hash


def _known(
    settings: Settings, store: Store, tenant: str, part: FilePart, rules: FileRules, now: datetime
) -> ClientFile:
    """What is known of the file; begun here with its first part."""
    with store.read() as session:
        found = find_client_file(session, tenant, part.client_hash, now)
    if found is None:
        if part.start != 0:
            raise PartRefusedError(
                "NoSuchUpload", f"no upload with the hash {part.client_hash} was begun, or its time is over"
            )
        _check_sizes(part, None, rules)
        with store.write() as session:
            lock_client_files(session, tenant)
            _check_room(settings, session, tenant, part, rules, now)
            found = new_client_file(session, _file_of(tenant, part, rules, now))
    if (found.size_bytes, found.directory) != (part.total_bytes, part.directory):
        raise PartRefusedError(
            "InvalidPart", f"the hash {part.client_hash} is that of another file, of {found.size_bytes} bytes"
        )
    return found


def _file_of(tenant: str, part: FilePart, rules: FileRules, now: datetime) -> ClientFile:
    return ClientFile(
        tenant=tenant,
        hash=part.client_hash,
        file_name=part.file_name,
        directory=part.directory,
        size_bytes=part.total_bytes,
        received_bytes=0,
        created_at=now,
        expires_at=_expiry(rules, now),
    )


def _check_room(
    settings: Settings, session: Transaction, tenant: str, part: FilePart, rules: FileRules, now: datetime
) -> None:
    if part.total_bytes > settings.upload_limit_bytes:
        raise BodyError(413, f"a file may have {settings.upload_limit_bytes} bytes, not {part.total_bytes}")
    kept = client_bytes(session, tenant, now)
    if kept + part.total_bytes > rules.tenant_bytes:
        raise NoSpaceError(
            f"not enough disk space: {kept} of the {rules.tenant_bytes} bytes that may be kept are taken"
        )


def _check_sizes(part: FilePart, known: ClientFile | None, rules: FileRules) -> None:
    """Refuse what can't be a part of the file, wherever it stands."""
    if part.end > part.total_bytes:
        raise PartRefusedError("InvalidPart", f"the part ends behind the file's {part.total_bytes} bytes")
    received = known.received_bytes if known is not None else 0
    if part.start > received:
        raise PartRefusedError(
            "InvalidPartOrder", f"the part begins at byte {part.start}, and the next one missing at {received}"
        )
    if part.end < part.total_bytes:
        _check_main_part(part, known, rules)
    # Parts lie on the disk by where they begin: one more beginning would be one more file.
    if known is not None and known.upload_id is None and part.start < received:
        known_bytes = known.part_bytes or received
        is_last_again = part.end == part.total_bytes == received
        if part.start % known_bytes or not (is_last_again or part.end == part.start + known_bytes):
            raise PartRefusedError(
                "InvalidPart", f"no part of this file goes from byte {part.start} to {part.end}"
            )


def _check_main_part(part: FilePart, known: ClientFile | None, rules: FileRules) -> None:
    if part.size_bytes < rules.smallest_part_bytes:
        raise PartRefusedError(
            "EntityTooSmall",
            f"the part has {part.size_bytes} bytes; all but the last have {rules.smallest_part_bytes} at least",
        )
    if known is not None and known.part_bytes not in {None, part.size_bytes}:
        raise PartRefusedError(
            "InvalidPart",
            f"the part has {part.size_bytes} bytes, the first one had {known.part_bytes}; all but the last "
            "have the same size",
        )


def _take_repeated(settings: Settings, store: Store, known: ClientFile, part: FilePart) -> None:
    """Refuse other bytes in place of those that are there; those that were lost are kept anew."""
    if known.upload_id is not None:
        with store.read() as session:
            path, first = kept_bytes(settings, get_upload(session, known.upload_id)), 0
    else:
        path, first = _part_path(settings, known, part.start), part.start
    if not path.exists():
        _write(path, part.file)
    with path.open("rb") as there:
        there.seek(part.start - first)
        if not _goes_on_with(there, part.file):
            raise PartRefusedError("InvalidPart", f"other bytes came before for the part at byte {part.start}")


def _note_part(store: Store, known: ClientFile, part: FilePart, rules: FileRules, now: datetime) -> None:
    with store.write() as session:
        file = locked_client_file(session, known.tenant, known.hash)
        if file is None or file.received_bytes != part.start:
            return  # somebody else brought the same part meanwhile
        file.received_bytes = part.end
        file.part_bytes = file.part_bytes or part.size_bytes
        file.expires_at = _expiry(rules, now)


def _kept(settings: Settings, store: Store, tenant: str, client_hash: str, rules: FileRules) -> KeptFile:
    """The file as far as it came; where nothing is missing, an upload is made of its parts."""
    with store.read() as session:
        file = session.get_one(ClientFile, (tenant, client_hash))
    is_whole = file.received_bytes == file.size_bytes
    if is_whole and file.upload_id is None:
        # Where somebody else brings the last part, too, their upload takes the parts away.
        with contextlib.suppress(FileNotFoundError):
            _make_upload(settings, store, file, rules)
    return KeptFile(file.file_name, file.size_bytes, is_whole)


def _make_upload(settings: Settings, store: Store, file: ClientFile, rules: FileRules) -> None:
    days = settings.upload_days if rules.kept_seconds is None else rules.kept_seconds / SECONDS_PER_DAY
    settings.uploads_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with room(), _joined(settings, file) as joined, store.write() as session:
        upload = put_upload(
            session,
            file.tenant,
            sha256=joined.sha256,
            size_bytes=joined.size_bytes,
            file_name=file.file_name,
            days=days,
        )
        joined.move_to(settings.upload_path(joined.sha256))
        now = locked_client_file(session, file.tenant, file.hash)
        if now is not None:
            now.upload_id = upload.id
    shutil.rmtree(parts_path(settings, file), ignore_errors=True)


@contextmanager
def _joined(settings: Settings, file: ClientFile) -> Iterator[Copy]:
    """All parts in one file, which is gone at the end, if it was not moved."""
    with NamedTemporaryFile(dir=settings.uploads_path, suffix=LEFTOVER, delete=False) as whole:
        joined = Path(whole.name)
        try:
            sha256 = _join(settings, file, whole)
            whole.flush()
            os.fsync(whole.fileno())
            yield Copy(joined, sha256, file.size_bytes)
        finally:
            joined.unlink(missing_ok=True)


def _join(settings: Settings, file: ClientFile, whole: IO[bytes]) -> str:
    digest, place = hashlib.sha256(), 0
    while True:
        with _part_path(settings, file, place).open("rb") as part:
            while block := part.read(READ_BYTES):
                digest.update(block)
                place += whole.write(block)
        if place >= file.size_bytes:
            return digest.hexdigest()


def _write(path: Path, part: BinaryIO) -> None:
    """Put the part in its place, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=path.parent, suffix=LEFTOVER, delete=False) as copy:
        try:
            part.seek(0)
            shutil.copyfileobj(part, copy, READ_BYTES)
            copy.flush()
            os.fsync(copy.fileno())
            Path(copy.name).replace(path)
        finally:
            Path(copy.name).unlink(missing_ok=True)


def _goes_on_with(there: BinaryIO, part: BinaryIO) -> bool:
    part.seek(0)
    while block := part.read(READ_BYTES):
        if there.read(len(block)) != block:
            return False
    return True


def _part_path(settings: Settings, file: ClientFile, start: int) -> Path:
    return parts_path(settings, file) / f"{start:015}"


def _expiry(rules: FileRules, now: datetime) -> datetime | None:
    return None if rules.kept_seconds is None else now + timedelta(seconds=rules.kept_seconds)
