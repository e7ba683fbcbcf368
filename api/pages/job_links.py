"""Links that open the page of one job without a key: signed, read-only, and over after some days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.context import Context
from api.signing import Purpose
from schemas.clock import utc_now


@dataclass(frozen=True)
class OpenedLink:
    """A link that is good: of which job, and until when."""

    job_id: str
    until: datetime


def job_link(context: Context, job_id: str) -> str:
    """The address that opens this job's page for whoever has it, for mails and answers to vendors' clients.

    It begins with `public_url`, else with where the service listens; what a request says has no part in it.
    """
    until = utc_now() + timedelta(days=context.settings.link_days)
    token = context.signer.sign(Purpose.JOB_LINK, [job_id, int(until.timestamp())])
    settings = context.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = settings.public_url or f"http://{host}:{settings.port}"
    return f"{base.rstrip('/')}/ui/jobs/{job_id}?token={token}"


def opened_link(context: Context, token: str) -> OpenedLink | None:
    """What the token of a link opens; None where it is none of ours, or its time is over."""
    signed = context.signer.value(Purpose.JOB_LINK, token)
    if signed is None:
        return None
    job_id, until = signed
    link = OpenedLink(job_id, datetime.fromtimestamp(until, UTC))
    return link if link.until > utc_now() else None
