"""The tables of standing series: which windows each has paid for, and which months were asked."""

from sqlalchemy import Boolean, Column, ForeignKey, String, Table

from gateway.store.tables import metadata

series = Table(
    "series",
    metadata,
    Column("key", String, primary_key=True),
)
series_windows = Table(
    "series_windows",
    metadata,
    Column("series", ForeignKey("series.key"), primary_key=True),
    Column("budget_window", String, primary_key=True),
    Column("request", ForeignKey("requests.id"), nullable=False, index=True),
    Column("settled", Boolean, nullable=False),
)
series_months = Table(
    "series_months",
    metadata,
    Column("series", ForeignKey("series.key"), primary_key=True),
    Column("month", String, primary_key=True),
    Column("request", ForeignKey("requests.id"), nullable=False, index=True),
    Column("settled", Boolean, nullable=False),
)
