"""Whose a table is: the tenant's that first had an import into it accepted. What is in it is not looked at."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from schemas.clock import utc_now
from schemas.definition import DEFAULT_DATABASE
from schemas.errors import NotAllowedError
from store.access_tables import TableClaim
from store.backend import is_postgres


def claim_table(session: Session, tenant: str, destination_key: str) -> None:
    """Make the table the tenant's, unless it is already; its own database needs no claim.

    Raises:
        NotAllowedError: `table.claimed`, it belongs to another.
    """
    if destination_key.startswith(f"{tenant}/{DEFAULT_DATABASE}/"):
        return
    insert = postgresql.insert if is_postgres(session) else sqlite.insert
    claim = insert(TableClaim).values(destination_key=destination_key, tenant=tenant, claimed_at=utc_now())
    session.execute(claim.on_conflict_do_nothing())
    refuse_claimed(session, tenant, destination_key)


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
