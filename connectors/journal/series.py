"""Standing series by this agency's own count: see ``privacy.series``.

Whatever the gateway says, a month of a series is answered once here, and a window of it is charged once. A question may
rely on a window that another one was charged for only once that one's part is made, so that its charge cannot be
returned any more. All answers of a series in a window are counted by one memory of the snapshot, which only grows: with
another memory a person's rows could count again. A number of a version does not tell: a backup that is restored and
refreshed counts it up again. So before each count the snapshot must have, in its own lineage, the very version that the
series last counted by, with its random token.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from connectors.journal import statements
from connectors.journal.entries import Claim
from connectors.journal.prepared import AnySelect, Rows, prepared
from connectors.journal.series_tables import SeriesMonth, SeriesWindow
from connectors.journal.writing import Writing
from contracts.errors import Refused, Unavailable
from contracts.task import Charge
from privacy.series import window_of_month

TOKEN: Final = SeriesWindow.__table__.c.memory.name
"""The column of the token, whose name is older than what it holds."""


class Asker(NamedTuple):
    """The question that takes it: the digests of its request and of its contract."""

    request_digest: str
    contract_digest: str


def owed(journal: Rows, key: str, charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """Those of the charges whose windows the series was not charged for yet."""
    paid = {row.window for row in journal.rows(_windows_of(key))}
    return tuple(charge for charge in charges if charge.window not in paid)


def take(t: Writing, claim: Claim, asker: Asker) -> None:
    """Take the months of a question, and the windows that it is charged for.

    Raises:
        Refused: ``series-overlaps``, naming the months that were asked before; ``series-memory-lost``.
        Unavailable: ``series-busy``, while the charge of a window may yet be returned.
    """
    before = [row.month for row in t.rows(_months_of(claim.key)) if row.month in claim.months]
    if before:
        raise Refused("series-overlaps", months=", ".join(before))
    known = {row.window: row for row in _windows(t, claim)}
    for row in known.values():
        _check_final(t, row)
        _count_by(t, row, claim)
    counted_by = {"data_version": claim.data_version, TOKEN: claim.token}
    for window in dict.fromkeys(map(window_of_month, claim.months)):
        if window not in known:
            t.add(SeriesWindow, {"series": claim.key, "window": window, **counted_by, **asker._asdict()})
    for month in claim.months:
        t.add(SeriesMonth, {"series": claim.key, "month": month, **asker._asdict()})


def renew(t: Writing, claim: Claim) -> None:
    """A question that was charged before will be counted now: by the memory that it was charged with, or not at all.

    Raises:
        Refused: ``series-memory-lost``.
    """
    for row in _windows(t, claim):
        _count_by(t, row, claim)


def give_back(session: Session, asker: Asker) -> None:
    """A question whose charge is returned never happened."""
    for table in (SeriesMonth, SeriesWindow):
        session.execute(delete(table).where(*_by(table, asker)))


def _windows(t: Writing, claim: Claim) -> list[Any]:
    windows = set(map(window_of_month, claim.months))
    return [row for row in t.rows(_windows_of(claim.key)) if row.window in windows]


def _by(table: type[SeriesMonth] | type[SeriesWindow], asker: Asker) -> tuple[ColumnElement[bool], ...]:
    return (table.request_digest == asker.request_digest, table.contract_digest == asker.contract_digest)


def _check_final(t: Writing, row: Any) -> None:  # noqa: ANN401  # a row of a prepared statement
    payer = t.rows(statements.made(row.request_digest, row.contract_digest))
    if not payer or payer[0].part_digest is None:
        raise Unavailable("series-busy")


def _count_by(t: Writing, row: Any, claim: Claim) -> None:  # noqa: ANN401  # a row of a prepared statement
    if claim.lineage.get(row.data_version) != row.token:
        raise Refused("series-memory-lost", source=claim.source, window=row.window)
    counted_by = {"data_version": claim.data_version, TOKEN: claim.token}
    t.change(SeriesWindow, {"series": claim.key, "window": row.window}, counted_by)


@prepared
def _months_of(series: str) -> AnySelect:
    return select(SeriesMonth.month).where(SeriesMonth.series == series).order_by(SeriesMonth.month)


@prepared
def _windows_of(series: str) -> AnySelect:
    asker = (SeriesWindow.request_digest, SeriesWindow.contract_digest)
    counted_by = (SeriesWindow.data_version, SeriesWindow.token.label("token"))
    return select(SeriesWindow.window, *asker, *counted_by).where(SeriesWindow.series == series)
