"""What members publish out of releases: forecasts and analyses with what they cite, and provinces' action plans."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.engine import Instant
from gateway.store.tables import metadata

publications = Table(
    "publications",
    metadata,
    Column("id", String, primary_key=True),
    Column("sort", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Index(None, "sort", "log_index"),
)
citations = Table(
    "citations",
    metadata,
    Column("publication", ForeignKey("publications.id"), primary_key=True),
    Column("release", ForeignKey("releases.id"), primary_key=True),
    Index(None, "release"),
)
action_plans = Table(
    "action_plans",
    metadata,
    Column("id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("owner", String, nullable=False),
    Column("province", String, nullable=False, index=True),
    Column("forecast", ForeignKey("publications.id"), nullable=False),
    Column("digest", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("log_index", BigInteger, nullable=False),
)
