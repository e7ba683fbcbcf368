"""The bytes of an upload, as they came, on this machine's disk."""

from pathlib import Path

from schemas.errors import NotFoundError
from schemas.settings import Settings
from store.tables import Upload


def kept_bytes(settings: Settings, upload: Upload) -> Path:
    """Where the bytes lie; their number is checked, so that a file which was cut is not taken for whole.

    Raises:
        NotFoundError: they are gone, or are no longer those that came.
    """
    path = settings.upload_path(upload.sha256)
    if upload.purged_at is not None:
        on = f"{upload.purged_at:%Y-%m-%d}"
        raise NotFoundError(f"the bytes of {upload.file_name!r} were removed on {on}; bring the file again")
    if not path.exists():
        raise NotFoundError(f"the bytes of {upload.file_name!r} are gone; bring the file again")
    if path.stat().st_size != upload.size_bytes:
        raise NotFoundError(f"the bytes of {upload.file_name!r} were changed in {path}; bring the file again")
    return path
