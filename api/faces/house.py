"""The house behind the faces: `connectors.face.Imports`, on the job store and the stages."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, astuple
from io import BytesIO
from uuid import UUID

from starlette.requests import Request

from api.faces.import_house import ImportHouse
from api.faces.job_views import created_ids, failed_to_update, job_view
from api.faces.pieces import errors_of, pages_of
from api.faces.receiving import received_body, received_form
from connectors.face import JobView, Received, Submission
from connectors.invocation import Invocation, RecordAnswer
from formats import csv_template, write_template
from schemas.client_file import FilePart, FileRules, KeptFile, OpenFile
from schemas.errors import NotAllowedError, NotFoundError
from schemas.job_link import job_link
from schemas.principal import Principal
from schemas.row_error import RowError
from store.definitions import get_definition, list_definitions
from store.job_lists import JobFilter, page_of_jobs
from store.job_numbers import give_numbers, job_numbered, numbers_of
from store.jobs import job_of
from store.keys import principal_of
from store.tables import Job
from tasks.again import accept_again
from tasks.client_files import open_client_file, take_part
from tasks.invoke import invoke
from tasks.locating import detected_of
from tasks.mail import refuse_recipients
from tasks.upload import Brought, accept_file

MOST_JOBS = 1_000


class House(ImportHouse):
    """`connectors.face.Imports`."""

    def admit(self, token: str, subscription_key: str | None = None) -> Principal | None:
        """Who comes in with this token, and with this second secret where one is given; None: nobody."""
        with self._context().store.read() as session:
            return principal_of(session, token, subscription_key)

    def receive_form(
        self, request: Request, parts: Sequence[str], limit_bytes: int | None = None
    ) -> AbstractAsyncContextManager[Received]:
        """The one file of a multipart form, under any of the names in `parts`."""
        return received_form(request, parts, limit_bytes)

    def receive_body(
        self, request: Request, limit_bytes: int | None = None
    ) -> AbstractAsyncContextManager[Received]:
        """The body as it is, as a file."""
        return received_body(request, limit_bytes)

    def definition_at(self, principal: Principal, face: str, address: Mapping[str, str | int]) -> str:
        """The name of the definition at this address: the tenant's own before the operator's."""
        wanted = _plain(address)
        with self._context().store.read() as session:
            stored = list_definitions(session, principal.tenant)
        own_first = sorted(stored, key=lambda d: d.tenant != principal.tenant)
        names = [d.name for d in own_first if _plain(d.definition.faces.get(face, {})) == wanted]
        if not names:
            raise NotFoundError(f"no definition has the address {dict(address)} of {face}")
        if not principal.may_use(names[0]):
            raise NotAllowedError("definition.not_allowed", "the key may not be used for this")
        return names[0]

    def take_part(self, principal: Principal, part: FilePart, rules: FileRules) -> KeptFile:
        """Keep a part of a client's file, or all of it; one that is there already is no error."""
        context = self._context()
        return take_part(context.settings, context.store, principal.tenant, part, rules)

    def open_client_file(self, principal: Principal, client_hash: str) -> OpenFile:
        """The whole file that the client brought under this id."""
        context = self._context()
        return open_client_file(context.settings, context.store, principal.tenant, client_hash)

    def submit(self, principal: Principal, submission: Submission) -> str:
        """Accept the import; gives the id of its job, which a worker will begin."""
        told = [address for address in astuple(submission.mail) if address is not None]
        refuse_recipients(self._context().settings, principal, told)
        brought = Brought(
            principal=principal,
            file=submission.file,
            file_name=submission.file_name,
            definition=submission.definition,
            is_label=submission.is_label,
            idempotency_key=submission.idempotency_key,
            mode=submission.mode,
            validate_only=submission.validate_only,
            creation_path=submission.creation_path,
            is_exclusive=submission.is_exclusive,
            bytes_expire_at=submission.expires_at,
            has_events=submission.has_events,
            file_options=options.model_dump(mode="json") if (options := submission.file_options) else None,
            mail=asdict(submission.mail) if told else None,
        )
        return accept_file(self._context().settings, brought).job_id

    def invoke(self, principal: Principal, invocation: Invocation) -> Sequence[RecordAnswer]:
        """Take the records in while the client waits; what became of each, in their order."""
        context = self._context()
        return invoke(context.settings, context.store, principal, invocation)

    def submit_again(self, principal: Principal, job_id: str, creation_path: str) -> str:
        """Import the bytes of that job with its definition and mode; gives the new job's id."""
        return accept_again(self._context().settings, principal, job_id, creation_path).job_id

    def job(self, principal: Principal, job_id: str) -> JobView:
        """What is known of the job."""
        with self._context().store.read() as session:
            return job_view(session, job_of(session, principal.tenant, job_id, principal.definitions))

    def jobs(self, principal: Principal, creation_path: str) -> Sequence[JobView]:
        """The newest jobs that came this way, at most 1,000, newest first."""
        wanted = JobFilter(creation_path=creation_path)
        with self._context().store.read() as session:
            found = page_of_jobs(
                session, principal.tenant, wanted, limit=MOST_JOBS, definitions=principal.definitions
            )
            return [job_view(session, job) for job in found]

    def failed_to_update(self, principal: Principal, job_id: str) -> int:
        """How many of `counts.failed` were to change a record that was there; the others were to create one."""
        job = self._job(principal, job_id)
        return failed_to_update(pages_of(self._context().store, job.id)) if job.failed else 0

    def errors(self, principal: Principal, job_id: str) -> Iterator[RowError]:
        """All errors of the job's rows, in the order of the file; read piece by piece."""
        yield from errors_of(self._context().store, self._job(principal, job_id).id)

    def created_ids(self, principal: Principal, job_id: str) -> Iterator[UUID]:
        """The id of each record that the job created, in the order of the file; a record keeps its id."""
        job = self._job(principal, job_id)
        yield from created_ids(job, pages_of(self._context().store, job.id))

    def headers(self, principal: Principal, job_id: str) -> Mapping[str, str]:
        """Letter of the column → header, as it stands in the job's file."""
        job = self._job(principal, job_id)
        columns = [] if job.detected is None else detected_of(job).columns
        return {column.letter: column.header for column in columns if column.letter is not None}

    def numbers(self, job_ids: Collection[str]) -> Mapping[str, int]:
        """Id of each of these jobs → the number by which clients know it whose ids are numbers."""
        store = self._context().store
        with store.read() as session:
            known = numbers_of(session, job_ids)
        if known.keys() >= set(job_ids):
            return known
        with store.write() as session:
            return give_numbers(session, job_ids)

    def numbered(self, principal: Principal, number: int) -> JobView:
        """The job with this number."""
        with self._context().store.read() as session:
            return job_view(session, job_numbered(session, principal.tenant, number, principal.definitions))

    def link(self, job_id: str) -> str:
        """A link that opens the job's page in a browser without a key, for some time."""
        context = self._context()
        return job_link(context.settings, context.signer, job_id)

    def template(self, principal: Principal, definition: str, kind: str) -> bytes:
        """A file of this kind, `xlsx` or `csv`, to be filled in."""
        with self._context().store.read() as session:
            found = get_definition(session, principal.tenant, definition).definition
        if kind == "csv":
            return csv_template(found)
        workbook = BytesIO()
        write_template(found, workbook)
        return workbook.getvalue()

    def _job(self, principal: Principal, job_id: str) -> Job:
        with self._context().store.read() as session:
            return job_of(session, principal.tenant, job_id, principal.definitions)


def _plain(address: Mapping[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in address.items()}
