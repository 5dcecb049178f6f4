"""What this agency answered in standing series: windows that each was charged for, and the months that left."""

from sqlalchemy.orm import Mapped, mapped_column

from connectors.journal.tables import Base


class SeriesWindow(Base):
    """A window that a series was charged for, and by which question.

    ``memory`` names the snapshot's memory that all of its answers in this window are counted by, ``data_version`` the
    newest snapshot that they were counted on.
    """

    __tablename__ = "series_window"
    series: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str] = mapped_column(index=True)
    contract_digest: Mapped[str]
    memory: Mapped[str]
    data_version: Mapped[int]


class SeriesMonth(Base):
    """A month that a series was asked about, and by which question."""

    __tablename__ = "series_month"
    series: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str] = mapped_column(index=True)
    contract_digest: Mapped[str]
