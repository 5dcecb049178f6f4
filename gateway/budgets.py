"""What each window of each published source has cost and what is left."""

from collections.abc import Sequence
from datetime import date

from contracts.dataset import DatasetContract
from contracts.periods import Period, next_month
from contracts.views import BudgetLine
from gateway.means import Means
from gateway.store import ledger, registry
from gateway.store.engine import Reading

Account = tuple[str, str]
"""A source and a window."""


def lines(means: Means) -> tuple[BudgetLine, ...]:
    """Every window of every published source, untouched ones too, by source and window."""
    with means.store.read() as r:
        contracts = registry.all_contracts(r)
        return lines_of(r, sorted({(c.source, w) for c in contracts for w in _windows(c)}))


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
