"""Jobs over HTTP: found, looked at, cancelled."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BeforeValidator, Field
from starlette.responses import JSONResponse
from typing_extensions import TypedDict

from api.access import Creator, Reader
from api.context import Context, CurrentContext
from api.documentation import JOB_EXAMPLE, answers
from api.job_resources import JobResource, job_resource, job_seen_by
from api.paging import PageQuery, next_page, position_of
from api.problems import CONFLICT, INVALID_REQUEST, NOT_FOUND
from schemas.job import JobState
from schemas.principal import Principal
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import request_cancel

router = APIRouter(tags=["jobs"])


def _as_written(value: object) -> object:
    """Refuse what pydantic would take for seconds since 1970."""
    if isinstance(value, str) and "T" not in value.upper():
        raise ValueError("is no moment as ISO 8601 writes it, such as 2026-03-01T09:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_as_written)]


class JobsQuery(PageQuery):
    """Which jobs are wanted."""

    state: Annotated[JobState | None, Field(description="Jobs in this state.")] = None
    definition: Annotated[str | None, Field(max_length=100, description="Its whole name.")] = None
    file: Annotated[str | None, Field(max_length=300, description="A part of its name, in any case.")] = None
    creation_path: Annotated[
        str | None, Field(max_length=100, description="The whole of it, or what stands beside its colon.")
    ] = None
    received_after: Annotated[Moment | None, Field(description="With `Z` or an offset.")] = None
    received_before: Annotated[Moment | None, Field(description="With `Z` or an offset.")] = None


class JobPage(TypedDict):
    """Jobs, newest first."""

    jobs: list[JobResource]
    next: Annotated[str | None, Field(description="Address of the next page; null: this is the last.")]


@router.get(
    "/jobs",
    summary="List jobs, newest first",
    responses=answers(JobPage, {"jobs": [JOB_EXAMPLE], "next": None}, NOT_FOUND, INVALID_REQUEST),
)
async def list_jobs(
    service: CurrentContext, who: Reader, wanted: Annotated[JobsQuery, Query()]
) -> JSONResponse:
    """The jobs of the key's tenant, and of the definitions that the key may use."""
    return JSONResponse(await service.quick(_list_jobs, service, who, wanted))


@router.get("/jobs/{job_id}", summary="Look at a job", responses=answers(JobResource, JOB_EXAMPLE, NOT_FOUND))
async def get_job(service: CurrentContext, who: Reader, job_id: str) -> JSONResponse:
    """The job as it stands; quick and small, made to be polled."""
    return JSONResponse(await service.quick(_get_job, service, who, job_id))


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Ask for the end of a job",
    status_code=202,
    responses=answers(JobResource, JOB_EXAMPLE, NOT_FOUND, CONFLICT, status=202),
)
async def cancel_job(service: CurrentContext, who: Creator, job_id: str) -> JSONResponse:
    """Whoever works on the job ends it within seconds: what was written stays, the rest is unprocessed."""
    return JSONResponse(await service.slow(_cancel_job, service, who, job_id), 202)


def _list_jobs(service: Context, who: Principal, wanted: JobsQuery) -> JobPage:
    position = position_of(service, "/jobs", wanted.cursor)
    filters = wanted.model_dump(exclude={"limit", "cursor"})
    with service.store.read() as session:
        jobs = page_of_jobs(
            session,
            who.tenant,
            JobFilter(**filters),
            limit=wanted.limit + 1,
            before=None if position is None else (datetime.fromisoformat(position[0]), position[1]),
            definitions=who.definitions,
        )
        shown = [job_resource(service, session, job) for job in jobs[: wanted.limit]]
    if len(jobs) <= wanted.limit:
        return {"jobs": shown, "next": None}
    last = jobs[wanted.limit - 1]
    return {"jobs": shown, "next": next_page(service, "/jobs", wanted, [last.received_at.isoformat(), last.id])}


def _get_job(service: Context, who: Principal, job_id: str) -> JobResource:
    with service.store.read() as session:
        return job_resource(service, session, job_seen_by(session, who, job_id))


def _cancel_job(service: Context, who: Principal, job_id: str) -> JobResource:
    with service.store.write() as session:
        job = request_cancel(session, job_seen_by(session, who, job_id).id)
        return job_resource(service, session, job)
