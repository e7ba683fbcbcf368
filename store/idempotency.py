"""What clients asked for under a name of their own, so that asking again gives the same job and not another."""

from datetime import timedelta

from sqlmodel import Session

from schemas.clock import utc_now
from schemas.errors import BodyError, IdempotencyConflictError
from store.access_tables import IdempotencyKey
from store.backend import alone, is_storable

MOST_CHARACTERS = 255


def refuse_no_key(name: str) -> None:
    """Nothing, where this can be an idempotency key.

    Raises:
        BodyError: 400; it is empty, too long, or no text.
    """
    if not 0 < len(name) <= MOST_CHARACTERS or not is_storable(name):
        raise BodyError(400, f"an idempotency key is a text of 1 to {MOST_CHARACTERS} characters")


def job_asked_for(session: Session, tenant: str, name: str, fingerprint: str) -> str | None:
    """The id of the job that the tenant got for this name; None where it is new, or its time is over.

    Until the end of the `write` nobody else of the tenant asks under the same name.

    Args:
        fingerprint: SHA-256, hexadecimal, of all that is asked for.

    Raises:
        IdempotencyConflictError: something else was asked for under the name.
    """
    alone(session, "idempotency", tenant, name)
    key = session.get(IdempotencyKey, (tenant, name))
    if key is None or key.expires_at <= utc_now():
        return None
    if key.fingerprint != fingerprint:
        raise IdempotencyConflictError(
            f"the idempotency key {name!r} was used for another request on "
            f"{key.created_at:%Y-%m-%d}; take a new one"
        )
    return key.job_id


def remember_job(
    session: Session, tenant: str, name: str, fingerprint: str, job_id: str, *, days: float
) -> None:
    """For so many days from now the name stands for this request and its job."""
    now = utc_now()
    session.merge(
        IdempotencyKey(
            tenant=tenant,
            name=name,
            fingerprint=fingerprint,
            job_id=job_id,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    session.flush()
