"""Imports as documents: what they say, what was changed in them, and connections."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply the change."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "import_resource",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("definition_name", sa.String(), nullable=True),
        sa.Column("definition_id", sa.Integer(), sa.ForeignKey("definition.id"), nullable=True),
        sa.Column("api_identifier", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("is_guessed", sa.Boolean(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("modified_at", time, nullable=False),
        sa.Column("removed_at", time, nullable=True),
    )
    op.create_index("import_resource_by_definition", "import_resource", ["tenant", "definition_name"])
    op.create_table(
        "resource_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("field_path", sa.String(), nullable=True),
        sa.Column("old_value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("new_value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("at", time, nullable=False),
    )
    op.create_index("resource_change_by_time", "resource_change", ["tenant", "resource_id", "id"])
    op.create_table(
        "integrator_connection",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("modified_at", time, nullable=False),
        sa.Column("removed_at", time, nullable=True),
    )
