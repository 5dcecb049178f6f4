"""Contracts are retired."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "contract_retirements",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("retirement", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["contracts.digest"], name=op.f("fk_contract_retirements_digest")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_contract_retirements")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("contract_retirements")
