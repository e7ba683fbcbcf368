"""What may be done with a job from its page: ask for its end, or run it again."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.access import require_scope
from api.context import Context, CurrentContext
from api.pages.form import Fields
from api.pages.job import page_of_job
from api.pages.job_access import JobAccess
from api.pages.visitor import SignedForm, Visitor
from schemas.errors import ConflictError, NotFoundError
from schemas.principal import Scope
from store.jobs import request_cancel
from tasks.again import accept_again


def register(router: APIRouter) -> None:
    """Add the routes."""
    router.post("/jobs/{job_id}/cancel")(cancel)
    router.post("/jobs/{job_id}/run-again")(run_again)


async def cancel(service: CurrentContext, who: SignedForm, job_id: str) -> Response:
    """Ask for the job's end; too late, its page says so."""
    access = _acting(who, job_id)
    try:
        await service.slow(_cancel, service, access)
    except ConflictError as error:
        return await page_of_job(service, access, notice=f"Not cancelled: {error}.", status=409)
    return RedirectResponse(f"/ui/jobs/{job_id}", 303)


async def run_again(service: CurrentContext, who: SignedForm, fields: Fields, job_id: str) -> Response:
    """Make a new job over the same bytes, definition and mode; where the bytes are gone, the page says so."""
    access = _acting(who, job_id)
    validate_only = fields.get("validate_only") == "true"
    try:
        new_id = await service.slow(_run_again, service, access, who, validate_only=validate_only)
    except NotFoundError as error:
        return await page_of_job(service, access, notice=f"Not run again: {error}.", status=409)
    return RedirectResponse(f"/ui/jobs/{new_id}", 303)


def _acting(who: Visitor, job_id: str) -> JobAccess:
    require_scope(who.principal, Scope.IMPORTS_CREATE)
    return JobAccess(job_id, who)


def _cancel(service: Context, access: JobAccess) -> None:
    with service.store.write() as session:
        request_cancel(session, access.job(session).id)


def _run_again(service: Context, access: JobAccess, who: Visitor, *, validate_only: bool) -> str:
    with service.store.read() as session:
        job_id = access.job(session).id
    return accept_again(service.settings, who.principal, job_id, "UI", validate_only=validate_only).job_id
