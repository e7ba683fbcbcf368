"""Uploads in the job store: who brought which bytes under which name. The bytes lie under the home."""

from datetime import timedelta
from uuid import uuid4

from sqlmodel import Session, select

from schemas.clock import utc_now
from store.backend import alone
from store.tables import Upload


def put_upload(
    session: Session, tenant: str, *, sha256: str, size_bytes: int, file_name: str, days: float
) -> Upload:
    """The tenant's upload of these bytes under this name, kept for `days` from now.

    Until the end of the `write` nobody else brings or removes the same bytes: the caller puts the file in
    place before that.
    """
    lock_bytes(session, sha256)
    query = select(Upload).where(
        Upload.tenant == tenant, Upload.sha256 == sha256, Upload.file_name == file_name
    )
    expires_at = utc_now() + timedelta(days=days)
    upload = session.exec(query).first() or Upload(
        id=str(uuid4()),
        tenant=tenant,
        sha256=sha256,
        size_bytes=size_bytes,
        file_name=file_name,
        expires_at=expires_at,
    )
    upload.expires_at, upload.purged_at = max(upload.expires_at, expires_at), None
    session.add(upload)
    session.flush()
    return upload


def lock_bytes(session: Session, sha256: str) -> None:
    """Until the end of the `write` the file of these bytes is nobody else's to put in place or to remove."""
    alone(session, "bytes", sha256)


def get_upload(session: Session, upload_id: str) -> Upload:
    """The upload with this id, which must be there."""
    return session.get_one(Upload, upload_id)
