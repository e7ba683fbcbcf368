"""Who brings jobs over HTTP and who works on them: keys, databases by name, claims of tables, workers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply the change."""
    time = sa.DateTime(timezone=True)
    op.add_column("definition", sa.Column("removed_at", time, nullable=True))
    op.add_column("job", sa.Column("creation_path", sa.String(), nullable=False, server_default="CLI"))
    op.add_column("job", sa.Column("key_id", sa.String(), nullable=True))
    op.add_column("job", sa.Column("is_queued", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("job", sa.Column("flow_run_id", sa.String(), nullable=True))
    op.add_column("job", sa.Column("cancel_requested_at", time, nullable=True))
    op.create_index("job_by_time", "job", ["tenant", "received_at", "id"])
    open_jobs = sa.text("reported_at IS NULL")
    op.create_index(
        "open_jobs",
        "job",
        ["destination_key", "received_at", "id"],
        sqlite_where=open_jobs,
        postgresql_where=open_jobs,
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("subscription_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("definitions", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", time, nullable=False),
        sa.Column("revoked_at", time, nullable=True),
    )
    op.create_index("ix_api_key_tenant", "api_key", ["tenant"])
    op.create_table(
        "named_database",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("tenants", sa.JSON(), nullable=False),
        sa.Column("created_at", time, nullable=False),
    )
    op.create_table(
        "table_claim",
        sa.Column("destination_key", sa.String(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("claimed_at", time, nullable=False),
    )
    # Tables of tenants' own databases, `tenant/default/table`, are nobody else's anyhow.
    op.execute(
        "INSERT INTO table_claim (destination_key, tenant, claimed_at) "
        "SELECT destination_key, tenant, received_at FROM (SELECT job.*, row_number() OVER "
        "(PARTITION BY destination_key ORDER BY received_at, id) AS place FROM job "
        "WHERE kind = 'import' AND destination_key LIKE '%://%') AS placed WHERE place = 1"
    )
    op.create_table(
        "idempotency_key",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("expires_at", time, nullable=False),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("process", sa.JSON(), nullable=False),
        sa.Column("started_at", time, nullable=False),
        sa.Column("seen_at", time, nullable=False),
    )
