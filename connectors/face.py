"""What a server face is handed: all that it may ask of Lading, whose store and Prefect it does not know.

Every method that names a principal sees what that principal may see: what is another tenant's is not there.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol
from uuid import UUID

from starlette.requests import Request

from connectors.client_files import ClientFiles
from connectors.invocation import Invocation, RecordAnswer
from connectors.resources import Resources
from schemas.definition import FileOptions, Mode
from schemas.job import Counts, JobKind, JobState
from schemas.principal import Principal
from schemas.row_error import RowError


@dataclass(frozen=True)
class Received:
    """A file that came with a request, whole, on disk until the block ends.

    Attributes:
        file: open for reading, at its start.
        file_name: as the client calls it, data only; empty where it was not said.
        fields: the other parts of the form.
    """

    file: BinaryIO
    file_name: str
    size_bytes: int
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Mail:
    """Whom to tell when the job has ended; None: nobody.

    Attributes:
        success_to: told when every row was well.
        failure_to: told when any failed, or the job did.
    """

    success_to: str | None = None
    failure_to: str | None = None


@dataclass(frozen=True)
class Submission:
    """One import that a vendor's client asks for.

    Attributes:
        definition: name, as `definition_at` gave it.
        file: open, at its start.
        mode: instead of the definition's.
        idempotency_key: under which asking again gives the same job; None: each call is a new one.
        is_label: `file_name` is no name of a file, but words for people, which are kept as they are.
        file_options: what is known of the file, instead of the definition's `file`.
        creation_path: how the job came, as people search for it.
        is_exclusive: refused with `BusyError` where an import into the same destination is not terminal.
        expires_at: when the client's bytes are gone; a job that still runs then fails.
        has_events: the definition's webhooks are told of every record.
    """

    definition: str
    file: BinaryIO
    file_name: str
    creation_path: str
    mode: Mode | None = None
    idempotency_key: str | None = None
    is_label: bool = False
    file_options: FileOptions | None = None
    validate_only: bool = False
    is_exclusive: bool = False
    expires_at: datetime | None = None
    has_events: bool = False
    mail: Mail = Mail()


@dataclass(frozen=True)
class JobView:
    """What a face may know of a job.

    Attributes:
        source_job_id: the job whose bytes it imports again; None where it brought bytes of its own.
        counts: all zero before the job is terminal.
        rows: data rows of the file; None until it is read.
        rows_done: data rows behind the import so far.
        ended_at: None until it is terminal.
        error_code, error_message: why the job as a whole did not finish.
    """

    job_id: str
    key_id: str | None
    kind: JobKind
    state: JobState
    definition: str
    file_name: str
    creation_path: str
    source_job_id: str | None
    counts: Counts
    rows: int | None
    rows_done: int
    received_at: datetime
    ended_at: datetime | None
    error_code: str | None
    error_message: str | None


class Imports(ClientFiles, Resources, Protocol):
    """The house behind a face. Methods block for milliseconds, and are called from threads of the face."""

    def admit(self, token: str, subscription_key: str | None = None) -> Principal | None:
        """Who comes in with this token, and with this second secret where one is given; None: nobody."""
        ...

    def receive_form(
        self, request: Request, parts: Sequence[str], limit_bytes: int | None = None
    ) -> AbstractAsyncContextManager[Received]:
        """The one file of a multipart form, under any of the names in `parts`.

        Raises:
            BodyError: the body is too large, or no form with one such part.
        """
        ...

    def receive_body(
        self, request: Request, limit_bytes: int | None = None
    ) -> AbstractAsyncContextManager[Received]:
        """The body as it is, as a file.

        Raises:
            BodyError: it is too large, or was cut off.
        """
        ...

    def definition_at(self, principal: Principal, face: str, address: Mapping[str, str | int]) -> str:
        """The name of the definition whose `faces` name this address.

        Raises:
            NotFoundError: there is none.
            NotAllowedError: the key may not use it.
        """
        ...

    def submit(self, principal: Principal, submission: Submission) -> str:
        """Accept the import; gives the id of its job, which a worker will begin.

        Raises:
            NotFoundError, NotAllowedError: of the definition, its destination or the mails.
            ConflictError: the idempotency key stands for another request.
            BusyError: it is exclusive, and another import is not terminal.
        """
        ...

    def invoke(self, principal: Principal, invocation: Invocation) -> Sequence[RecordAnswer]:
        """Take the records in while the client waits; what became of each, in their order.

        Raises:
            NotFoundError, NotAllowedError: of the definition or its destination.
            DefinitionError: it can't take in records so.
            BodyError: there are too many records.
            RetriableError: nothing was decided; the same call may succeed later.
            OutcomeUnknownError: the destination may have taken the records.
        """
        ...

    def submit_again(self, principal: Principal, job_id: str, creation_path: str) -> str:
        """Import the bytes of that job with its definition and mode; gives the new job's id.

        Raises:
            NotFoundError: there is no such job, or its bytes are gone.
        """
        ...

    def job(self, principal: Principal, job_id: str) -> JobView:
        """What is known of the job.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def jobs(self, principal: Principal, creation_path: str) -> Sequence[JobView]:
        """The newest jobs that came this way, at most 1,000, newest first."""
        ...

    def failed_to_update(self, principal: Principal, job_id: str) -> int:
        """How many of `counts.failed` were to change a record that was there; the others were to create one."""
        ...

    def errors(self, principal: Principal, job_id: str) -> Iterator[RowError]:
        """All errors of the job's rows, in the order of the file; read piece by piece.

        However slowly they are taken, nothing of the store is held meanwhile.
        """
        ...

    def created_ids(self, principal: Principal, job_id: str) -> Iterator[UUID]:
        """The id of each record that the job created, in the order of the file; likewise piece by piece.

        A record keeps its id.
        """
        ...

    def headers(self, principal: Principal, job_id: str) -> Mapping[str, str]:
        """Letter of the column → header, as it stands in the job's file.

        Empty before the file is read, and for kinds of file that have no such letters.
        """
        ...

    def numbers(self, job_ids: Collection[str]) -> Mapping[str, int]:
        """Id of each of these jobs → the number by which clients know it whose ids are numbers.

        Above 0 and below 2**31; a job keeps its number.
        """
        ...

    def numbered(self, principal: Principal, number: int) -> JobView:
        """The job with this number.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def link(self, job_id: str) -> str:
        """A link that opens the job's page in a browser without a key, for some time."""
        ...

    def template(self, principal: Principal, definition: str, kind: str) -> bytes:
        """A file of this kind, `xlsx` or `csv`, to be filled in."""
        ...
