"""Takes the file that a request names and makes its job, unless the same content was imported before."""

from dataclasses import dataclass

from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store, Transaction
from store.fetches import put_fetch
from store.jobs import add_event, running_jobs
from store.leases import is_free
from store.source_tables import Fetch
from store.tables import Job
from store.uploads import get_upload
from tasks.accepting import Origin, Plan, new_job, take_in
from tasks.copying import Copy, copied
from tasks.fetching import ContentMark, Fetched
from tasks.file_names import plain_name
from tasks.sources import Wish, done_before, fetched, looked_up


@dataclass(frozen=True)
class Taken:
    """The job of a file that was asked for.

    Attributes:
        skipped: why there is nothing to do, as a sentence; None where the job is to be brought to its end.
    """

    job_id: str
    skipped: str | None = None


def bring(settings: Settings, request: ImportRequest) -> Taken:
    """Fetch and store the file, and give the job that will import it.

    The same bytes with the same definition version and mode as an interrupted job are that job's
    resumption; otherwise the job is new.

    Raises:
        NotFoundError: there is no such file or definition.
        NotAllowedError: the definition, its source or its table is not the tenant's to use.
        FatalError: the source can't be read, or is too large.
        RetriableError: the source is away.
    """
    with Store.opened(settings) as store:
        with store.read() as session:
            wish = looked_up(session, settings, request)
            known = done_before(session, wish).get(wish.url) if request.only_changed else None
        mark = None if known is None else ContentMark(known.etag, known.last_modified)
        with fetched(settings, wish, mark) as found:
            if known is not None and found is None:
                return _skipped(known)
            if found is None:
                raise RuntimeError("a file of which nothing is known can't be unchanged")
            with copied(settings, found.file, wish.url.partition("?")[0]) as copy, store.write() as session:
                if known is not None and known.sha256 == copy.sha256:
                    put_fetch(session, _fetch(wish, copy, found, known.job_id))
                    return _skipped(known)
                job_id = _accepted(session, settings, wish, copy, found).id
                if request.only_changed:
                    put_fetch(session, _fetch(wish, copy, found, job_id))
                return Taken(job_id)


def _accepted(session: Transaction, settings: Settings, wish: Wish, copy: Copy, found: Fetched) -> Job:
    upload = take_in(session, settings, wish.plan, copy, plain_name(found.file_name))
    interrupted = _interrupted(session, wish.plan, copy.sha256)
    return interrupted or new_job(session, settings, wish.plan, upload, Origin())


def _fetch(wish: Wish, copy: Copy, found: Fetched, job_id: str) -> Fetch:
    return Fetch(
        tenant=wish.plan.tenant,
        definition=wish.definition,
        url=wish.url,
        sha256=copy.sha256,
        job_id=job_id,
        etag=found.mark.etag,
        last_modified=found.mark.last_modified,
    )


def _skipped(known: Fetch) -> Taken:
    said = f"the content is the same as that of job {known.job_id}; nothing is to be done"
    return Taken(known.job_id, said)


def _interrupted(session: Transaction, plan: Plan, sha256: str) -> Job | None:
    """The job over the same bytes that was to do the same and that nobody works on."""
    for job in running_jobs(session, plan.tenant, plan.destination_key):
        same = (job.definition_id, job.mode, job.kind) == (plan.definition_id, plan.mode, plan.kind)
        if same and is_free(session, job) and get_upload(session, job.upload_id).sha256 == sha256:
            add_event(session, job.id, "resumed", "the same file was brought again")
            return job
    return None
