"""Where Lading keeps its state, and the few numbers that an operator may change."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.mail_address import EMAIL
from schemas.principal import OPERATOR_TENANT, TENANT_PATTERN

HOME_NAME = ".lading"


def find_home(start: Path) -> Path:
    """The nearest `.lading` at or above `start`; where there is none, the one to be made in `start`."""
    for folder in (start, *start.parents):
        if (folder / HOME_NAME).is_dir():
            return folder / HOME_NAME
    return start / HOME_NAME


class Settings(BaseSettings):
    """All settings; each is read from the environment variable `LADING_` + its name in capitals.

    Built once by `main`, a flow or a test, and passed down; nothing reads it from a global.
    """

    model_config = SettingsConfigDict(
        env_prefix="LADING_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=lambda: find_home(Path.cwd()),
        description="Folder of all state: job store, tables, uploads, stages, reports, Prefect's own files.",
    )
    tenant: str = Field(
        OPERATOR_TENANT,
        pattern=TENANT_PATTERN,
        description="Whose data this is; the command line acts as `local`.",
    )
    store_url: str | None = Field(
        None,
        description="The PostgreSQL database of the job store, `postgresql://user@host/database`, without a "
        "password; unset, it is the SQLite file of the home.",
    )
    store_password: SecretStr | None = Field(None, description="The password for `LADING_STORE_URL`.")
    prefect_api_url: str | None = Field(
        None, description="Run imports as flows of this Prefect server instead of without one."
    )
    lease_seconds: float = Field(
        30.0, gt=0, description="A job whose worker gave no sign for so long may be taken up by another."
    )
    busy_timeout_seconds: float = Field(
        30.0, gt=0, description="How long a write waits for a locked database before it is an error."
    )
    upload_days: float = Field(
        30.0, gt=0, description="For so long the bytes of an upload are sure to be kept."
    )
    stage_days: float = Field(
        7.0, gt=0, description="For so long the checked rows of a job are kept that ended without a report."
    )
    error_days: float = Field(
        90.0,
        gt=0,
        description="For so long a job's errors and its file of failed rows are sure to be kept, "
        "if `LADING_JOB_DAYS` is not less.",
    )
    job_days: float = Field(
        90.0, gt=0, description="For so long what became of each row is sure to be kept; counts stay."
    )
    commit_rows: int = Field(
        10_000,
        ge=1_000,
        description="Rows that one transaction of the destination covers at most; chunks stay whole.",
    )
    segment_rows: int = Field(
        200_000, ge=1_000, description="Rows that one import task covers at most; chunks stay whole."
    )

    vendor_deadline_seconds: float = Field(
        21_600.0,
        gt=0,
        description="So long a vendor may take to accept a part of a job, and so long to be done with it.",
    )

    invoke_deadline_seconds: float = Field(
        300.0,
        gt=0,
        description="So long an invoke waits for a vendor that its records go to; its job goes on after that.",
    )

    host: str = Field(
        "127.0.0.1",
        description="Where `lading serve` listens; anything but loopback lets others in, with keys.",
    )
    port: int = Field(8642, ge=0, le=65535, description="The port of API and pages; 0 takes a free one.")
    prefect_host: str = Field(
        "127.0.0.1",
        description="Where the Prefect server of `lading serve` listens; it has no login: who reaches it may "
        "start imports.",
    )
    prefect_port: int = Field(
        4201, ge=0, le=65535, description="The port of Prefect's API and UI; 0 takes a free one."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="How others reach API and pages, for links that leave the house; unset, where it listens.",
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Signs sessions and links; unset, one is made at the first start and kept in the home.",
    )
    link_days: float = Field(
        30.0,
        gt=0,
        description="For so long a link in a mail or an answer opens the page of its job without a key.",
    )
    upload_limit_bytes: int = Field(
        2**30,
        ge=1,
        description="Bytes that the body of a request, or a file that is fetched, may have; with more it is "
        "refused.",
    )
    fetch_seconds: float = Field(
        900.0, gt=0, description="So long it may take to fetch a file of the web, to its last byte."
    )
    idempotency_days: float = Field(
        7.0, gt=0, description="For so long the same `Idempotency-Key` gives the same job."
    )
    worker_jobs: int = Field(
        2, ge=1, le=64, description="Jobs that one worker of `lading serve` brings to their end at a time."
    )
    work_pool: str | None = Field(
        None,
        description="Start jobs that come over HTTP as runs of this Prefect work pool, not in the worker of "
        "`lading serve`.",
    )

    inbox_stable_seconds: float = Field(
        2.0, gt=0, description="A dropped file counts as whole when nothing about it changed for so long."
    )
    inbox_sweep_seconds: float = Field(
        5.0,
        gt=0,
        description="How often watched folders are looked through, whether or not the system told of a change.",
    )
    webhook_give_up_seconds: float = Field(
        86_400.0,
        ge=0,
        description="A webhook that takes no event for so long is given up; until then the job waits for it, "
        "and every other import into the table with it.",
    )
    faces_off: str = Field(
        "", description="Vendors whose API is not served, separated by commas, such as `starmind, elma365`."
    )

    smtp_host: str | None = Field(
        None, description="The server that mails go through; unset, none are sent, and jobs say so."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="The port of the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How the way to the mail server is encrypted: `starttls` (usually port 587), `tls` "
        "from the first byte (465), or `none` (25), where a password is sent in the clear.",
    )
    smtp_user: str | None = Field(None, description="Whom the mail server knows us as; unset, no login.")
    smtp_password: SecretStr | None = Field(None, description="The password for `LADING_SMTP_USER`.")
    smtp_sender: str | None = Field(
        None,
        pattern=EMAIL,
        description="The address that mails come from; needed where `LADING_SMTP_HOST` is.",
    )
    mail_domains: str = Field(
        "",
        description="Domains that mails may go to, separated by commas, such as `example.org, example.com`; "
        "unset, any.",
    )
    mails_per_hour: int = Field(
        100, ge=0, description="Mails that one tenant may have sent within an hour; those above are not sent."
    )

    books_schema: str | None = Field(
        None,
        description="Schema of a PostgreSQL destination for Lading's own tables (`lading_…`), which must be "
        "there; where none is named, that of the table. Not to be changed while a job is under way.",
    )

    memory_limit_bytes: int = Field(
        DEFAULT_LIMITS.memory_bytes,
        ge=512 * 2**20,
        description="Memory that the process reading a file may take.",
    )
    cpu_limit_seconds: int = Field(
        DEFAULT_LIMITS.cpu_seconds,
        ge=1,
        description="Processor time that reading and checking one file may take.",
    )
    time_limit_seconds: float = Field(
        DEFAULT_LIMITS.time_seconds,
        gt=0,
        description="Time on the clock that reading and checking a file may take.",
    )
    unpacked_limit_bytes: int = Field(
        DEFAULT_LIMITS.unpacked_bytes,
        ge=1,
        description="Bytes that a compressed file may hold when it is unpacked.",
    )
    unpacked_limit_ratio: int = Field(
        DEFAULT_LIMITS.unpacked_ratio,
        ge=1,
        description="Unpacked bytes for each packed one that a compressed file may hold, judged above 64 MiB.",
    )
    archive_limit_entries: int = Field(
        DEFAULT_LIMITS.archive_entries, ge=1, description="Parts that the archive of a workbook may have."
    )
    sheet_limit_cells: int = Field(
        DEFAULT_LIMITS.sheet_cells, ge=1, description="Cells that the filled part of a sheet may span."
    )
    file_limit_columns: int = Field(
        DEFAULT_LIMITS.columns, ge=1, description="Columns (keys, in JSON Lines) that a file may have."
    )

    @field_validator("store_url")
    @classmethod
    def _without_password(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if parts.password is not None or parse_qs(parts.query).keys() & {"password", "sslpassword"}:
            raise ValueError("a password does not belong in a URL; LADING_STORE_PASSWORD is the place for it")
        return url or None

    @model_validator(mode="after")
    def _mails_have_a_sender(self) -> Self:
        if self.smtp_host is not None and self.smtp_sender is None:
            raise ValueError("LADING_SMTP_HOST needs LADING_SMTP_SENDER, the address that mails come from")
        return self

    @property
    def limits(self) -> Limits:
        """What reading one file may cost."""
        return Limits(
            self.memory_limit_bytes,
            self.cpu_limit_seconds,
            self.time_limit_seconds,
            self.unpacked_limit_bytes,
            self.unpacked_limit_ratio,
            self.archive_limit_entries,
            self.sheet_limit_cells,
            self.file_limit_columns,
        )

    @property
    def store_path(self) -> Path:
        """The job store's SQLite file; there is none where `store_url` is set."""
        return self.home / "lading.db"

    @property
    def prefect_home(self) -> Path:
        """Prefect's own files; never those of the person who runs Lading."""
        return self.home / "prefect"

    def table_path(self, tenant: str) -> Path:
        """The SQLite file of the tenant's `database: default`."""
        return self.home / "data" / f"{tenant}.db"

    @property
    def uploads_path(self) -> Path:
        """Folder of the bytes of all uploads."""
        return self.home / "uploads"

    def upload_path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, whoever brought them."""
        return self.uploads_path / sha256[:2] / sha256

    @property
    def parts_path(self) -> Path:
        """Folder of what came so far of files that clients bring in parts."""
        return self.uploads_path / "parts"

    @property
    def inbox_path(self) -> Path:
        """Folder of the folders into which files are dropped, one for each of the operator's definitions."""
        return self.home / "inbox"

    def stages_path(self, job_id: str) -> Path:
        """Folder of all that was ever staged for the job."""
        return self.home / "stages" / job_id

    def stage_path(self, job_id: str, epoch: int) -> Path:
        """Folder of the job's checked records; made by validate under this epoch, read by import.

        A worker that lost its lease goes on writing to a folder that nobody reads.
        """
        return self.stages_path(job_id) / str(epoch)

    def report_path(self, job_id: str) -> Path:
        """Folder of the files that the job leaves for people."""
        return self.home / "reports" / job_id

    def make_home(self) -> None:
        """Create the home, closed to other users and invisible to git; harmless when it is there."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignore = self.home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
