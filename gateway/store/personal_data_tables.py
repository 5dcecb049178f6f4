"""The registers under the Personal Data Protection Act: signed entries that are only ever added, and certificates."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from gateway.store.engine import Instant
from gateway.store.tables import metadata

register_entries = Table(
    "register_entries",
    metadata,
    Column("digest", String, primary_key=True),
    Column("register", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("place", Integer, nullable=False),
    Column("agency", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("signed_by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    UniqueConstraint("register", "subject", "place"),
    Index(None, "register", "agency"),
)
certificates = Table(
    "retention_certificates",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("certificate", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("deleted", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("log_index", BigInteger, nullable=False),
)
