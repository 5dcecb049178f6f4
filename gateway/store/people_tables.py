"""The tables of people: accounts, what they sign in with, sessions, challenges, and keys that they ask to register.

What lets somebody in (session, invitation, challenge) is kept only as its SHA-256.
"""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from gateway.store.engine import Instant
from gateway.store.tables import metadata

people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),
    Column("agency", String, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("stewarded_at", Instant),
)
person_roles = Table(
    "person_roles",
    metadata,
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("role", String, primary_key=True),
    Column("given_at", Instant, nullable=False),
)
person_identities = Table(
    "person_identities",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
)
passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
invitations = Table(
    "person_invitations",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("agency", String, nullable=False, index=True),
    Column("roles", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("giver", String, nullable=False),
    Column("giver_roles", String, nullable=False),
    Column("giver_person", ForeignKey("people.id"), index=True),
    Column("giver_key", String),
    Column("person", ForeignKey("people.id")),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)
sessions = Table(
    "person_sessions",
    metadata,
    Column("id_hash", String, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("method", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
challenges = Table(
    "person_challenges",
    metadata,
    Column("challenge_hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("bound_to", String, nullable=False),
    Column("about", Text, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)
step_ups = Table(
    "person_step_ups",
    metadata,
    Column("step_hash", String, primary_key=True),
    Column("session", ForeignKey("person_sessions.id_hash"), nullable=False, index=True),
    Column("digest", String, nullable=False),
    Column("at", Instant, nullable=False),
)
key_requests = Table(
    "person_key_requests",
    metadata,
    Column("kid", String, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("agency", String, nullable=False, index=True),
    Column("document", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
)
people_orders = Table(
    "people_orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("at", Instant, nullable=False),
)
attempts = Table(
    "person_attempts",
    metadata,
    Column("key", String, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
)
