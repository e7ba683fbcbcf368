"""The file of a job's failed rows, to be mended and sent again."""

import codecs
from pathlib import Path, PurePath

from fastapi import APIRouter
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from api.access import Reader
from api.context import Context, CurrentContext
from api.documentation import file_answer
from api.job_resources import job_seen_by
from api.job_rows import gone, require_end
from api.problems import EXPIRED, NOT_ENDED, NOT_FOUND, ProblemError
from schemas.principal import Principal
from store.tables import Job
from store.uploads import get_upload
from tasks.failed_rows import kept_failed_rows

router = APIRouter(tags=["jobs"])
_STEM_CHARS = 100
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/jsonl",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class _WholeFile(FileResponse):
    """A file that is sent as a whole, whatever range of it was asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": asked}, receive, send)


@router.get(
    "/jobs/{job_id}/failed-rows",
    summary="Download the failed rows of a job",
    responses=file_answer(tuple(MEDIA_TYPES.values()), NOT_FOUND, NOT_ENDED, EXPIRED),
    response_class=FileResponse,
)
async def download_failed_rows(service: CurrentContext, who: Reader, job_id: str) -> FileResponse:
    """The rows as they came, in the kind of file that they came in, with one more column: what is wrong."""
    return failed_rows_response(*await service.slow(_found, service, who, job_id))


def failed_rows_file(service: Context, job: Job) -> Path:
    """Where the file of the job's failed rows lies.

    Raises:
        ProblemError: it is not there: not yet, not any more, or because no row failed.
    """
    if job.errors_purged_at is not None:
        raise gone("failed rows", job, f"{job.errors_purged_at:%Y-%m-%d}")
    require_end(job, reported=True)
    path = kept_failed_rows(service.settings, service.store, job)
    if path is None:
        raise ProblemError(NOT_FOUND, f"job {job.id} left no file of failed rows; its `warnings` may say why")
    return path


def failed_rows_response(path: Path, job: Job, file_name: str) -> FileResponse:
    """The file as an answer that a browser saves, under a name made of that of the file that came."""
    media_type = MEDIA_TYPES[path.suffix]
    if media_type.startswith("text/"):
        media_type = f"{media_type}; charset={_charset(path, job)}"
    name = f"{PurePath(file_name).stem[:_STEM_CHARS]}-failed-rows{path.suffix}"
    return _WholeFile(path, media_type=media_type, filename=name, headers={"Accept-Ranges": "none"})


def _found(service: Context, who: Principal, job_id: str) -> tuple[Path, Job, str]:
    with service.store.read() as session:
        job = job_seen_by(session, who, job_id)
        file_name = get_upload(session, job.upload_id).file_name
    return failed_rows_file(service, job), job, file_name


def _charset(path: Path, job: Job) -> str:
    """The encoding of the file by the name that HTTP has for it."""
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            return "utf-8"
    codec = str((job.detected or {}).get("encoding") or "utf-8")
    return f"windows-{codec[2:]}" if codec.startswith("cp125") else codec
