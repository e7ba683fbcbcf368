"""Who may look at a job: whoever signed in with a key that may, or whoever has a link to just this job."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.access import require_scope
from api.context import CurrentContext
from api.job_resources import job_seen_by
from api.pages.job_links import opened_link
from api.pages.visitor import Visitor, visitor
from schemas.errors import NotFoundError
from schemas.principal import Scope
from store.database import Transaction
from store.jobs import get_job
from store.tables import Job


@dataclass(frozen=True)
class JobAccess:
    """Leave to look at one job.

    Attributes:
        visitor: None for whoever came with a link.
        token: of the link; empty where there is none.
        until: when the link is over; None where there is none.
    """

    job_id: str
    visitor: Visitor | None
    token: str = ""
    until: datetime | None = None

    def job(self, session: Transaction) -> Job:
        """The job.

        Raises:
            NotFoundError: there is none, or it is not theirs to see.
        """
        if self.visitor is None:
            return get_job(session, self.job_id)
        return job_seen_by(session, self.visitor.principal, self.job_id)

    def path(self, part: str) -> str:
        """The address of a part of the job's page, which asks for the same leave."""
        return f"/ui/jobs/{self.job_id}/{part}" + (f"?token={self.token}" if self.token else "")


async def job_access(
    request: Request, service: CurrentContext, job_id: str, token: str | None = None
) -> JobAccess:
    """Whoever may look at the job; a link goes before a session, and opens no other job.

    Raises:
        NotFoundError: the link is none, or its time is over, or it is of another job.
        SignInNeededError: there is neither link nor session.
    """
    if token is None:
        return JobAccess(job_id, await visitor(request, service))
    link = opened_link(service, token)
    if link is None or link.job_id != job_id:
        raise NotFoundError("this link opens nothing, or its time is over; with a key you can sign in")
    return JobAccess(job_id, None, token, link.until)


async def reading_access(access: Annotated[JobAccess, Depends(job_access)]) -> JobAccess:
    """The same, for whoever's key may look at imports at all."""
    require_reading(access)
    return access


def require_reading(access: JobAccess) -> None:
    """Refuse whoever signed in with a key that may not look at imports.

    Raises:
        ProblemError: 403; names the scope.
    """
    if access.visitor is not None:
        require_scope(access.visitor.principal, Scope.IMPORTS_READ)


MayLook = Annotated[JobAccess, Depends(job_access)]
MayRead = Annotated[JobAccess, Depends(reading_access)]
