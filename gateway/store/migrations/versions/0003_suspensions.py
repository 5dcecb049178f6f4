"""Suspensions of agencies and datasets, the notices that connectors fetch, and what each activity asked."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NO_NOTICE_YET = {"only": 1, "last": 0}
TABLES = ("activity_uses", "activities", "suspensions", "notice_agencies", "notices", "notice_head")


def upgrade() -> None:
    """Bring the schema forward."""
    _notices()
    _suspensions()
    _activities()
    _datasets_of_tasks()


def downgrade() -> None:
    """Take it back."""
    op.drop_column("tasks", "dataset")
    for table in TABLES:
        op.drop_table(table)


def _notices() -> None:
    head = op.create_table(
        "notice_head",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_notice_head"),
    )
    op.bulk_insert(head, [NO_NOTICE_YET])
    op.create_table(
        "notices",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("to_all", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notices"),
    )
    op.create_table(
        "notice_agencies",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["notices.number"], name="fk_notice_agencies_number"),
        sa.PrimaryKeyConstraint("number", "agency", name="pk_notice_agencies"),
    )


def _suspensions() -> None:
    op.create_table(
        "suspensions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.BigInteger(), nullable=False),
        sa.Column("lift_document", sa.Text(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_suspensions"),
    )


def _activities() -> None:
    op.create_table(
        "activities",
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("activity", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "activity", name="pk_activities"),
    )
    op.create_table(
        "activity_uses",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name="fk_activity_uses_request"),
        sa.PrimaryKeyConstraint("request", name="pk_activity_uses"),
    )
    columns = ["agreement", "activity", "asked_at"]
    op.create_index("ix_activity_uses_agreement_activity_asked_at", "activity_uses", columns)


def _datasets_of_tasks() -> None:
    """Give every task its dataset, so that a suspended one is not handed out; older tasks name it in their text."""
    op.add_column("tasks", sa.Column("dataset", sa.String(), nullable=True))
    tasks = sa.table("tasks", sa.column("id"), sa.column("task"), sa.column("dataset"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(tasks.c.id, tasks.c.task)).all():
        dataset = json.loads(row.task)["contract"]["id"]
        connection.execute(sa.update(tasks).where(tasks.c.id == row.id).values(dataset=dataset))
    with op.batch_alter_table("tasks") as batch:
        batch.alter_column("dataset", existing_type=sa.String(), nullable=False)
