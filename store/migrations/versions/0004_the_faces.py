"""What vendors' faces need: numbers of jobs, files of clients, cursors of events, mails."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the change."""
    time = sa.DateTime(timezone=True)
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("job", sa.Column("file_options", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("job", sa.Column("source_job_id", sa.String(), nullable=True))
    op.add_column("job", sa.Column("mail", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("job", sa.Column("has_events", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("job", sa.Column("bytes_expire_at", time, nullable=True))
    op.create_table(
        "job_number",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=False),
        sa.UniqueConstraint("job_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "client_file",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("hash", sa.String(), primary_key=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("directory", sa.String(), nullable=True),
        sa.Column("size_bytes", long, nullable=False),
        sa.Column("received_bytes", long, nullable=False),
        sa.Column("part_bytes", long, nullable=True),
        sa.Column("upload_id", sa.String(), sa.ForeignKey("upload.id"), nullable=True),
        sa.Column("created_at", time, nullable=False),
        sa.Column("expires_at", time, nullable=True),
    )
    op.create_table(
        "event_cursor",
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("webhook", sa.Integer(), primary_key=True),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("given_up", sa.Integer(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
    )
