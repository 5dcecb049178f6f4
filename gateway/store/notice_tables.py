"""The tables of notices, suspensions, and what each activity used of its schedule."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.engine import Instant
from gateway.store.tables import metadata

# ---------------------------------------------------------------- signed documents that connectors fetch
notice_head = Table(
    "notice_head",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)
notices = Table(
    "notices",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("to_all", Boolean, nullable=False),
    Column("added_at", Instant, nullable=False),
)
notice_agencies = Table(
    "notice_agencies",
    metadata,
    Column("number", ForeignKey("notices.number"), primary_key=True),
    Column("agency", String, primary_key=True),
)

# ---------------------------------------------------------------- what is suspended
suspensions = Table(
    "suspensions",
    metadata,
    Column("id", String, primary_key=True),
    Column("ordered_by", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("dataset", String),
    Column("document", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ordered_at", Instant, nullable=False),
    Column("lift_document", Text),
    Column("lift_reason", Text),
    Column("lifted_at", Instant),
)

# ---------------------------------------------------------------- what an activity asked
activities = Table(
    "activities",
    metadata,
    Column("agreement", String, primary_key=True),
    Column("activity", String, primary_key=True),
)
activity_uses = Table(
    "activity_uses",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("agreement", String, nullable=False),
    Column("activity", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Index(None, "agreement", "activity", "asked_at"),
)
