"""Agreements move by signed acts.

An agreement of before lacks the signatures of data protection officers and has no acts: it becomes a draft again, and
its parties approve it anew.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the schema forward."""
    op.drop_table("agreement_parties")
    with op.batch_alter_table("agreements") as batch:
        batch.add_column(sa.Column("requester", sa.String(), nullable=True))
        batch.add_column(sa.Column("signers", sa.Text(), nullable=True))
        batch.add_column(sa.Column("state", sa.String(), nullable=True))
        batch.add_column(sa.Column("head", sa.String(), nullable=True))
    _draft_again()
    with op.batch_alter_table("agreements") as batch:
        for name in ("requester", "state"):
            batch.alter_column(name, existing_type=sa.String(), nullable=False)
        batch.alter_column("signers", existing_type=sa.Text(), nullable=False)
        batch.drop_column("active")
    op.create_index("ix_agreements_state", "agreements", ["state"])
    op.create_table(
        "agreement_acts",
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "version", "place", name="pk_agreement_acts"),
    )


def downgrade() -> None:
    """Take it back; no agreement is in force afterwards."""
    op.drop_table("agreement_acts")
    op.drop_index("ix_agreements_state", "agreements")
    with op.batch_alter_table("agreements") as batch:
        batch.add_column(sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.false()))
        for name in ("requester", "signers", "state", "head"):
            batch.drop_column(name)
    with op.batch_alter_table("agreements") as batch:
        batch.alter_column("active", existing_type=sa.Boolean(), server_default=None)
    op.create_table(
        "agreement_parties",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["agreements.digest"], name="fk_agreement_parties_digest"),
        sa.PrimaryKeyConstraint("digest", "agency", name="pk_agreement_parties"),
    )


def _draft_again() -> None:
    agreements = sa.table(
        "agreements",
        *(sa.column(name, sa.String()) for name in ("digest", "terms", "document", "requester", "signers", "state")),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(agreements.c.digest, agreements.c.terms)).all():
        again = {"requester": json.loads(row.terms)["requester"], "document": "", "signers": "[]", "state": "draft"}
        connection.execute(sa.update(agreements).where(agreements.c.digest == row.digest).values(**again))
