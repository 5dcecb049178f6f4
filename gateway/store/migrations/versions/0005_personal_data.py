"""Registers under the Personal Data Protection Act."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "register_entries",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("register", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_register_entries"),
        sa.UniqueConstraint("register", "subject", "place", name="uq_register_entries_register_subject_place"),
    )
    op.create_index("ix_register_entries_register_agency", "register_entries", ["register", "agency"])
    op.create_table(
        "retention_certificates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retention_certificates"),
    )
    op.create_index("ix_retention_certificates_at", "retention_certificates", ["at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("retention_certificates")
    op.drop_table("register_entries")
