"""The table of retired contracts."""

from sqlalchemy import Column, ForeignKey, String, Table, Text

from gateway.store.engine import Instant
from gateway.store.tables import metadata

contract_retirements = Table(
    "contract_retirements",
    metadata,
    Column("digest", ForeignKey("contracts.digest"), primary_key=True),
    Column("agency", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("retirement", Text, nullable=False),
    Column("retired_at", Instant, nullable=False),
)
