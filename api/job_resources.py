"""Jobs as the status API shows them: the job's document, and where to go from there."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.context import Context
from schemas.principal import Principal
from store.database import Transaction
from store.jobs import job_of
from store.tables import Job
from store.uploads import get_upload
from tasks.job_document import JobDocument, job_document


class JobLinks(TypedDict):
    """Addresses of what belongs to the job."""

    self: str
    errors: str
    rows: str
    failed_rows: Annotated[str | None, Field(description="The file of failed rows; null: there is none.")]
    cancel: Annotated[str | None, Field(description="To be posted to; null once the job is terminal.")]


class JobResource(JobDocument):
    """A job, as it stands at this moment, and where to go from there.

    Until it is terminal, `rows_read` and `rows_loaded` tell how far it is and the counts are zero. Then
    `rows = created + updated + unchanged + ignored + failed + unconfirmed + unprocessed`.
    """

    links: JobLinks


def job_seen_by(session: Transaction, who: Principal, job_id: str) -> Job:
    """The job, if whoever asks may see it.

    Raises:
        NotFoundError: there is none, or it is another tenant's, or the key may not use its definition.
    """
    return job_of(session, who.tenant, job_id, who.definitions)


def job_resource(service: Context, session: Transaction, job: Job) -> JobResource:
    """The job as the status API shows it."""
    document = job_document(
        job, service.definition(session, job.definition_id), get_upload(session, job.upload_id)
    )
    here = service.public(f"/jobs/{job.id}")
    links: JobLinks = {
        "self": here,
        "errors": f"{here}/errors",
        "rows": f"{here}/rows",
        "failed_rows": f"{here}/failed-rows" if has_failed_rows(job) else None,
        "cancel": None if job.state.terminal else f"{here}/cancel",
    }
    return {**document, "links": links}


def has_failed_rows(job: Job) -> bool:
    """True when the report of the job left a file of failed rows that is still kept."""
    return bool(job.errors and job.detected and job.reported_at and not job.errors_purged_at)
