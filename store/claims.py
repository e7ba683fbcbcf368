"""Whose a table is: the tenant's that first had an import into it accepted. What is in it is not looked at."""

from collections.abc import Sequence

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from schemas.clock import utc_now
from schemas.destination_document import CONNECTION_KEY, DEFAULT_DATABASE, FILE_KEY
from schemas.errors import ConflictError, NotAllowedError, NotFoundError
from schemas.job import RUNNING
from store.access_tables import TableClaim
from store.backend import alone, is_postgres
from store.tables import Job


def claim_table(session: Session, tenant: str, destination_key: str) -> None:
    """Make the table the tenant's, unless it is already; its own database, vendors and files need no claim.

    Until the end of the `write` nobody else claims or releases it.

    Raises:
        NotAllowedError: `table.claimed`, it belongs to another.
    """
    if destination_key.startswith((f"{tenant}/{DEFAULT_DATABASE}/", FILE_KEY, CONNECTION_KEY)):
        return
    alone(session, "claim", destination_key)
    insert = postgresql.insert if is_postgres(session) else sqlite.insert
    claim = insert(TableClaim).values(destination_key=destination_key, tenant=tenant, claimed_at=utc_now())
    session.execute(claim.on_conflict_do_nothing())
    refuse_claimed(session, tenant, destination_key)


def list_claims(session: Session) -> Sequence[TableClaim]:
    """All tables that belong to somebody, in order of their identity."""
    return session.exec(select(TableClaim).order_by(TableClaim.destination_key)).all()


def release_table(session: Session, destination_key: str) -> TableClaim:
    """Make the table nobody's, for the next import to claim; gives whose it was.

    Raises:
        NotFoundError: it is nobody's.
        ConflictError: a job under way imports into it.
    """
    alone(session, "claim", destination_key)
    claim = session.get(TableClaim, destination_key)
    if claim is None:
        raise NotFoundError(
            f"nobody has claimed a table {destination_key!r}; `lading databases list` names them"
        )
    under_way = select(Job.id).where(Job.destination_key == destination_key, col(Job.state).in_(RUNNING))
    if job_id := session.exec(under_way.limit(1)).first():
        raise ConflictError(
            f"job {job_id} of {claim.tenant} imports into that table; let it come to its end first"
        )
    session.delete(claim)
    session.flush()
    return claim


def refuse_claimed(session: Session, tenant: str, destination_key: str) -> None:
    """Nothing, where the table is the tenant's or nobody's yet.

    Raises:
        NotAllowedError: `table.claimed`, it belongs to another.
    """
    owner = session.exec(select(TableClaim.tenant).where(TableClaim.destination_key == destination_key)).first()
    if owner not in {None, tenant}:
        table = destination_key.rpartition("/")[2]
        raise NotAllowedError(
            "table.claimed",
            f"the table {table!r} of that database belongs to another tenant; name another table",
        )
