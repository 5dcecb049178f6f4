"""People: accounts, roles, passkeys, invitations, sessions, challenges, step-ups, key requests, attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

INDEXES = (
    ("people", "agency"),
    ("person_identities", "person"),
    ("passkeys", "person"),
    ("person_invitations", "agency"),
    ("person_invitations", "giver_person"),
    ("person_sessions", "person"),
    ("person_challenges", "expires_at"),
    ("person_step_ups", "session"),
    ("person_key_requests", "person"),
    ("person_key_requests", "agency"),
    ("person_attempts", "ends_at"),
)


GIVER = "giver giver_roles giver_person?>people.id giver_key?"

TABLES: dict[str, tuple[str, str]] = {
    "people": ("id", "id agency name:text created_at:at closed_at?:at stewarded_at?:at"),
    "person_roles": ("person role", "person>people.id role given_at:at"),
    "person_identities": ("issuer subject", "issuer subject person>people.id"),
    "passkeys": (
        "id",
        "id person>people.id public_key:bytes sign_count:int label:text added_at:at used_at:at revoked_at?:at",
    ),
    "person_invitations": (
        "token_hash",
        "token_hash agency roles name:text person?>people.id expires_at:at used_at?:at " + GIVER,
    ),
    "person_sessions": ("id_hash", "id_hash person>people.id method created_at:at seen_at:at ended_at?:at"),
    "person_challenges": ("challenge_hash", "challenge_hash kind bound_to about:text expires_at:at"),
    "person_step_ups": ("step_hash", "step_hash session>person_sessions.id_hash digest at:at"),
    "person_key_requests": ("kid", "kid person>people.id agency document:text asked_at:at"),
    "people_orders": ("id", "id at:at"),
    "person_attempts": ("key", "key times:int ends_at:at"),
}
"""Each table's key and columns: ``name:kind``, a question mark where it may be empty, and whom it refers to."""

KINDS = {"": sa.String, "text": sa.Text, "at": sa.BigInteger, "bytes": sa.LargeBinary, "int": sa.Integer}


def upgrade() -> None:
    for table, (key, columns) in TABLES.items():
        _create(table, key.split(), columns.split())
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table)
    for table in reversed(TABLES):
        op.drop_table(table)


def _create(table: str, key: list[str], columns: list[str]) -> None:
    made: list[sa.Column[object]] = []
    refers: list[sa.ForeignKeyConstraint] = []
    for each in columns:
        written, _, kind = each.partition(":")
        name, _, target = written.partition(">")
        empty, name = name.endswith("?"), name.removesuffix("?")
        made.append(sa.Column(name, KINDS[kind](), nullable=empty))
        if target:
            refers.append(sa.ForeignKeyConstraint([name], [target], name=f"fk_{table}_{name}"))
    op.create_table(table, *made, *refers, sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"))
