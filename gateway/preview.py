"""What a question would cost and how good its answer would be: from contracts, ledger and past releases, no data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.agreement import Activity
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused, from_code
from contracts.grid import Grid
from contracts.query import Query
from contracts.release import ReleaseBody, ReleaseState
from contracts.task import Charge
from contracts.views import (
    BudgetLine,
    Preview,
    PreviewCall,
    PreviewDerived,
    PreviewMeasure,
    ReleaseSummary,
    Suggestion,
)
from gateway.budgets import lines_of
from gateway.caller import Caller
from gateway.means import Means
from gateway.question import (
    agreement_meant,
    approved_apart,
    check_under,
    contracts_of,
    question_key,
    released_before,
    series_of,
    unpaid,
)
from gateway.store import releases
from gateway.store.engine import Reading
from gateway.store.registry import HeldAgreement
from gateway.suspensions import what_stops
from privacy.expected_derived import derived_measures, typical_errors
from privacy.layout import layout_of, vector_size
from privacy.plan import Z_95, Plan, PlannedVector, plan, unit_of
from privacy.usefulness import Limits, expected_errors, noisy_share, suggestion


@dataclass(frozen=True, slots=True)
class _Planned:
    """A question beside its terms and the past release that tells the sizes to expect."""

    query: Query
    contracts: tuple[DatasetContract, ...]
    grid: Grid
    terms: Plan
    past: ReleaseBody | None


def preview(means: Means, caller: Caller, call: PreviewCall) -> Preview:
    """The cost and the expected error of a question that nobody has asked yet; it spends nothing and touches no data.

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
        grid = check_under(activity, call.query, contracts, now)
        nano_rho = call.nano_rho or activity.nano_rho_per_request
        terms = plan(call.query, contracts, nano_rho)
        before = lines_of(r, [(each.source, each.window) for each in terms.charges])
        apart = approved_apart(agreement, activity)
        charges = unpaid(r, series_of(call.query, contracts, nano_rho, apart), terms.charges)
        key = question_key(call.query, contracts, nano_rho, apart)
        release = released_before(r, key, contracts, frozen=call.query.series is not None)
        past = _past(r, caller.agency, call.query, contracts, now)
    planned = _Planned(call.query, contracts, grid, terms, past)
    affordable = _is_affordable(before, charges)
    return Preview(
        cells=grid.size,
        nano_rho=nano_rho,
        epsilon=terms.epsilon,
        delta=terms.delta,
        measures=_measures(planned),
        derived=_derived(planned),
        before=before,
        after=_after(before, charges) if affordable else (),
        affordable=affordable,
        already_released=release.id if release else None,
        suggestion=_suggestion(planned, activity, nano_rho, before),
        sizes_from=past.id if past else None,
    )


def _measures(planned: _Planned) -> tuple[PreviewMeasure, ...]:
    errors = expected_errors(planned.query, planned.contracts[0], planned.terms)
    return tuple(_measure(planned, each, errors[each.measure, each.by]) for each in planned.terms.vectors)


def _measure(planned: _Planned, vector: PlannedVector, error: float) -> PreviewMeasure:
    query, contract = planned.query, planned.contracts[0]
    table = layout_of(query, contract, planned.grid, vector.by).grid if query.family else planned.grid
    share = None
    if planned.past is not None:
        share = noisy_share(query, contract, vector.measure, vector.by, error, planned.past)
    return PreviewMeasure(
        measure=vector.measure,
        unit=vector.unit,
        sigma=vector.sigma if query.family is None else error / Z_95,
        expected_error_95=error,
        by=vector.by,
        cells=vector_size(table, contract, vector.measure),
        noisy_share=share,
    )


def _derived(planned: _Planned) -> tuple[PreviewDerived, ...]:
    query, contract = planned.query, planned.contracts[0]
    found = {} if planned.past is None else typical_errors(query, contract, planned.terms, planned.past)
    return tuple(
        PreviewDerived(
            measure=name,
            unit=unit_of(name, contract),
            expected_error_95=found[name].error_95 if name in found else None,
            noisy_share=found[name].noisy_share if name in found else None,
        )
        for name in derived_measures(query)
    )


def _suggestion(
    planned: _Planned, activity: Activity, nano_rho: int, before: Sequence[BudgetLine]
) -> Suggestion | None:
    """A form of the question that would say more, or cost less, within the agreement and what is left."""
    if planned.past is None or planned.query.family is not None or planned.query.counter:
        return None
    most = min(activity.nano_rho_per_request, *(line.left for line in before))
    limits = Limits(frozenset(activity.dimensions), most)
    return suggestion(planned.query, planned.contracts, nano_rho, limits, planned.past)


def _past(
    r: Reading, reader: str, query: Query, contracts: Sequence[DatasetContract], now: datetime
) -> ReleaseBody | None:
    """Of the valid releases on the same datasets that the asking agency may read, the one most like the question."""
    datasets = {contract.id for contract in contracts}
    fitting = [
        each
        for each in releases.summaries(r, reader, now)
        if each.state is ReleaseState.VALID
        and not each.erased
        and {ref.id for ref in each.contracts} == datasets
        and not each.query.counter
        and set(query.base_measures) <= set(each.query.base_measures)
        and all(query.where.get(name) == codes for name, codes in each.query.where.items())
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda each: _likeness(each, query))
    held = releases.release(r, best.id, reader, now)
    return None if held is None else held.release.body


def _likeness(past: ReleaseSummary, query: Query) -> tuple[int, int, datetime]:
    shared = len(set(past.query.dimensions) & {*query.dimensions, *query.where})
    return shared, -len(past.query.dimensions), past.created


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


def _after(before: Sequence[BudgetLine], charges: Sequence[Charge]) -> tuple[BudgetLine, ...]:
    cost = {(charge.source, charge.window): charge.nano_rho for charge in charges}
    return tuple(
        line.model_copy(update={"spent": line.spent + cost.get((line.source, line.window), 0)}) for line in before
    )


def _is_affordable(before: Sequence[BudgetLine], charges: Sequence[Charge]) -> bool:
    left = {(line.source, line.window): line.left for line in before}
    return all(charge.nano_rho <= left[charge.source, charge.window] for charge in charges)
