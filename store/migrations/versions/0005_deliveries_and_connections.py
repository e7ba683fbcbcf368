"""What goes to vendors: connections to them, and what was handed over to whom."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply the change."""
    time = sa.DateTime(timezone=True)
    op.add_column("job", sa.Column("vendor_counts", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("job", sa.Column("vendor_link", sa.String(), nullable=True))
    op.create_table(
        "connection",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("connector", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("tenants", sa.JSON(), nullable=False),
        sa.Column("created_at", time, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("first_record", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("handle", sa.JSON(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("begun_at", time, nullable=True),
        sa.Column("accepted_at", time, nullable=True),
        sa.Column("settled_at", time, nullable=True),
    )
