"""The journal's tables of the gateway's log: the checkpoint that was last checked, and evidence against the log."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from connectors.journal.tables import Base, Instant


class SeenCheckpoint(Base):
    """The newest checkpoint that this connector checked, and whether the gateway has its cosignature; one row."""

    __tablename__ = "seen_checkpoint"
    only: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    document: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(Instant)
    handed_in: Mapped[bool]


class LogEvidence(Base):
    """Two signed checkpoints that cannot both be of a log that only grows; it stays, also when it was settled."""

    __tablename__ = "log_evidence"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    code: Mapped[str]
    seen: Mapped[str]
    shown: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str | None]
