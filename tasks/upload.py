"""Stage 1: take the bytes as they came, know them by their hash, and write the job down."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import uuid4

from destinations import destination_key
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.errors import FatalError, NotFoundError
from schemas.import_request import ImportRequest
from schemas.job import JobKind, JobState
from schemas.settings import Settings
from store.database import Store, Transaction
from store.definitions import get_definition
from store.jobs import add_event, add_job, running_jobs
from store.leases import is_free
from store.tables import DefinitionVersion, Job, Upload
from store.uploads import get_upload, put_upload
from tasks.stage import stage

READ_BYTES = 1 << 20
LEFTOVER = ".part"
"""How the names of copies end that are not whole yet; one that stays is of an upload that was killed."""


def accept_upload(settings: Settings, request: ImportRequest) -> str:
    """Store the file and give the id of the job that will import it.

    The same bytes with the same definition version and mode as an interrupted job are that job's
    resumption; otherwise the job is new.

    Raises:
        NotFoundError: there is no such file or definition.
        FatalError: the source can't be read.
    """
    path = _regular_file(request.source)
    with Store.opened(settings) as store:
        with store.read() as session:
            stored = get_definition(session, settings.tenant, request.definition, request.definition_version)
        definition = stored.definition.in_mode(request.mode)
        with _copied(settings, path) as copy, store.write() as session:
            upload = put_upload(
                session,
                settings.tenant,
                sha256=copy.sha256,
                size_bytes=copy.size_bytes,
                file_name=path.name,
                days=settings.upload_days,
            )
            # Not before the bytes are locked: a purge may be removing the same ones.
            copy.move_to(settings.upload_path(copy.sha256))
            return _job_for(session, settings, request, stored, definition, upload).id


@stage("upload")
def upload(settings: Settings, request: ImportRequest) -> str:
    """The task of this stage."""
    return accept_upload(settings, request)


def _job_for(
    session: Transaction,
    settings: Settings,
    request: ImportRequest,
    stored: DefinitionVersion,
    definition: Definition,
    upload: Upload,
) -> Job:
    kind = JobKind.VALIDATE if request.validate_only else JobKind.IMPORT
    key = destination_key(settings.tenant, definition)
    for job in running_jobs(session, settings.tenant, key):
        same = (job.definition_id, job.mode, job.kind) == (stored.id, definition.mode, kind)
        if same and is_free(session, job) and get_upload(session, job.upload_id).sha256 == upload.sha256:
            add_event(session, job.id, "resumed", "the same file was brought again")
            return job
    now = utc_now()
    return add_job(
        session,
        Job(
            id=str(uuid4()),
            tenant=settings.tenant,
            kind=kind,
            state=JobState.RECEIVED,
            definition_id=stored.id,
            upload_id=upload.id,
            mode=definition.mode,
            destination_key=key,
            expires_at=now + timedelta(days=settings.job_days),
            errors_expire_at=now + timedelta(days=min(settings.error_days, settings.job_days)),
            stage_expires_at=now + timedelta(days=settings.stage_days),
        ),
    )


def _regular_file(source: str) -> Path:
    path = Path(source).expanduser()
    try:
        mode = path.stat().st_mode
    except OSError as error:
        where = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise NotFoundError(f"there is no file {source!r}{where}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise FatalError(f"{source!r} is no regular file; give the path of one file")
    return path


@dataclass(frozen=True)
class _Copy:
    """The bytes of a file, not in their place yet."""

    path: Path
    sha256: str
    size_bytes: int

    def move_to(self, target: Path) -> None:
        """Put the bytes in their place, whether or not the same ones are there."""
        with _told(f"{target} could not be written"):
            target.parent.mkdir(exist_ok=True, mode=0o700)
            self.path.replace(target)


@contextmanager
def _copied(settings: Settings, path: Path) -> Iterator[_Copy]:
    """A copy of the file under a name of its own; gone at the end, if it was not moved."""
    folder = settings.uploads_path
    digest, size_bytes = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        with _told(f"{path} could not be copied into {folder}"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy = stack.enter_context(NamedTemporaryFile(dir=folder, suffix=LEFTOVER, delete=False))
            stack.callback(Path(copy.name).unlink, missing_ok=True)
            with path.open("rb") as original:
                while block := original.read(READ_BYTES):
                    digest.update(block)
                    size_bytes += copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        yield _Copy(Path(copy.name), digest.hexdigest(), size_bytes)


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FatalError(f"{what}: {error}") from error
