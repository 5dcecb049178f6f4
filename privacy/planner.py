"""The budget planner: one person-year of budget for each source, parted among the standing questions.

Pure: contracts, questions and expected sizes in, prices and errors out. A person who stands in a source loses what all
its questions cost together, so they share one budget; whatever cannot be answered gets none of it and is named.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from contracts.budget_plan import (
    BudgetPlan,
    Coarser,
    Finding,
    PlannedAsk,
    PlannedBudget,
    PlannedLine,
    PlannedQuestion,
    Verdict,
    finding,
    finding_of,
    together,
)
from contracts.dataset import DatasetContract, Tier
from contracts.errors import InvalidInput
from contracts.fit import check_question
from contracts.query import Family, Query, Series
from contracts.standing_questions import QUESTIONS, Ask, ExpectedSizes, StandingQuestions
from privacy.allocation import Claim, allocate
from privacy.coarser_forms import coarser_form
from privacy.enough import enough_prices
from privacy.expected_errors import USELESS, Asked, expected_lines, reused_lines
from privacy.mechanisms import epsilon_of

PERCENT: Final = 100
EXACT: Final = frozenset({"exact", "exact-part"})

Contracts = Mapping[str, DatasetContract]
Lines = tuple[PlannedLine, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """An ask beside its contract.

    ``asked`` is None when no budget can help it, as ``finding`` says, and for one that reads another's release.
    ``whole`` is the price each time if the budget of the year were spent on this ask alone, ``best`` its errors then.
    ``enough`` has the price that each line needs, by number, for those lines that any budget can help.
    """

    path: str
    ask: Ask
    contract: DatasetContract | None
    whole: int = 0
    finding: Finding | None = None
    asked: Asked | None = None
    best: Lines = ()
    enough: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an ask gets: its price each time, its errors, and what there is to say."""

    verdict: Verdict
    nano_rho: int = 0
    lines: Lines = ()
    finding: Finding | None = None
    coarser: Coarser | None = None


def budget_plan(questions: StandingQuestions, sizes: ExpectedSizes, contracts: Contracts) -> BudgetPlan:
    """What every standing question gets, and how good its answer will be.

    Args:
        questions: What is asked in the year.
        sizes: How large the datasets are expected to be.
        contracts: By dataset; what is not among them is offered by nobody.

    Raises:
        InvalidInput: ``questions-invalid``, when an ask has no form that a query can take.
    """
    budgets = _budgets_of(contracts.values())
    examined = {
        path: _examined(path, ask, query_of(ask, questions), (contracts, sizes, budgets))
        for path, ask in questions.asks.items()
    }
    outcomes: dict[str, Outcome] = {}
    for source, budget in budgets.items():
        group = [each for each in examined.values() if each.contract is not None and each.contract.source == source]
        outcomes |= _outcomes(group, _spendable(budget, questions.reserve_percent))
    for path, each in examined.items():
        if path not in outcomes:
            outcomes[path] = _without_price(each, examined, outcomes)
    return _assembled(questions, contracts, examined, outcomes)


def query_of(ask: Ask, questions: StandingQuestions) -> Query:
    """The query that an ask puts, over the whole fiscal year.

    Raises:
        InvalidInput: ``questions-invalid``, naming the ask.
    """
    try:
        return Query(
            measures=ask.measures,
            dimensions=ask.by,
            where=ask.where,
            period=questions.period,
            family=Family(tables=ask.tables) if ask.tables else None,
            series=Series() if ask.series else None,
            counter=ask.counter,
        )
    except ValidationError as error:
        raise InvalidInput("questions-invalid", file=QUESTIONS, where=ask.id) from error


def _examined(path: str, ask: Ask, query: Query, known: tuple[Contracts, ExpectedSizes, Mapping[str, int]]) -> Examined:
    """See whether the contract offers what is asked, and how good the answer could be at best."""
    contracts, sizes, budgets = known
    contract, size = contracts.get(ask.dataset), sizes.dataset.get(ask.dataset)
    if contract is None:
        return Examined(path, ask, contract, finding=finding("no-contract", dataset=ask.dataset))
    if ask.reuses:
        return Examined(path, ask, contract)
    whole = budgets.get(contract.source, 0) // ask.times
    try:
        why = _without_budget(ask, query, contract)
        if why is None and size is not None:
            asked = Asked(query, contract, size, ask.target)
            best = expected_lines(asked, whole)
            return Examined(path, ask, contract, whole, None, asked, best, enough_prices(asked, whole, best))
    except InvalidInput as error:
        why = finding_of(error.reasons[0])
    return Examined(path, ask, contract, whole, why or finding("no-size", dataset=ask.dataset))


def _without_budget(ask: Ask, query: Query, contract: DatasetContract) -> Finding | None:
    """Why a budget is not needed, or does not help; None when it does.

    Raises:
        InvalidInput: The contract does not offer what is asked.
    """
    if ask.tier not in contract.tiers:
        choices = ", ".join(tier.value for tier in contract.tiers)
        return finding("tier-not-offered", dataset=ask.dataset, tier=ask.tier.value, choices=choices)
    check_question(query, [contract], query.period.until)
    if ask.tier is Tier.STATISTICS:
        return None
    if contract.feed_rows is None:
        return finding("exact")
    return finding("exact-part", column=contract.feed_rows.column, codes=", ".join(contract.feed_rows.codes))


def _outcomes(group: Sequence[Examined], spendable: int) -> dict[str, Outcome]:
    """What each ask of one source gets that a budget can help."""
    judged = [(each, each.asked) for each in group if each.asked is not None]
    prices = _prices([each for each, _ in judged], spendable)
    fair = spendable // max(1, len(judged))
    return {each.path: _outcome(each, asked, prices.get(each.path, 0), fair) for each, asked in judged}


def _prices(asks: Sequence[Examined], spendable: int) -> dict[str, int]:
    """The price of every ask that can be answered beside the others.

    A line that is nothing but noise at its share of the budget has no claim on it: what is spent for its sake is lost
    for the others. The hardest goes first, so that as many as can be are left; an ask without a line left gets nothing.
    """
    claims = {each: frozenset(each.enough) for each in asks if each.enough}
    while claims:
        prices = allocate([_claim(each, lines) for each, lines in claims.items()], spendable)
        lost = [
            (error / each.ask.importance, each.path, number, each)
            for each, lines in claims.items()
            for number, error in _errors(_lines_at(each, prices[each.path]), lines)
            if error > USELESS
        ]
        if not lost:
            return prices
        _, _, number, hardest = max(lost, key=lambda each: each[:3])
        claims[hardest] -= {number}
        claims = {each: lines for each, lines in claims.items() if lines}
    return {}


def _errors(lines: Lines, numbers: Iterable[int]) -> list[tuple[int, float]]:
    """The relative errors of these lines, by number; endless where there is none."""
    found = {number: line.relative_error for number, line in enumerate(lines)}
    return [(number, math.inf if (error := found.get(number)) is None else error) for number in sorted(numbers)]


def _claim(each: Examined, lines: Iterable[int]) -> Claim:
    """The claim of an ask for the sake of these lines: the root of the price at which the hardest meets its target."""
    return Claim(each.path, math.sqrt(_enough(each, lines)), each.ask.importance, each.ask.times)


def _enough(each: Examined, lines: Iterable[int]) -> float:
    """The price at which all these lines meet their target."""
    return max(each.enough[number] for number in lines)


def _lines_at(each: Examined, nano_rho: int) -> Lines:
    """The errors at a price; none if it is too small to draw any noise for."""
    try:
        return expected_lines(each.asked, nano_rho) if each.asked else ()
    except InvalidInput:
        return ()


def _outcome(each: Examined, asked: Asked, nano_rho: int, fair: int) -> Outcome:
    """What comes of an ask at its price; ``fair`` is an even share of the budget, for the year."""
    if not nano_rho:
        why = finding("crowded-out" if each.enough else "noise")
        form = coarser_form(asked, fair // each.ask.times)
        return Outcome(Verdict.UNANSWERED, 0, each.best, why, form)
    lines = _lines_at(each, nano_rho)
    verdict = together(tuple(line.verdict for line in lines))
    if verdict is Verdict.ANSWERED:
        return Outcome(verdict, nano_rho, lines)
    return Outcome(verdict, nano_rho, lines, finding("coarse"), coarser_form(asked, nano_rho))


def _without_price(each: Examined, examined: Mapping[str, Examined], outcomes: Mapping[str, Outcome]) -> Outcome:
    """What comes of an ask that needs no budget, that none can help, or that reads the release of another."""
    if each.ask.reuses is None or each.finding is not None:
        exact = each.finding is not None and each.finding.code in EXACT
        return Outcome(Verdict.EXACT if exact else Verdict.UNANSWERED, finding=each.finding)
    source, released = examined[each.ask.reuses], outcomes[each.ask.reuses]
    if source.asked is None or not released.nano_rho:
        return Outcome(Verdict.UNANSWERED, finding=finding("source-unanswered", reuses=each.ask.reuses))
    asked = Asked(source.asked.query, source.asked.contract, source.asked.size, each.ask.target)
    try:
        lines = reused_lines(asked, released.nano_rho, each.ask.by, each.ask.measures)
    except InvalidInput as error:
        return Outcome(Verdict.UNANSWERED, finding=finding_of(error.reasons[0]))
    verdict = together(tuple(line.verdict for line in lines))
    return Outcome(verdict, 0, lines, finding("reused", reuses=each.ask.reuses))


def _planned(each: Examined, outcome: Outcome) -> PlannedAsk:
    ask, contract = each.ask, each.contract
    whole = outcome.nano_rho * ask.times
    delta = contract.privacy.delta if contract else "1e-9"
    return PlannedAsk(
        path=each.path,
        title=ask.title,
        dataset=ask.dataset,
        tier=ask.tier,
        measures=ask.measures,
        by=ask.by,
        reuses=ask.reuses,
        times=ask.times,
        target=ask.target,
        nano_rho_each=outcome.nano_rho,
        nano_rho=whole,
        nano_rho_enough=math.ceil(_enough(each, each.enough)) if each.enough else None,
        share=outcome.nano_rho / each.whole if each.whole else 0.0,
        epsilon=epsilon_of(whole, delta),
        lines=outcome.lines,
        at_whole_budget=each.asked is not None and not outcome.nano_rho,
        verdict=outcome.verdict,
        finding=outcome.finding,
        instead=None if outcome.verdict in (Verdict.ANSWERED, Verdict.EXACT) else ask.instead,
        coarser=outcome.coarser,
    )


def _assembled(
    questions: StandingQuestions,
    contracts: Contracts,
    examined: Mapping[str, Examined],
    outcomes: Mapping[str, Outcome],
) -> BudgetPlan:
    asks = {path: _planned(each, outcomes[path]) for path, each in examined.items()}
    planned = []
    for question in questions.question:
        own = tuple(asks[f"{question.id}/{ask.id}"] for ask in question.ask)
        verdict = together(tuple(each.verdict for each in own), mixed=Verdict.PART)
        planned.append(
            PlannedQuestion(id=question.id, system=question.system, title=question.title, asks=own, verdict=verdict)
        )
    budgets = _budgets(contracts, asks.values(), questions.reserve_percent)
    delta = min((each.delta for each in budgets), key=float, default="1e-9")
    return BudgetPlan(
        window=questions.window,
        reserve_percent=questions.reserve_percent,
        questions=tuple(planned),
        budgets=budgets,
        nano_rho=sum(each.budget for each in budgets),
        epsilon=epsilon_of(sum(each.budget for each in budgets), delta),
        epsilon_planned=epsilon_of(sum(each.planned for each in budgets), delta),
        epsilon_enough=epsilon_of(sum(each.enough for each in budgets), delta),
        delta=delta,
    )


def _budgets(contracts: Contracts, asks: Iterable[PlannedAsk], reserve_percent: int) -> tuple[PlannedBudget, ...]:
    """A line for every source that statistics can be asked of, whether anything is asked of it or not."""
    paid = [ask for ask in asks if ask.nano_rho]
    budgets = []
    for source, budget in _budgets_of(contracts.values()).items():
        own = [each for each in contracts.values() if each.source == source and Tier.STATISTICS in each.tiers]
        ids = {each.id for each in own}
        here = [ask for ask in paid if ask.dataset in ids]
        planned = sum(ask.nano_rho for ask in here)
        enough = sum(min(ask.nano_rho, ask.times * (ask.nano_rho_enough or ask.nano_rho_each)) for ask in here)
        delta = min((each.privacy.delta for each in own), key=float)
        budgets.append(
            PlannedBudget(
                source=source,
                datasets=tuple(sorted(ids)),
                person=own[0].unit.person,
                delta=delta,
                budget=budget,
                planned=planned,
                enough=enough,
                reserved=budget - _spendable(budget, reserve_percent),
                epsilon=epsilon_of(budget, delta),
                epsilon_planned=epsilon_of(planned, delta),
                epsilon_enough=epsilon_of(enough, delta),
            )
        )
    return tuple(budgets)


def _budgets_of(contracts: Iterable[DatasetContract]) -> dict[str, int]:
    """What a person may lose in the year, by source: the ledger's key is the source, so its smallest budget binds."""
    found: dict[str, int] = {}
    for each in sorted(contracts, key=lambda contract: contract.source):
        if Tier.STATISTICS in each.tiers:
            own = each.privacy.nano_rho_per_window
            found[each.source] = min(own, found.get(each.source, own))
    return found


def _spendable(budget: int, reserve_percent: int) -> int:
    return budget * (PERCENT - reserve_percent) // PERCENT
