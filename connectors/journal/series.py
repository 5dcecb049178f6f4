"""Standing series by this agency's own count: see ``privacy.series``.

Whatever the gateway says, a month of a series is answered once here, and a window of it is charged once. A question may
rely on a window that another one was charged for only once that one's part is made, so that its charge cannot be
returned any more. All answers of a series in a window are counted by one memory of the snapshot, which only grows: with
another memory a person's rows could count again. A number of a version does not tell: a backup that is restored and
refreshed counts it up again. So before each count the snapshot must have, in its own lineage, the very version that the
series last counted by, with its random token.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from connectors.journal.entries import Claim
from connectors.journal.series_tables import SeriesMonth, SeriesWindow
from connectors.journal.tables import Answer
from contracts.errors import Refused, Unavailable
from contracts.task import Charge
from privacy.series import window_of_month


class Asker(NamedTuple):
    """The question that takes it: the digests of its request and of its contract."""

    request_digest: str
    contract_digest: str


def owed(session: Session, key: str, charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """Those of the charges whose windows the series was not charged for yet."""
    paid = set(session.scalars(select(SeriesWindow.window).where(SeriesWindow.series == key)))
    return tuple(charge for charge in charges if charge.window not in paid)


def take(session: Session, claim: Claim, asker: Asker) -> None:
    """Take the months of a question, and the windows that it is charged for.

    Raises:
        Refused: ``series-overlaps``, naming the months that were asked before; ``series-memory-lost``.
        Unavailable: ``series-busy``, while the charge of a window may yet be returned.
    """
    taken = (SeriesMonth.series == claim.key) & SeriesMonth.month.in_(claim.months)
    before = session.scalars(select(SeriesMonth.month).where(taken).order_by(SeriesMonth.month)).all()
    if before:
        raise Refused("series-overlaps", months=", ".join(before))
    known = {row.window: row for row in _windows(session, claim)}
    for row in known.values():
        _check_final(session, row)
        _count_by(row, claim)
    windows = dict.fromkeys(map(window_of_month, claim.months))
    session.add_all(
        SeriesWindow(
            series=claim.key,
            window=window,
            data_version=claim.data_version,
            token=claim.token,
            **asker._asdict(),
        )
        for window in windows
        if window not in known
    )
    session.add_all(SeriesMonth(series=claim.key, month=month, **asker._asdict()) for month in claim.months)


def renew(session: Session, claim: Claim) -> None:
    """A question that was charged before will be counted now: by the memory that it was charged with, or not at all.

    Raises:
        Refused: ``series-memory-lost``.
    """
    for row in _windows(session, claim):
        _count_by(row, claim)


def give_back(session: Session, asker: Asker) -> None:
    """A question whose charge is returned never happened."""
    for table in (SeriesMonth, SeriesWindow):
        session.execute(delete(table).where(*_by(table, asker)))


def _windows(session: Session, claim: Claim) -> Sequence[SeriesWindow]:
    windows = set(map(window_of_month, claim.months))
    here = (SeriesWindow.series == claim.key) & SeriesWindow.window.in_(windows)
    return session.scalars(select(SeriesWindow).where(here)).all()


def _by(table: type[SeriesMonth] | type[SeriesWindow], asker: Asker) -> tuple[ColumnElement[bool], ...]:
    return (table.request_digest == asker.request_digest, table.contract_digest == asker.contract_digest)


def _check_final(session: Session, row: SeriesWindow) -> None:
    payer = session.get(Answer, (row.request_digest, row.contract_digest))
    if payer is None or payer.part_digest is None:
        raise Unavailable("series-busy")


def _count_by(row: SeriesWindow, claim: Claim) -> None:
    if claim.lineage.get(row.data_version) != row.token:
        raise Refused("series-memory-lost", source=claim.source, window=row.window)
    row.data_version, row.token = claim.data_version, claim.token
