"""The table of access tokens that were revoked and have not expired yet."""

from sqlalchemy import Column, String, Table

from gateway.store.engine import Instant
from gateway.store.tables import metadata

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("jti", String, primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)
