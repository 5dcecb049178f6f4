"""The journal's tables of what stands: notices, orders to suspend, acts on agreements, and officers' decisions."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from connectors.journal.tables import Base, Instant


class Heard(Base):
    """The number of the last notice that was written down; one row."""

    __tablename__ = "notice_cursor"
    only: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class Doubted(Base):
    """A notice whose signatures this agency could not verify; it is looked at again at every start."""

    __tablename__ = "doubted_notice"
    digest: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    document: Mapped[str]
    code: Mapped[str]
    heard_at: Mapped[datetime] = mapped_column(Instant)


class KeptOrder(Base):
    """A verified order to suspend or to lift; ``to_send`` when it was given here and the gateway does not have it."""

    __tablename__ = "suspension_order"
    digest: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[str]
    document: Mapped[str]
    to_send: Mapped[bool]
    kept_at: Mapped[datetime] = mapped_column(Instant)


class KeptAct(Base):
    """A verified act on an agreement, with the key that made it; ``digest`` is that of both together."""

    __tablename__ = "agreement_act"
    digest: Mapped[str] = mapped_column(primary_key=True)
    agreement_digest: Mapped[str] = mapped_column(index=True)
    act: Mapped[str]
    document: Mapped[str]
    heard_at: Mapped[datetime] = mapped_column(Instant)


class Pending(Base):
    """A verified task whose request waits for an officer."""

    __tablename__ = "pending_request"
    request_digest: Mapped[str] = mapped_column(primary_key=True)
    contract_digest: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(index=True)
    task: Mapped[str]
    waits_since: Mapped[datetime] = mapped_column(Instant)


class Decided(Base):
    """An officer's signed decision on a request; it stands."""

    __tablename__ = "officer_decision"
    request_digest: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(Instant)


class ActivityUse(Base):
    """A charged question and the activity that it counts for."""

    __tablename__ = "activity_use"
    request_digest: Mapped[str] = mapped_column(primary_key=True)
    contract_digest: Mapped[str] = mapped_column(primary_key=True)
    agreement: Mapped[str] = mapped_column(index=True)
    activity: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(Instant)
