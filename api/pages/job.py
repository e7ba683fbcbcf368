"""The page of a job, its numbers while it runs, and the file of its failed rows."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse, JSONResponse, Response

from api.context import Context, CurrentContext
from api.failed_rows import failed_rows_file, failed_rows_response
from api.job_resources import has_failed_rows
from api.pages.job_access import JobAccess, MayLook, MayRead, require_reading
from api.pages.job_view import JobView, job_view
from api.pages.rendering import render
from store.tables import Job
from store.uploads import get_upload

UNKNOWN = "not known yet"
_SHOWN = ("rows_read", "rows_loaded", "rows")


def register(router: APIRouter) -> None:
    """Add the routes."""
    router.get("/jobs/{job_id}")(job_page)
    router.get("/jobs/{job_id}/progress")(job_progress)
    router.get("/jobs/{job_id}/failed-rows")(job_failed_rows)


async def job_page(service: CurrentContext, access: MayLook) -> Response:
    """The page; for whoever may bring files but not look, only that theirs has come."""
    if access.visitor is not None and not access.visitor.may_read:
        job = await service.quick(_job, service, access)
        if job.key_id == access.visitor.principal.key_id:
            return render("received.html", visitor=access.visitor, job_id=job.id)
    require_reading(access)
    return await page_of_job(service, access)


async def page_of_job(service: Context, access: JobAccess, notice: str = "", status: int = 200) -> Response:
    """The page, with a notice above all else where there is one."""
    view = await service.quick(_view, service, access)
    return render(
        "job.html",
        status,
        visitor=access.visitor,
        here=None,
        notice=notice,
        view=view,
        line=view.line,
        job=view.job,
        until=access.until,
        progress_path=access.path("progress"),
        failed_rows_path=access.path("failed-rows") if has_failed_rows(view.job) else None,
        unknown=UNKNOWN,
        may_act=access.visitor is not None and access.visitor.may_create,
    )


async def job_progress(service: CurrentContext, access: MayRead) -> JSONResponse:
    """What changes while the job runs: plain numbers, and the words that the page shows for them."""
    return JSONResponse(await service.quick(_progress, service, access))


async def job_failed_rows(service: CurrentContext, access: MayRead) -> FileResponse:
    """The rows that failed, in the kind of file that they came in, under that file's name."""
    return failed_rows_response(*await service.slow(_failed_rows, service, access))


def _job(service: Context, access: JobAccess) -> Job:
    with service.store.read() as session:
        return access.job(session)


def _view(service: Context, access: JobAccess) -> JobView:
    with service.store.read() as session:
        return job_view(service, session, access.job(session))


def _progress(service: Context, access: JobAccess) -> dict[str, Any]:
    view = _view(service, access)
    document = view.document
    numbers = {name: document.get(name) for name in _SHOWN}
    return {
        "state": document["state"],
        "terminal": document["terminal"],
        **numbers,
        "is_over": view.is_over,
        "name": view.line.standing.name,
        "tone": view.line.standing.tone,
        "sentence": view.sentence,
        "percent": view.percent,
        "shown": {name: UNKNOWN if value is None else f"{value:,}" for name, value in numbers.items()},
    }


def _failed_rows(service: Context, access: JobAccess) -> tuple[Path, Job, str]:
    with service.store.read() as session:
        job = access.job(session)
        file_name = get_upload(session, job.upload_id).file_name
    return failed_rows_file(service, job), job, file_name
