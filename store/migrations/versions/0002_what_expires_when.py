"""Uploads, stages, errors and jobs say when they expire and when they were removed; sizes beyond 2 GiB."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NEVER = "9999-12-31 00:00:00.000000"
"""Until the next statement says when; SQLite wants a constant to add a column that is never null."""


def upgrade() -> None:
    """Apply the change."""
    time = sa.DateTime(timezone=True)
    op.add_column("upload", sa.Column("purged_at", time, nullable=True))
    op.add_column("job", sa.Column("stage_expires_at", time, nullable=False, server_default=_NEVER))
    op.add_column("job", sa.Column("errors_expire_at", time, nullable=False, server_default=_NEVER))
    op.add_column("job", sa.Column("errors_purged_at", time, nullable=True))
    op.add_column("job", sa.Column("purged_at", time, nullable=True))
    op.execute("UPDATE job SET stage_expires_at = expires_at, errors_expire_at = expires_at")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("upload", "size_bytes", type_=sa.BigInteger(), existing_nullable=False)
