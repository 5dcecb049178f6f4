"""The tables of agreements: each version's text with its signatures, and the signed acts that moved it."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from gateway.store.engine import Instant
from gateway.store.tables import metadata

agreements = Table(
    "agreements",
    metadata,
    Column("digest", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("requester", String, nullable=False),
    Column("terms", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("signers", Text, nullable=False),
    # What the acts fold to, and the last one's digest, kept so that a reader need not fold; a test holds them together.
    Column("state", String, nullable=False),
    Column("head", String),
    Column("proposed_at", Instant, nullable=False),
    UniqueConstraint("id", "version"),
    Index(None, "state"),
)
agreement_acts = Table(
    "agreement_acts",
    metadata,
    Column("agreement", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("digest", String, nullable=False),
    Column("kid", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("act", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
