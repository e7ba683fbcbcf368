"""Which mails were sent about which job: each at most once, and not too many for one tenant."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from schemas.clock import utc_now
from store.backend import alone
from store.jobs import add_event, locked_job
from store.tables import Event, Job

CLAIMED = "mail"
"""Name of the event that stands before a mail is sent; its detail is the kind of mail."""
HOUR = timedelta(hours=1)


class MailClaim(StrEnum):
    """Whether a mail may be sent."""

    GRANTED = "granted"
    SENT_BEFORE = "sent before"
    TOO_MANY = "too many"


def claim_mail(session: Session, job_id: str, kind: str, most_per_hour: int) -> MailClaim:
    """Whether whoever asks is to send the job's mail of this kind; granted once, whatever becomes of it.

    A process that dies after this has sent no mail, or one; nobody sends another.
    """
    job = locked_job(session, job_id)
    claims = select(Event.id).where(Event.job_id == job_id, Event.name == CLAIMED, Event.detail == kind)
    if session.exec(claims).first() is not None:
        return MailClaim.SENT_BEFORE
    alone(session, "mails", job.tenant)
    if _mails_of_the_hour(session, job.tenant) >= most_per_hour:
        return MailClaim.TOO_MANY
    add_event(session, job_id, CLAIMED, kind)
    return MailClaim.GRANTED


def _mails_of_the_hour(session: Session, tenant: str) -> int:
    since = utc_now() - HOUR
    # A mail is sent before its job counts as reported, so that older jobs need not be looked at.
    may_have_some = (
        Job.tenant == tenant,
        or_(col(Job.reported_at).is_(None), col(Job.reported_at) > since),
    )
    query = select(func.count(col(Event.id))).join(Job, col(Job.id) == col(Event.job_id))
    return session.exec(query.where(*may_have_some, Event.name == CLAIMED, col(Event.at) > since)).one()
