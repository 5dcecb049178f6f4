"""The tables that all registers share: times as ``Instant``, values as the JSON of the wire, amounts in nano-rho.

``migrations/`` builds them; a test holds the two together.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.store.engine import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ---------------------------------------------------------------- what was published
contracts = Table(
    "contracts",
    metadata,
    Column("digest", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("source", String, nullable=False, index=True),
    Column("budget", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("agency", "id", "version"),
)

# ---------------------------------------------------------------- requests and their questions
nonces = Table(
    "nonces",
    metadata,
    Column("kid", String, primary_key=True),
    Column("nonce", String, primary_key=True),
    Column("seen_at", Instant, nullable=False, index=True),
)
questions = Table(
    "questions",
    metadata,
    Column("key", String, primary_key=True),
)
requests = Table(
    "requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("question", ForeignKey("questions.key"), nullable=False),
    Column("forwarded", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("joined_to", ForeignKey("requests.id")),
    Column("release_id", String),
    Column("repeated", Boolean, nullable=False),
    Column("problem", Text),
    Column("received_at", Instant, nullable=False),
    Column("available_at", Instant),
    Index(None, "state"),
    Index(None, "question", "state"),
    Index(None, "release_id"),
)

# ---------------------------------------------------------------- the budget
accounts = Table(
    "accounts",
    metadata,
    Column("source", String, primary_key=True),
    Column("budget_window", String, primary_key=True),
    Column("budget", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    CheckConstraint("spent >= 0 AND reserved >= 0", name="never_negative"),
    CheckConstraint("spent + reserved <= budget", name="never_overspent"),
)
charges = Table(
    "charges",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("source", String, primary_key=True),
    Column("budget_window", String, primary_key=True),
    Column("nano_rho", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("nano_rho > 0", name="costs_something"),
)

# ---------------------------------------------------------------- the relay
tasks = Table(
    "tasks",
    metadata,
    Column("id", String, primary_key=True),
    Column("request", ForeignKey("requests.id"), nullable=False, index=True),
    Column("agency", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("place", Integer, nullable=False),
    Column("task", Text, nullable=False),
    Column("digest", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("part", Text),
    Column("part_digest", String),
    Column("posted_at", Instant),
    Index(None, "agency", "posted_at", "leased_until"),
)
connectors = Table(
    "connectors",
    metadata,
    Column("agency", String, primary_key=True),
    Column("last_seen", Instant, nullable=False),
)
data_versions = Table(
    "data_versions",
    metadata,
    Column("agency", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

# ---------------------------------------------------------------- what left
releases = Table(
    "releases",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("question", String, nullable=False, index=True),
    Column("requester", String, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("available_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("withdrawal", Text),
    Column("withdrawn_at", Instant),
)
release_sources = Table(
    "release_sources",
    metadata,
    Column("release", ForeignKey("releases.id"), primary_key=True),
    Column("agency", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    Column("data_version", BigInteger, nullable=False),
)
