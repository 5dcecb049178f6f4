"""What each activity used of its schedule and of its ceiling: the questions that were charged to it.

A question counts from its reservation on; one whose reservation was returned never happened. The key is the agreement's
name and the activity's, so that a new version of the agreement does not begin anew.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from contracts.task import Charge
from gateway.store.engine import AnySelect, Reading, Transaction
from gateway.store.ledger import ChargeState
from gateway.store.notice_tables import activities, activity_uses
from gateway.store.prepared import prepared
from gateway.store.series_tables import series_months
from gateway.store.tables import charges

Key = tuple[str, str]
"""The names of an agreement and of an activity in it."""


def lock(t: Transaction, key: Key) -> None:
    """Let nobody else charge to this activity until the transaction ends."""
    agreement, activity = key
    t.add_new(activities, {"agreement": agreement, "activity": activity})
    t.hold(_named(agreement, activity))


def note(t: Transaction, key: Key, request: str, now: datetime) -> None:
    """A question of this activity is being charged."""
    t.add(activity_uses, [{"request": request, "agreement": key[0], "activity": key[1], "asked_at": now}])


def asked_between(r: Reading, key: Key, start: datetime, until: datetime) -> int:
    """How many charged questions it asked from ``start`` on and before ``until``.

    A question of a series counts whether it paid for a window or found all of them paid: its months are taken.
    """
    row = r.one(_asked_between(*key, start, until))
    return row[0] if row else 0


def dearest_window(r: Reading, key: Key, price: Collection[Charge]) -> int:
    """What it charged so far to the dearest of the windows that this price touches, in nano-rho."""
    wanted = {(each.source, each.window) for each in price}
    summed = r.all(_charged(*key))
    return max((int(row.spent) for row in summed if (row.source, row.budget_window) in wanted), default=0)


def _of(agreement: str, activity: str) -> ColumnElement[bool]:
    return (activity_uses.c.agreement == agreement) & (activity_uses.c.activity == activity)


@prepared
def _named(agreement: str, activity: str) -> AnySelect:
    return select(activities).where(activities.c.agreement == agreement, activities.c.activity == activity)


@prepared
def _asked_between(agreement: str, activity: str, start: datetime, until: datetime) -> AnySelect:
    inside = (activity_uses.c.asked_at >= start) & (activity_uses.c.asked_at < until)
    paid = charges.c.request == activity_uses.c.request
    charged = select(charges.c.request).where(paid, charges.c.state != ChargeState.RETURNED).exists()
    took = select(series_months.c.request).where(series_months.c.request == activity_uses.c.request).exists()
    return select(func.count()).select_from(activity_uses).where(_of(agreement, activity), inside, charged | took)


@prepared
def _charged(agreement: str, activity: str) -> AnySelect:
    return (
        select(charges.c.source, charges.c.budget_window, func.sum(charges.c.nano_rho).label("spent"))
        .join(activity_uses, charges.c.request == activity_uses.c.request)
        .where(_of(agreement, activity), charges.c.state != ChargeState.RETURNED)
        .group_by(charges.c.source, charges.c.budget_window)
    )
