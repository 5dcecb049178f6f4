"""What each window of each published source has cost and what is left, and what that means for one person."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from contracts.budget_view import BudgetView, FederationLoss, Loss, SourceLoss, WindowLoss
from contracts.dataset import DatasetContract
from contracts.periods import Period, next_month
from contracts.views import BudgetLine
from gateway.means import Means
from gateway.store import ledger, registry
from gateway.store.engine import Reading
from privacy.mechanisms import epsilon_of

Account = tuple[str, str]
"""A source and a window."""


def lines(means: Means) -> tuple[BudgetLine, ...]:
    """Every window of every published source, untouched ones too, by source and window."""
    with means.store.read() as r:
        contracts = registry.all_contracts(r)
        return lines_of(r, sorted({(c.source, w) for c in contracts for w in _windows(c)}))


def view(means: Means) -> BudgetView:
    """Every window with its epsilon, and the sums over the windows of each source and over all sources.

    A source's delta is the smallest of all contracts that were ever published for it, and the federation's the smallest
    of all: of several promises the strictest reading is shown.
    """
    with means.store.read() as r:
        contracts = registry.all_contracts(r)
        every = lines_of(r, sorted({(c.source, w) for c in contracts for w in _windows(c)}))
    of_source = {s: [c for c in contracts if c.source == s] for s in sorted({c.source for c in contracts})}
    sources = tuple(_source_loss(s, mine, [e for e in every if e.source == s]) for s, mine in of_source.items())
    windows = tuple(
        WindowLoss(
            source=each.source,
            datasets=_datasets(of_source[each.source]),
            window=each.window,
            loss=_loss([each], _delta(of_source[each.source])),
        )
        for each in every
    )
    if not sources:
        return BudgetView(windows=(), sources=())
    whole = FederationLoss(sources=tuple(of_source), loss=_loss(every, _delta(contracts)))
    return BudgetView(windows=windows, sources=sources, federation=whole)


def lines_of(r: Reading, accounts: Sequence[Account]) -> tuple[BudgetLine, ...]:
    """The lines of these accounts as the next reservation would find them."""
    kept = {(line.source, line.window): line for line in ledger.lines(r)}
    budgets = registry.budgets(r)
    return tuple(_line(kept.get((source, window)), source, window, budgets[source]) for source, window in accounts)


def _line(kept: BudgetLine | None, source: str, window: str, budget: int) -> BudgetLine:
    if kept is None:
        return BudgetLine(source=source, window=window, budget=budget, spent=0, reserved=0)
    return kept.model_copy(update={"budget": ledger.allowed(kept, budget)})


def _windows(contract: DatasetContract) -> tuple[str, ...]:
    """Every fiscal year that a contract covers."""
    first, last = (date.fromisoformat(f"{month}-01") for month in (contract.first_month, contract.last_month))
    return Period.model_validate({"from": first, "until": next_month(last)}).windows()


def _source_loss(source: str, contracts: Sequence[DatasetContract], mine: Sequence[BudgetLine]) -> SourceLoss:
    return SourceLoss(
        source=source,
        datasets=_datasets(contracts),
        windows=tuple(each.window for each in mine),
        loss=_loss(mine, _delta(contracts)),
    )


def _loss(lines: Sequence[BudgetLine], delta: str) -> Loss:
    """The loss of a person who stands in all of these windows: zCDP adds up, and is converted once at the end."""
    budget, spent, reserved = (sum(getattr(each, name) for each in lines) for name in ("budget", "spent", "reserved"))
    return Loss(
        budget=budget,
        spent=spent,
        reserved=reserved,
        left=budget - spent - reserved,
        delta=delta,
        epsilon_spent=epsilon_of(spent, delta),
        epsilon_budget=epsilon_of(budget, delta),
    )


def _delta(contracts: Iterable[DatasetContract]) -> str:
    return min((each.privacy.delta for each in contracts), key=Decimal)


def _datasets(contracts: Iterable[DatasetContract]) -> tuple[str, ...]:
    return tuple(sorted({each.id for each in contracts}))
