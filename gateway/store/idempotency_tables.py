"""The table of answers that are kept to be given again."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from gateway.store.engine import Instant
from gateway.store.tables import metadata

kept_answers = Table(
    "kept_answers",
    metadata,
    Column("kid", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("call", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("media_type", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", Instant, nullable=False, index=True),
)
