"""Stage 1: take the bytes as they came, know them by their hash, and write the job down."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from schemas.definition import Mode
from schemas.import_request import ImportRequest
from schemas.principal import Principal
from schemas.settings import Settings
from store.database import Store, Transaction
from store.idempotency import job_asked_for, refuse_no_key, remember_job
from store.tables import DefinitionVersion
from tasks.accepting import Origin, allowed_definition, new_job, plan_job, refuse_busy, take_in
from tasks.bringing import Taken, bring
from tasks.copying import copied
from tasks.file_names import plain_name
from tasks.stage import stage


def accept_upload(settings: Settings, request: ImportRequest) -> str:
    """Store the file that the request names, and give the id of its job; raises as `tasks.bringing.bring`."""
    return bring(settings, request).job_id


@dataclass(frozen=True)
class Brought:
    """A file that came in over HTTP, with what is wanted of it.

    Attributes:
        file: open, at its start; stays the caller's.
        file_name: as the client calls it.
        is_label: that is no name of a file, but words for people, which are kept as they are.
        definition: name of one that the principal's tenant sees.
        mode: instead of the definition's.
        creation_path: as in the job (`store.tables.Job`).
        idempotency_key: under which asking again gives the same job; None: each call is a new one.
        is_exclusive: refused where an import into the same table is not terminal.
        mail, has_events, bytes_expire_at, file_options, source_job_id: as in the job.
    """

    principal: Principal
    file: BinaryIO
    file_name: str
    definition: str
    is_label: bool = False
    mode: Mode | None = None
    validate_only: bool = False
    creation_path: str = "API"
    idempotency_key: str | None = None
    is_exclusive: bool = False
    mail: dict[str, str | None] | None = None
    has_events: bool = False
    bytes_expire_at: datetime | None = None
    file_options: dict[str, Any] | None = None
    source_job_id: str | None = None


@dataclass(frozen=True)
class Accepted:
    """The job of a file that was brought.

    Attributes:
        is_new: False where it was there already, under the same idempotency key.
    """

    job_id: str
    is_new: bool


def accept_file(settings: Settings, brought: Brought) -> Accepted:
    """Store the file and make the job that imports it, for a worker to begin.

    Raises:
        NotFoundError: the tenant sees no such definition.
        NotAllowedError: the key may not use it (`definition.not_allowed`), it says more than a tenant may
            (`schemas.authority`), or its database or table is not the tenant's to use.
        DefinitionError: it can't work in that mode.
        IdempotencyConflictError: the idempotency key stands for another request.
        BusyError: it is exclusive, and another import has the table.
    """
    principal = brought.principal
    with Store.opened(settings) as store:
        with store.read() as session:
            plan = plan_job(
                session,
                principal.tenant,
                _allowed_definition(session, brought),
                brought.mode,
                validate_only=brought.validate_only,
            )
        with copied(settings, brought.file, "the file that was sent") as copy, store.write() as session:
            fingerprint = _fingerprint(brought, copy.sha256)
            if known := _job_asked_for(session, brought, fingerprint):
                return Accepted(known, is_new=False)
            if brought.is_exclusive:
                refuse_busy(session, plan)
            file_name = brought.file_name if brought.is_label else plain_name(brought.file_name)
            upload = take_in(session, settings, plan, copy, file_name, expires_at=brought.bytes_expire_at)
            origin = Origin(
                brought.creation_path,
                principal.key_id,
                is_queued=True,
                mail=brought.mail,
                has_events=brought.has_events,
                bytes_expire_at=brought.bytes_expire_at,
                file_options=brought.file_options,
                source_job_id=brought.source_job_id,
            )
            job_id = new_job(session, settings, plan, upload, origin).id
            if (key := brought.idempotency_key) is not None:
                days = settings.idempotency_days
                remember_job(session, principal.tenant, key, fingerprint, job_id, days=days)
            return Accepted(job_id, is_new=True)


@stage("upload")
def upload(settings: Settings, request: ImportRequest) -> Taken:
    """The task of this stage."""
    return bring(settings, request)


def _allowed_definition(session: Transaction, brought: Brought) -> DefinitionVersion:
    if brought.idempotency_key is not None:
        refuse_no_key(brought.idempotency_key)
    return allowed_definition(session, brought.principal, brought.definition)


def _fingerprint(brought: Brought, sha256: str) -> str:
    """SHA-256, hexadecimal, of all that is asked for."""
    mode = None if brought.mode is None else brought.mode.value
    asked = [
        *(brought.definition, mode, brought.validate_only, brought.creation_path, brought.file_name, sha256),
        *(brought.file_options, brought.mail, brought.has_events),
    ]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _job_asked_for(session: Transaction, brought: Brought, fingerprint: str) -> str | None:
    if brought.idempotency_key is None:
        return None
    return job_asked_for(session, brought.principal.tenant, brought.idempotency_key, fingerprint)
