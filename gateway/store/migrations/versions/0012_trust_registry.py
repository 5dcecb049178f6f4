"""The trust registry: signed documents by role and version, and the targets that they name."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "registry_documents",
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", "version", name="pk_registry_documents"),
    )
    op.create_table(
        "registry_targets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_registry_targets"),
    )


def downgrade() -> None:
    """Take it back; members and officers publish what they signed again."""
    op.drop_table("registry_targets")
    op.drop_table("registry_documents")
