"""Stage 1: take the bytes as they came, know them by their hash, and write the job down."""

import stat
from pathlib import Path
from typing import BinaryIO

from schemas.errors import FatalError, NotFoundError
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store, Transaction
from store.definitions import get_definition
from store.jobs import add_event, running_jobs
from store.leases import is_free
from store.tables import Job
from store.uploads import get_upload
from tasks.accepting import Origin, Plan, new_job, plan_job, take_in
from tasks.copying import copied, told
from tasks.stage import stage


def accept_upload(settings: Settings, request: ImportRequest) -> str:
    """Store the file and give the id of the job that will import it.

    The same bytes with the same definition version and mode as an interrupted job are that job's
    resumption; otherwise the job is new.

    Raises:
        NotFoundError: there is no such file or definition.
        NotAllowedError: the definition's database or table is not the tenant's to use.
        FatalError: the source can't be read.
    """
    path = _regular_file(request.source)
    with Store.opened(settings) as store:
        with store.read() as session:
            stored = get_definition(session, settings.tenant, request.definition, request.definition_version)
            plan = plan_job(session, settings.tenant, stored, request.mode, validate_only=request.validate_only)
        with (
            _opened(path) as original,
            copied(settings, original, str(path)) as copy,
            store.write() as session,
        ):
            upload = take_in(session, settings, plan, copy, path.name)
            job = _interrupted(session, plan, copy.sha256) or new_job(session, settings, plan, upload, Origin())
            return job.id


@stage("upload")
def upload(settings: Settings, request: ImportRequest) -> str:
    """The task of this stage."""
    return accept_upload(settings, request)


def _interrupted(session: Transaction, plan: Plan, sha256: str) -> Job | None:
    """The job over the same bytes that was to do the same and that nobody works on."""
    for job in running_jobs(session, plan.tenant, plan.destination_key):
        same = (job.definition_id, job.mode, job.kind) == (plan.definition_id, plan.mode, plan.kind)
        if same and is_free(session, job) and get_upload(session, job.upload_id).sha256 == sha256:
            add_event(session, job.id, "resumed", "the same file was brought again")
            return job
    return None


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


def _opened(path: Path) -> BinaryIO:
    with told(f"{path} could not be read"):
        return path.open("rb")
