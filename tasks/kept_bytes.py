"""The bytes of an upload, as they came, on this machine's disk."""

from pathlib import Path

from schemas.errors import NotFoundError
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from store.tables import Upload
from store.uploads import get_upload
from tasks.stage import stage


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


@stage("upload")
def kept_upload(settings: Settings, job_id: str) -> None:
    """The task of the stage `upload` for a job whose bytes came before it: they are kept, as they came.

    Raises:
        NotFoundError: they are gone, or are no longer those that came.
    """
    with Store.opened(settings) as store, store.read() as session:
        kept_bytes(settings, get_upload(session, get_job(session, job_id).upload_id))
