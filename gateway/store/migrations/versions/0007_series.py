"""Standing series: paid windows and asked months."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "series", sa.Column("key", sa.String(), nullable=False), sa.PrimaryKeyConstraint("key", name="pk_series")
    )
    for name, place in (("series_windows", "budget_window"), ("series_months", "month")):
        op.create_table(
            name,
            sa.Column("series", sa.String(), nullable=False),
            sa.Column(place, sa.String(), nullable=False),
            sa.Column("request", sa.String(), nullable=False),
            sa.Column("settled", sa.Boolean(), nullable=False),
            sa.ForeignKeyConstraint(["series"], ["series.key"], name=f"fk_{name}_series"),
            sa.ForeignKeyConstraint(["request"], ["requests.id"], name=f"fk_{name}_request"),
            sa.PrimaryKeyConstraint("series", place, name=f"pk_{name}"),
        )
        op.create_index(f"ix_{name}_request", name, ["request"])


def downgrade() -> None:
    for name in ("series_months", "series_windows"):
        op.drop_index(f"ix_{name}_request", name)
        op.drop_table(name)
    op.drop_table("series")
