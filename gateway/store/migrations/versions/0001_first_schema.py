"""The first schema: registry, requests, budget, relay, releases and log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

EMPTY_LOG = {"only": 1, "size": 0, "peaks": ""}


def upgrade() -> None:
    _published()
    _asked()
    _budget()
    _relay()
    _left()
    _log()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


TABLES = (
    "contracts",
    "agreements",
    "agreement_parties",
    "nonces",
    "questions",
    "requests",
    "accounts",
    "charges",
    "tasks",
    "connectors",
    "data_versions",
    "releases",
    "release_sources",
    "forecasts",
    "citations",
    "log_head",
    "log_entries",
    "log_nodes",
    "log_checkpoints",
    "log_openings",
)


def _published() -> None:
    op.create_table(
        "contracts",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_contracts"),
        sa.UniqueConstraint("agency", "id", "version", name="uq_contracts_agency_id_version"),
    )
    op.create_index("ix_contracts_source", "contracts", ["source"])
    op.create_table(
        "agreements",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_agreements"),
        sa.UniqueConstraint("id", "version", name="uq_agreements_id_version"),
    )
    op.create_table(
        "agreement_parties",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["agreements.digest"], name="fk_agreement_parties_digest"),
        sa.PrimaryKeyConstraint("digest", "agency", name="pk_agreement_parties"),
    )


def _asked() -> None:
    op.create_table(
        "nonces",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kid", "nonce", name="pk_nonces"),
    )
    op.create_index("ix_nonces_seen_at", "nonces", ["seen_at"])
    op.create_table(
        "questions", sa.Column("key", sa.String(), nullable=False), sa.PrimaryKeyConstraint("key", name="pk_questions")
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("forwarded", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("joined_to", sa.String(), nullable=True),
        sa.Column("release_id", sa.String(), nullable=True),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("available_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["joined_to"], ["requests.id"], name="fk_requests_joined_to"),
        sa.ForeignKeyConstraint(["question"], ["questions.key"], name="fk_requests_question"),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    op.create_index("ix_requests_question_state", "requests", ["question", "state"])
    op.create_index("ix_requests_release_id", "requests", ["release_id"])
    op.create_index("ix_requests_state", "requests", ["state"])


def _budget() -> None:
    op.create_table(
        "accounts",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("budget_window", sa.String(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("spent + reserved <= budget", name="ck_accounts_never_overspent"),
        sa.CheckConstraint("spent >= 0 AND reserved >= 0", name="ck_accounts_never_negative"),
        sa.PrimaryKeyConstraint("source", "budget_window", name="pk_accounts"),
    )
    op.create_table(
        "charges",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("budget_window", sa.String(), nullable=False),
        sa.Column("nano_rho", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("nano_rho > 0", name="ck_charges_costs_something"),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name="fk_charges_request"),
        sa.PrimaryKeyConstraint("request", "source", "budget_window", name="pk_charges"),
    )


def _relay() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("part_digest", sa.String(), nullable=True),
        sa.Column("posted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name="fk_tasks_request"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_agency_posted_at_leased_until", "tasks", ["agency", "posted_at", "leased_until"])
    op.create_index("ix_tasks_request", "tasks", ["request"])
    op.create_table(
        "connectors",
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency", name="pk_connectors"),
    )
    op.create_table(
        "data_versions",
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "dataset", name="pk_data_versions"),
    )


def _left() -> None:
    op.create_table(
        "releases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("available_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("withdrawal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
    )
    op.create_index("ix_releases_question", "releases", ["question"])
    op.create_table(
        "release_sources",
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name="fk_release_sources_release"),
        sa.PrimaryKeyConstraint("release", "agency", "dataset", name="pk_release_sources"),
    )
    op.create_table(
        "forecasts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("forecast", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forecasts"),
    )
    op.create_index("ix_forecasts_published_at", "forecasts", ["published_at"])
    op.create_table(
        "citations",
        sa.Column("forecast", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["forecast"], ["forecasts.id"], name="fk_citations_forecast"),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name="fk_citations_release"),
        sa.PrimaryKeyConstraint("forecast", "release", name="pk_citations"),
    )


def _log() -> None:
    head = op.create_table(
        "log_head",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_log_head"),
    )
    op.create_table(
        "log_entries",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_log_entries"),
    )
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name="pk_log_nodes"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
    )
    op.create_table(
        "log_openings",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("place", "name", name="pk_log_openings"),
    )
    op.bulk_insert(head, [EMPTY_LOG])
