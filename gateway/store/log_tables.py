"""The tables of the log: entries with their hashes, full tiles, the head, checkpoints, cosignatures and openings."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.engine import Instant
from gateway.store.tables import metadata

log_head = Table(
    "log_head",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("peaks", Text, nullable=False),
)
log_entries = Table(
    "log_entries",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
)
log_leaves = Table(
    "log_leaves",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)
log_tiles = Table(
    "log_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
)
log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("published", Boolean, nullable=False),
    Column("witnesses", Integer, nullable=False),
    Index("ix_log_checkpoints_witnesses_size", "witnesses", "size"),
)
log_cosignatures = Table(
    "log_cosignatures",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", String, primary_key=True),
    Column("line", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
)
log_openings = Table(
    "log_openings",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    Column("salt", String, nullable=False),
    Column("digest", String, nullable=False),
)
