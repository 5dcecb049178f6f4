"""The privacy budget: integer nano-rho accounts, one for each physical source and window, that never refill.

Money-like rules: a charge is reserved, then spent or given back, each in the transaction of the step that causes it.
An account's budget is set at its first charge and never raised; a contract that allows less lowers it (``registry``
gives the least of all). The database itself refuses a negative or overspent account. What a request took of a standing
series is settled with its charge, in the same step.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ClauseElement, ColumnElement, Update, select, update

from contracts.errors import Refused
from contracts.task import Charge
from contracts.views import BudgetLine
from gateway.store import series
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.prepared import prepared
from gateway.store.tables import accounts, charges

_CHARGED: Final = (charges.c.source, charges.c.budget_window, charges.c.nano_rho)


Account = BudgetLine | AnyRow


class ChargeState(StrEnum):
    """What became of a charge."""

    RESERVED = "reserved"
    SPENT = "spent"
    RETURNED = "returned"


def reserve(
    t: Transaction, request: str, price: Sequence[Charge], budgets: Mapping[str, int], now: datetime
) -> tuple[Charge, ...]:
    """Set aside what a request costs, in all accounts or in none.

    Args:
        t: The transaction that also writes the tasks; an error takes all of it back.
        request: Who pays; a request is charged once in its life.
        price: What it costs; several charges of one account add up.
        budgets: The budget of a window of each source, as ``registry.budgets`` gives it.
        now: The time of the reservation.

    Returns:
        One charge an account.

    Raises:
        Refused: ``budget-exceeded``, naming the first account that does not suffice.
    """
    totals: Counter[tuple[str, str]] = Counter()
    for charge in price:
        totals[charge.source, charge.window] += charge.nano_rho
    owed = tuple(Charge(source=s, window=w, nano_rho=amount) for (s, w), amount in sorted(totals.items()))
    for charge in owed:
        _hold(t, charge, budgets[charge.source])
    t.add(
        charges,
        [
            {**_key(each), "request": request, "nano_rho": each.nano_rho, "state": ChargeState.RESERVED, "at": now}
            for each in owed
        ],
    )
    return owed


def spend(t: Transaction, request: str, now: datetime) -> tuple[Charge, ...]:
    """Make a request's reservation final, and what it took of a series; nothing happens when there is none."""
    series.settle(t, request, charged=True)
    return _settle(t, request, ChargeState.SPENT, now)


def give_back(t: Transaction, request: str, now: datetime) -> tuple[Charge, ...]:
    """Return a request's reservation, which is right only when no connector charged; nothing happens twice."""
    series.settle(t, request, charged=False)
    return _settle(t, request, ChargeState.RETURNED, now)


def reserved(r: Reading, request: str) -> tuple[Charge, ...]:
    """What is set aside for a request, by source and window; nothing when a series had paid for it before."""
    return _charges(r.all(_reserved(request)))


def lines(r: Reading) -> tuple[BudgetLine, ...]:
    """Every account, by source and window."""
    rows = r.all(select(accounts).order_by(accounts.c.source, accounts.c.budget_window))
    return tuple(_line(row) for row in rows)


def allowed(account: Account, budget: int) -> int:
    """What an account may hold now: the lesser budget, but what is used stays used, whatever a new contract says."""
    return max(min(account.budget, budget), account.spent + account.reserved)


def _line(row: AnyRow) -> BudgetLine:
    return BudgetLine(
        source=row.source, window=row.budget_window, budget=row.budget, spent=row.spent, reserved=row.reserved
    )


def _hold(t: Transaction, charge: Charge, budget: int) -> None:
    key, mine = _key(charge), _account(charge.source, charge.window)
    account = t.lock(mine)
    if account is None:
        # Of two that open it at once, the second waits for the first and finds its account.
        t.add_new(accounts, {**key, "budget": budget, "spent": 0, "reserved": 0})
        account = t.lock(mine)
    if account is None:
        raise LookupError(f"no account {key}")
    used = account.spent + account.reserved
    most = allowed(account, budget)
    if used + charge.nano_rho > most:
        raise Refused(
            "budget-exceeded",
            source=charge.source,
            window=charge.window,
            left=most - used,
            needed=charge.nano_rho,
        )
    t.change(accounts, key, {"budget": most, "reserved": account.reserved + charge.nano_rho})


def _settle(t: Transaction, request: str, state: ChargeState, now: datetime) -> tuple[Charge, ...]:
    rows = sorted(t.all(_ended(request, state, now)))  # by source and window, the order of locks
    for row in rows:
        spent = row.nano_rho if state is ChargeState.SPENT else 0
        t.hold(_account(row.source, row.budget_window))
        t.run(_settled(row.source, row.budget_window, row.nano_rho, spent))
    return _charges(rows)


def _charges(rows: Sequence[AnyRow]) -> tuple[Charge, ...]:
    return tuple(Charge(source=row.source, window=row.budget_window, nano_rho=row.nano_rho) for row in rows)


def _key(charge: Charge) -> dict[str, object]:
    return {"source": charge.source, "budget_window": charge.window}


@prepared
def _reserved(request: str) -> AnySelect:
    return select(*_CHARGED).where(_is_reserved(request)).order_by(charges.c.source, charges.c.budget_window)


@prepared
def _ended(request: str, state: ChargeState, now: datetime) -> ClauseElement:
    return update(charges).where(_is_reserved(request)).values(state=state, at=now).returning(*_CHARGED)


def _is_reserved(request: str) -> ColumnElement[bool]:
    return (charges.c.request == request) & (charges.c.state == ChargeState.RESERVED)


@prepared
def _account(source: str, window: str) -> AnySelect:
    return select(accounts).where(accounts.c.source == source, accounts.c.budget_window == window)


@prepared
def _settled(source: str, window: str, held: int, spent: int) -> Update:
    here = (accounts.c.source == source) & (accounts.c.budget_window == window)
    return update(accounts).where(here).values(reserved=accounts.c.reserved - held, spent=accounts.c.spent + spent)
