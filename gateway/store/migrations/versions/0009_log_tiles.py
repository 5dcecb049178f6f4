"""The log in tiles of 256 hashes: every entry with its hash, full tiles, checkpoints as notes, cosignatures."""

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

WIDTH = 256
HASH_BYTES = 32
leaves = sa.table("log_leaves", sa.column("place", sa.BigInteger()), sa.column("hashes", sa.LargeBinary()))
nodes = sa.table(
    "log_nodes", sa.column("level", sa.Integer()), sa.column("place", sa.BigInteger()), sa.column("hash", sa.String())
)
tiles = sa.table(
    "log_tiles",
    *(sa.column(name, sa.BigInteger()) for name in ("level", "place")),
    *(sa.column(name, sa.LargeBinary()) for name in ("hashes", "root")),
)


def upgrade() -> None:
    """Bring the schema forward; the hashes are those that were recorded, whatever the entries say now.

    Checkpoints of before were signed in another form and are dropped: the next one covers all that they covered.
    """
    op.create_table(
        "log_leaves",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_log_leaves"),
    )
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name="pk_log_tiles"),
    )
    _fill_leaves()
    _fill_tiles()
    op.drop_table("log_nodes")
    op.drop_table("log_checkpoints")
    _checkpoints()


def downgrade() -> None:
    """Take it back; checkpoints are signed anew, cosignatures are lost."""
    op.drop_table("log_cosignatures")
    op.drop_index("ix_log_checkpoints_witnesses_size", "log_checkpoints")
    op.drop_table("log_checkpoints")
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name="pk_log_nodes"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
    )
    _fill_nodes()
    op.drop_table("log_tiles")
    op.drop_table("log_leaves")


def _checkpoints() -> None:
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("witnesses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
    )
    op.create_index("ix_log_checkpoints_witnesses_size", "log_checkpoints", ["witnesses", "size"])
    op.create_table(
        "log_cosignatures",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", "agency", name="pk_log_cosignatures"),
    )


def _fill_leaves() -> None:
    start = 0
    while rows := _nodes(0, start, WIDTH):
        hashes = b"".join(bytes.fromhex(row.hash) for row in rows)
        op.get_bind().execute(sa.insert(leaves).values(place=start, hashes=hashes))
        start += len(rows)


def _fill_tiles() -> None:
    """The full tiles of every level: level ``k`` holds the nodes of level ``8 k``, eight levels under its root."""
    level = 0
    while _nodes(8 * (level + 1), 0, 1):
        index = 0
        while root := _nodes(8 * (level + 1), index, 1):
            hashes = b"".join(bytes.fromhex(row.hash) for row in _nodes(8 * level, index * WIDTH, WIDTH))
            row = {"level": level, "place": index, "hashes": hashes, "root": bytes.fromhex(root[0].hash)}
            op.get_bind().execute(sa.insert(tiles).values(**row))
            index += 1
        level += 1


def _nodes(level: int, start: int, count: int) -> list[sa.Row[tuple[int, int, str]]]:
    wanted = (nodes.c.level == level) & (nodes.c.place >= start) & (nodes.c.place < start + count)
    return list(op.get_bind().execute(sa.select(nodes).where(wanted).order_by(nodes.c.place)).all())


def _fill_nodes() -> None:
    peaks: list[tuple[int, bytes]] = []
    for row in op.get_bind().execute(sa.select(leaves).order_by(leaves.c.place)).all():
        held = bytes(row.hashes)
        made = [
            {"level": level, "place": place, "hash": value.hex()}
            for at in range(0, len(held), HASH_BYTES)
            for level, place, value in _completed(peaks, row.place + at // HASH_BYTES, held[at : at + HASH_BYTES])
        ]
        op.get_bind().execute(sa.insert(nodes), made)


def _completed(peaks: list[tuple[int, bytes]], place: int, leaf: bytes) -> Iterable[tuple[int, int, bytes]]:
    level, index, value = 0, place, leaf
    yield level, index, value
    while index & 1:
        value = hashlib.sha256(b"\x01" + peaks.pop()[1] + value).digest()
        level, index = level + 1, index >> 1
        yield level, index, value
    peaks.append((level, value))
