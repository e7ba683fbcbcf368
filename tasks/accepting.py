"""Makes the job of a file that was brought, whoever brought it: what it will do, and whether it may."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from schemas.authority import refuse_beyond
from schemas.clock import utc_now
from schemas.definition import Mode
from schemas.errors import BusyError, NotAllowedError
from schemas.job import JobKind
from schemas.principal import Principal
from schemas.settings import Settings
from store.backend import alone
from store.claims import claim_table, refuse_claimed
from store.database import Transaction
from store.definitions import get_definition
from store.jobs import add_job, running_jobs
from store.tables import DefinitionVersion, Job, Upload
from store.uploads import put_upload
from tasks.copying import Copy
from tasks.vendor_destination import destination_identity


@dataclass(frozen=True)
class Origin:
    """How a job came; each as in the job (`store.tables.Job`)."""

    creation_path: str = "CLI"
    key_id: str | None = None
    is_queued: bool = False
    mail: dict[str, str | None] | None = None
    has_events: bool = False
    bytes_expire_at: datetime | None = None
    file_options: dict[str, Any] | None = None
    source_job_id: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a job is to be, as far as it is known without the bytes of its file.

    Attributes:
        destination_key: identity of where records go; a table is the tenant's or nobody's yet.
    """

    tenant: str
    definition_id: int
    mode: Mode
    kind: JobKind
    destination_key: str


def allowed_definition(session: Transaction, principal: Principal, name: str) -> DefinitionVersion:
    """The definition of this name that the principal's tenant sees and this key may use.

    Raises:
        NotFoundError: the tenant sees none.
        NotAllowedError: the key may not use it, or it says more than a tenant may (`schemas.authority`).
    """
    if not principal.may_use(name):
        raise NotAllowedError("definition.not_allowed", f"this key may not use the definition {name!r}")
    stored = get_definition(session, principal.tenant, name)
    refuse_beyond(principal.is_operator, stored.definition)
    return stored


def plan_job(
    session: Transaction,
    tenant: str,
    stored: DefinitionVersion,
    mode: Mode | None,
    *,
    validate_only: bool,
) -> Plan:
    """The job that the tenant wants with this definition, in this mode or its own.

    Raises:
        DefinitionError: the definition can't work in that mode, or names no container of the vendor.
        DestinationError: its database is none that Lading knows.
        NotAllowedError: database or connection were not granted to the tenant, or the table is another's.
    """
    definition = stored.definition.in_mode(mode)
    key = destination_identity(session, tenant, definition)
    refuse_claimed(session, tenant, key)
    kind = JobKind.VALIDATE if validate_only else JobKind.IMPORT
    return Plan(tenant, stored.id, definition.mode, kind, key)


def refuse_busy(session: Transaction, plan: Plan) -> None:
    """Refuse the job where another import into its table is not terminal; whoever asks likewise takes turns.

    Raises:
        BusyError: names that job.
    """
    alone(session, "import", plan.destination_key)
    for job in running_jobs(session, plan.tenant, plan.destination_key):
        if job.kind is JobKind.IMPORT:
            raise BusyError("another import into the same table has not come to its end", job.id)


def take_in(
    session: Transaction,
    settings: Settings,
    plan: Plan,
    copy: Copy,
    file_name: str,
    *,
    expires_at: datetime | None = None,
) -> Upload:
    """Claim the table, if anything is to be written, and put the bytes in their place.

    Args:
        expires_at: when the bytes may go; None: as the settings say.

    Raises:
        NotAllowedError: the table became another's meanwhile.
    """
    if plan.kind is not JobKind.VALIDATE:
        claim_table(session, plan.tenant, plan.destination_key)
    upload = put_upload(
        session,
        plan.tenant,
        sha256=copy.sha256,
        size_bytes=copy.size_bytes,
        file_name=file_name,
        days=settings.upload_days if expires_at is None else (expires_at - utc_now()) / timedelta(days=1),
    )
    # Not before the bytes are locked: a purge may be removing the same ones.
    copy.move_to(settings.upload_path(copy.sha256))
    return upload


def new_job(
    session: Transaction,
    settings: Settings,
    plan: Plan,
    upload: Upload,
    origin: Origin,
    begun: Mapping[str, Any] = MappingProxyType({}),
) -> Job:
    """The job, kept.

    Args:
        begun: columns of a job whose rows are read and checked already.
    """
    now = utc_now()
    return add_job(
        session,
        Job(
            id=str(uuid4()),
            upload_id=upload.id,
            expires_at=now + timedelta(days=settings.job_days),
            errors_expire_at=now + timedelta(days=min(settings.error_days, settings.job_days)),
            stage_expires_at=now + timedelta(days=settings.stage_days),
            **vars(plan),
            **vars(origin),
            **begun,
        ),
    )
