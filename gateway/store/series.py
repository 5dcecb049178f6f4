"""Standing series: each window is paid once, each month asked once; see ``privacy.series`` for why that is enough.

A month is taken, and an unpaid window reserved, by the transaction that asks the connectors. Both stay when the request
is settled as charged, whether it was released or refused; both are free again when its reservation is returned. While
the request that reserved a window is still out, no other may rely on its payment, which might yet be returned.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update

from contracts.errors import Refused, Unavailable
from gateway.store.engine import AnySelect, Reading, Transaction
from gateway.store.prepared import prepared
from gateway.store.series_tables import series, series_months, series_windows
from privacy.series import window_of_month


def claim(t: Transaction, key: str, months: Sequence[str], request: str) -> frozenset[str]:
    """Take months for a request, and reserve the windows that its series has not paid for.

    Args:
        t: The transaction that also reserves the budget and writes the tasks; an error takes all of it back.
        key: The key of the series.
        months: The months that are asked, ``YYYY-MM``.
        request: Who asks.

    Returns:
        The windows that the request pays for.

    Raises:
        Refused: ``series-overlaps``, naming the months that were asked before.
        Unavailable: ``series-busy``, while another request holds a month or a window and may yet return it.
    """
    t.add_new(series, {"key": key})
    t.lock(select(series).where(series.c.key == key))
    _check_free(t, key, months)
    windows = tuple(dict.fromkeys(map(window_of_month, months)))
    known = _windows(t, key, windows)
    if not all(known.values()):
        raise Unavailable("series-busy")
    owed = [window for window in windows if window not in known]
    mine = {"series": key, "request": request, "settled": False}
    t.add(series_months, [{**mine, "month": month} for month in months])
    t.add(series_windows, [{**mine, "budget_window": window} for window in owed])
    return frozenset(owed)


def paid(r: Reading, key: str, windows: Collection[str]) -> frozenset[str]:
    """Those of the windows that the series has paid for, or is paying for."""
    return frozenset(_windows(r, key, windows))


def settle(t: Transaction, request: str, *, charged: bool) -> None:
    """A request has ended: what it took stays taken if it was charged, and is free again if not.

    Nothing happens for a request that is of no series, or was settled before.
    """
    row = t.one(_of_request(request))
    if row is None:
        return
    t.lock(select(series).where(series.c.key == row.series))
    for table in (series_months, series_windows):
        mine = (table.c.request == request) & table.c.settled.is_(False)
        t.run(update(table).where(mine).values(settled=True) if charged else delete(table).where(mine))


def _check_free(t: Transaction, key: str, months: Sequence[str]) -> None:
    asked = (series_months.c.series == key) & series_months.c.month.in_(months)
    taken = t.all(select(series_months).where(asked).order_by(series_months.c.month))
    for_good = [row.month for row in taken if row.settled]
    if for_good:
        raise Refused("series-overlaps", months=", ".join(for_good))
    if taken:
        raise Unavailable("series-busy")


def _windows(r: Reading, key: str, windows: Collection[str]) -> dict[str, bool]:
    """The windows that are paid for or reserved, and whether for good."""
    here = (series_windows.c.series == key) & series_windows.c.budget_window.in_(windows)
    return {row.budget_window: row.settled for row in r.all(select(series_windows).where(here))}


@prepared
def _of_request(request: str) -> AnySelect:
    return select(series_months.c.series).where(series_months.c.request == request).limit(1)
