"""Forecasts and analyses in one table of publications, withdrawals with their time, and provinces' action plans."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op
from pydantic_core import to_json

revision = "0008"
down_revision = "0007"

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017  # a migration stays as it was written


def upgrade() -> None:
    """Bring the schema forward; the log says when a release was withdrawn and in which order forecasts came."""
    cited, forecasts = _rows("citations", "forecast", "release"), _forecasts()
    op.drop_table("citations")
    op.drop_index("ix_forecasts_published_at", "forecasts")
    op.drop_table("forecasts")
    _publications()
    _citations("publication", "publications")
    op.create_index("ix_citations_release", "citations", ["release"])
    _plans()
    op.add_column("releases", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    places = {entry["subject"]: place for place, entry in _logged("forecast.published")}
    _move(forecasts, cited, places)
    releases = sa.table("releases", sa.column("id", sa.String()), sa.column("withdrawn_at", sa.BigInteger()))
    for _, entry in _logged("release.withdrawn"):
        gone = sa.update(releases).where(releases.c.id == entry["subject"])
        op.get_bind().execute(gone.values(withdrawn_at=_microseconds(entry["at"])))


def downgrade() -> None:
    """Take it back; analyses and plans are lost, the log keeps that they were published."""
    columns = ("id", "digest", "agency", "document", "body", "published_at", "sort")
    held = [row for row in _rows("publications", *columns) if row["sort"] == "forecast"]
    names = {row["id"] for row in held}
    cited = [row for row in _rows("citations", "publication", "release") if row["publication"] in names]
    op.drop_index("ix_action_plans_province", "action_plans")
    op.drop_table("action_plans")
    op.drop_index("ix_citations_release", "citations")
    op.drop_table("citations")
    op.drop_index("ix_publications_sort_log_index", "publications")
    op.drop_table("publications")
    op.execute("ALTER TABLE releases DROP COLUMN withdrawn_at")  # a batch would rebuild what others refer to
    forecasts = op.create_table(
        "forecasts",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "digest", "agency")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("document", "forecast")),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forecasts"),
    )
    op.create_index("ix_forecasts_published_at", "forecasts", ["published_at"])
    op.bulk_insert(forecasts, [{**_without(row, "sort", "body"), "forecast": row["body"]} for row in held])
    op.bulk_insert(
        _citations("forecast", "forecasts"),
        [{"forecast": row["publication"], "release": row["release"]} for row in cited],
    )


def _publications() -> None:
    op.create_table(
        "publications",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "sort", "kind", "agency", "digest")),
        sa.Column("public", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("document", "body", "summary")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("published_at", "log_index")),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
    )
    op.create_index("ix_publications_sort_log_index", "publications", ["sort", "log_index"])


def _citations(column: str, table: str) -> sa.Table:
    return op.create_table(
        "citations",
        sa.Column(column, sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{table}.id"], name=f"fk_citations_{column}"),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name="fk_citations_release"),
        sa.PrimaryKeyConstraint(column, "release", name="pk_citations"),
    )


def _plans() -> None:
    op.create_table(
        "action_plans",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("owner", "province", "forecast", "digest")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("document", "plan")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("registered_at", "log_index")),
        sa.ForeignKeyConstraint(["forecast"], ["publications.id"], name="fk_action_plans_forecast"),
        sa.PrimaryKeyConstraint("id", "version", name="pk_action_plans"),
    )
    op.create_index("ix_action_plans_province", "action_plans", ["province"])


def _forecasts() -> list[dict[str, object]]:
    return _rows("forecasts", "id", "digest", "agency", "document", "forecast", "published_at")


def _move(forecasts: list[dict[str, object]], cited: list[dict[str, object]], places: dict[str, int]) -> None:
    """Every forecast with its line in the list, which was not kept before."""
    names = ("id", "sort", "kind", "agency", "digest", "document", "body", "summary", "published_at", "log_index")
    publications = sa.table("publications", *(sa.column(name) for name in names), sa.column("public", sa.Boolean()))
    for row in forecasts:
        more = {"sort": "forecast", "kind": "", "public": True, "body": row["forecast"], "summary": _summary(row)}
        place = places.get(str(row["id"]), 0)
        new = {**_without(row, "forecast"), **more, "log_index": place}
        op.get_bind().execute(sa.insert(publications).values(**new))
    kept = sa.table("citations", sa.column("publication"), sa.column("release"))
    for row in cited:
        new = {"publication": row["forecast"], "release": row["release"]}
        op.get_bind().execute(sa.insert(kept).values(**new))


def _summary(row: dict[str, object]) -> str:
    forecast = json.loads(str(row["forecast"]))
    published = EPOCH + timedelta(microseconds=int(str(row["published_at"])))
    line = {name: forecast[name] for name in ("id", "title", "model", "level", "months", "dimensions", "created")}
    line |= {"series": len(forecast["series"]), "digest": row["digest"], "agency": row["agency"]}
    line |= {"releases": sorted({each["release"] for each in forecast["citations"]})}
    return to_json({**line, "published_at": published}).decode()


def _logged(kind: str) -> Iterator[tuple[int, dict[str, str]]]:
    entries = sa.table("log_entries", sa.column("place", sa.BigInteger()), sa.column("entry", sa.Text()))
    wanted = sa.select(entries.c.place, entries.c.entry).where(entries.c.entry.contains(f'"{kind}"'))
    for row in op.get_bind().execute(wanted.order_by(entries.c.place)).all():
        entry = json.loads(row.entry)
        if entry["kind"] == kind:
            yield row.place, entry


def _microseconds(at: str) -> int:
    return (datetime.fromisoformat(at) - EPOCH) // timedelta(microseconds=1)


def _rows(table: str, *columns: str) -> list[dict[str, object]]:
    held = sa.table(table, *(sa.column(name) for name in columns))
    return [dict(row) for row in op.get_bind().execute(sa.select(held)).mappings().all()]


def _without(row: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in names}
