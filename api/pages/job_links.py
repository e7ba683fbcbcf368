"""What the links open that `schemas.job_link` makes: the page of one job, without a key, for some days."""

from dataclasses import dataclass
from datetime import UTC, datetime

from api.context import Context
from schemas.clock import utc_now
from schemas.signing import Purpose


@dataclass(frozen=True)
class OpenedLink:
    """A link that is good: of which job, and until when."""

    job_id: str
    until: datetime


def opened_link(context: Context, token: str) -> OpenedLink | None:
    """What the token of a link opens; None where it is none of ours, or its time is over."""
    signed = context.signer.value(Purpose.JOB_LINK, token)
    if signed is None:
        return None
    job_id, until = signed
    link = OpenedLink(job_id, datetime.fromtimestamp(until, UTC))
    return link if link.until > utc_now() else None
