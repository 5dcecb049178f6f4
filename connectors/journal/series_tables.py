"""What this agency answered in standing series: windows that each was charged for, and the months that left."""

from sqlalchemy.orm import Mapped, mapped_column

from connectors.journal.tables import Base


class SeriesWindow(Base):
    """A window that a series was charged for, and by which question.

    ``data_version`` and ``token`` name the newest snapshot that its answers in this window were counted by: the number,
    and the random token beside it (``connectors.snapshot_versions``). A journal from before there were tokens has
    another name there, which no snapshot's lineage has: its series do not go on.
    """

    __tablename__ = "series_window"
    series: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str] = mapped_column(index=True)
    contract_digest: Mapped[str]
    data_version: Mapped[int]
    token: Mapped[str] = mapped_column("memory")


class SeriesMonth(Base):
    """A month that a series was asked about, and by which question."""

    __tablename__ = "series_month"
    series: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str] = mapped_column(index=True)
    contract_digest: Mapped[str]
