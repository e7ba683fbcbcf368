"""Links that open the page of one job without a key: signed, read-only, and over after some days."""

from datetime import datetime, timedelta

from schemas.clock import utc_now
from schemas.settings import Settings
from schemas.signing import Purpose, Signer


def job_link(settings: Settings, signer: Signer, job_id: str) -> str:
    """The address that opens this job's page for whoever has it, for mails and answers to vendors' clients.

    It begins with `public_url`, else with where the service listens; what a request says has no part in it.
    """
    token = signer.sign(Purpose.JOB_LINK, [job_id, int(link_ends_at(settings).timestamp())])
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = settings.public_url or f"http://{host}:{settings.port}"
    return f"{base.rstrip('/')}/ui/jobs/{job_id}?token={token}"


def link_ends_at(settings: Settings) -> datetime:
    """Until when a link that is made now opens its page."""
    return utc_now() + timedelta(days=settings.link_days)
