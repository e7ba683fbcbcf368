"""Records of an invoke go into a table also while a file is imported into it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply the change."""
    op.drop_index("one_import_per_destination", "job")
    importing = sa.text("state = 'importing' AND kind <> 'invoke'")
    op.create_index(
        "one_import_per_destination",
        "job",
        ["destination_key"],
        unique=True,
        sqlite_where=importing,
        postgresql_where=importing,
    )
