"""What a question would cost, how good its answer would be, and what is left: from contracts and ledger, no data."""

from collections.abc import Sequence
from datetime import date

from contracts.agreement import Activity
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused, from_code
from contracts.fit import check_question
from contracts.periods import Period, next_month
from contracts.task import Charge
from contracts.views import BudgetLine, Preview, PreviewCall, PreviewMeasure
from gateway.caller import Caller
from gateway.means import Means
from gateway.question import (
    agreement_meant,
    approved_apart,
    bangkok_closed_until,
    contracts_of,
    question_key,
    released_before,
)
from gateway.store import ledger, registry
from gateway.store.engine import Reading
from gateway.store.registry import HeldAgreement
from gateway.suspensions import what_stops
from privacy.plan import plan

Account = tuple[str, str]
"""A source and a window."""


def preview(means: Means, caller: Caller, call: PreviewCall) -> Preview:
    """The cost and the expected error of a question that nobody has asked yet.

    Raises:
        InvalidInput: What is unknown or does not fit.
        Refused: ``requester-not-party``; ``agency-suspended`` or ``dataset-suspended``.
    """
    now = means.clock()
    with means.store.read() as r:
        agreement, activity = _terms(r, caller, call)
        contracts = contracts_of(r, call.contracts)
        stopped = what_stops(r, caller.agency, contracts)
        if stopped:
            raise from_code(stopped[0], others=stopped[1:])
        grid = check_question(call.query, contracts, bangkok_closed_until(now))
        nano_rho = call.nano_rho or activity.nano_rho_per_request
        terms = plan(call.query, contracts, nano_rho)
        before = _lines(r, [(each.source, each.window) for each in terms.charges])
        key = question_key(call.query, call.contracts, nano_rho, approved_apart(agreement, activity))
        release = released_before(r, key, contracts)
    return Preview(
        cells=grid.size,
        nano_rho=nano_rho,
        epsilon=terms.epsilon,
        delta=terms.delta,
        measures=tuple(
            PreviewMeasure(measure=each.measure, unit=each.unit, sigma=each.sigma, expected_error_95=each.error_95)
            for each in terms.vectors
        ),
        before=before,
        affordable=_is_affordable(before, terms.charges),
        already_released=release.id if release else None,
    )


def lines(means: Means) -> tuple[BudgetLine, ...]:
    """Every window of every published source, untouched ones too, by source and window."""
    with means.store.read() as r:
        contracts = registry.all_contracts(r)
        return _lines(r, sorted({(c.source, w) for c in contracts for w in _windows(c)}))


def _terms(r: Reading, caller: Caller, call: PreviewCall) -> tuple[HeldAgreement, Activity]:
    held = agreement_meant(r, call.agreement)
    if held is None:
        raise InvalidInput("unknown-agreement", agreement=call.agreement)
    if caller.agency not in held.agreement.parties:
        raise Refused("requester-not-party")
    activity = held.agreement.activity(call.activity)
    if activity is None:
        raise InvalidInput("unknown-activity", agreement=call.agreement, activity=call.activity)
    return held, activity


def _lines(r: Reading, accounts: Sequence[Account]) -> tuple[BudgetLine, ...]:
    """The lines of these accounts as the next reservation would find them."""
    kept = {(line.source, line.window): line for line in ledger.lines(r)}
    budgets = registry.budgets(r)
    return tuple(_line(kept.get((source, window)), source, window, budgets[source]) for source, window in accounts)


def _line(kept: BudgetLine | None, source: str, window: str, budget: int) -> BudgetLine:
    if kept is None:
        return BudgetLine(source=source, window=window, budget=budget, spent=0, reserved=0)
    return kept.model_copy(update={"budget": ledger.allowed(kept, budget)})


def _is_affordable(before: Sequence[BudgetLine], charges: Sequence[Charge]) -> bool:
    left = {(line.source, line.window): line.left for line in before}
    return all(charge.nano_rho <= left[charge.source, charge.window] for charge in charges)


def _windows(contract: DatasetContract) -> tuple[str, ...]:
    """Every fiscal year that a contract covers."""
    first, last = (date.fromisoformat(f"{month}-01") for month in (contract.first_month, contract.last_month))
    return Period.model_validate({"from": first, "until": next_month(last)}).windows()
