"""What starts imports by itself: fetched sources and dropped files."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply the change."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "fetch",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("definition", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("last_modified", sa.String(), nullable=True),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.UniqueConstraint("tenant", "definition", "url"),
    )
    op.create_table(
        "drop",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("definition", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("claimed_at", time, nullable=False),
        sa.Column("announced_at", time, nullable=True),
        sa.Column("announcements", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("ended_at", time, nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.UniqueConstraint("job_id"),
    )
    open_drops = sa.text("ended_at IS NULL")
    op.create_index("open_drops", "drop", ["claimed_at"], sqlite_where=open_drops, postgresql_where=open_drops)
