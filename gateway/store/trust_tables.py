"""The trust registry as the gateway serves it: every signed document by role and version, and the targets."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from gateway.store.engine import Instant
from gateway.store.tables import metadata

registry_documents = Table(
    "registry_documents",
    metadata,
    Column("role", String, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("stored_at", Instant, nullable=False),
)
registry_targets = Table(
    "registry_targets",
    metadata,
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),
)
