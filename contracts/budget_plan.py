"""The budget plan: what each standing question would cost and how good its answer would be, before anybody signs.

``privacy.planner`` makes it; ``budget_plan.toml`` says in both languages what it found.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files

from pydantic import Field

from contracts.dataset import Text, Tier
from contracts.errors import Reason
from contracts.identifiers import DatasetId, MeasureName, Name, NanoRho, SourceId
from contracts.periods import Window
from contracts.values import Value


class Verdict(StrEnum):
    """Whether a question is answered, best first."""

    EXACT = "exact"
    ANSWERED = "answered"
    COARSE = "coarse"
    PART = "part"
    UNANSWERED = "unanswered"

    @property
    def words(self) -> Text:
        """The verdict in both languages."""
        return _WORDS[self]

    @property
    def fits(self) -> bool:
        """Whether there is an answer worth having."""
        return self is not Verdict.UNANSWERED


_WORDS = {
    Verdict.EXACT: Text(th="ตอบได้ตามจริง", en="answered exactly"),
    Verdict.ANSWERED: Text(th="ตอบได้", en="answered"),
    Verdict.COARSE: Text(th="ตอบได้อย่างหยาบ", en="answered only coarsely"),
    Verdict.PART: Text(th="ตอบได้บางส่วน", en="answered in part"),
    Verdict.UNANSWERED: Text(th="ตอบไม่ได้", en="cannot be answered"),
}


class Finding(Value):
    """Why an ask has its verdict, and what to do; ``code`` is of ``budget_plan.toml`` or of the error catalogue."""

    code: str
    message: Text
    advice: Text


class PlannedLine(Value):
    """How good one measure of one table would be, at the price of its ask.

    ``cells`` counts all figures of the table, ``expected_cell`` is the median of those that are expected at all.
    ``error_95`` is the half-width of the interval that holds the exact figure 95 times in 100, of the cell with the
    largest noise; for a derived measure, of a typical cell. ``relative_error`` is the error of a typical cell as a part
    of its figure, none where the figure has no meaning for noise. ``noisy_cells`` is the share of expected cells whose
    error is more than half of their figure. ``assumed_even`` names the axes over which nobody knows how rows spread.
    """

    measure: MeasureName
    by: tuple[Name, ...]
    unit: str
    cells: int = Field(ge=1)
    expected_cell: float | None
    error_95: float | None
    relative_error: float | None
    noisy_cells: float = Field(ge=0, le=1)
    assumed_even: tuple[Name, ...]
    verdict: Verdict


class Coarser(Value):
    """The finest coarser form of an ask that would be answered for an even share of the budget."""

    by: tuple[Name, ...]
    relative_error: float
    nano_rho: NanoRho


class PlannedAsk(Value):
    """One ask: its price each time that it is charged, what it costs the year in all, and its errors.

    An ask that gets no budget shows the errors that the whole budget of the year would leave, ``at_whole_budget``.
    """

    path: str
    """The question and the ask: ``Q01/map``."""

    title: Text
    dataset: DatasetId
    tier: Tier
    measures: tuple[MeasureName, ...]
    by: tuple[Name, ...]
    reuses: str | None
    times: int
    target: float
    nano_rho_each: NanoRho
    nano_rho: NanoRho
    share: float = Field(ge=0, le=1)
    """Of the source's budget."""

    nano_rho_enough: NanoRho | None
    """The price each time at which every line that can meet its target would; none when no budget helps."""

    epsilon: float
    lines: tuple[PlannedLine, ...]
    at_whole_budget: bool
    verdict: Verdict
    finding: Finding | None
    """Why, and what to do; none for one that is simply answered."""

    instead: Text | None
    """What the author of the question advises when it is not answered as it stands."""

    coarser: Coarser | None


class PlannedQuestion(Value):
    """A standing question and its asks; its verdict is theirs if they agree, else that a part is answered."""

    id: str
    system: str
    title: Text
    asks: tuple[PlannedAsk, ...]
    verdict: Verdict


class PlannedBudget(Value):
    """What one source may lose of one person in the year: all of it, what the plan uses, and the reserve.

    ``enough`` is what it would cost if no ask took more than it needs to meet its target.
    """

    source: SourceId
    datasets: tuple[DatasetId, ...]
    person: Text
    delta: str
    budget: NanoRho
    planned: NanoRho
    enough: NanoRho
    reserved: NanoRho
    epsilon: float
    """Of the whole budget, at ``delta``: what a person-year can lose at most."""

    epsilon_planned: float
    epsilon_enough: float


class BudgetPlan(Value):
    """The plan for one fiscal year: every question once, every source once, and the sum over all sources.

    ``epsilon`` is what somebody who stands in every dataset could lose in the year at most, at ``delta``.
    """

    window: Window
    reserve_percent: int
    questions: tuple[PlannedQuestion, ...]
    budgets: tuple[PlannedBudget, ...]
    nano_rho: NanoRho
    epsilon: float
    epsilon_planned: float
    epsilon_enough: float
    delta: str


class _Words(Value):
    fits: bool
    th: str
    en: str
    advice_th: str
    advice_en: str


def _words() -> dict[str, _Words]:
    table = tomllib.loads(files("contracts").joinpath("budget_plan.toml").read_text(encoding="utf-8"))
    return {code: _Words.model_validate(entry) for code, entry in table.items()}


FINDINGS: Mapping[str, _Words] = _words()
"""What the planner may find, by code."""


def finding(code: str, **details: str) -> Finding:
    """What the planner found, in both languages."""
    words = FINDINGS[code]
    return Finding(
        code=code,
        message=Text(th=words.th.format_map(details), en=words.en.format_map(details)),
        advice=Text(th=words.advice_th.format_map(details), en=words.advice_en.format_map(details)),
    )


def finding_of(reason: Reason) -> Finding:
    """Why a question does not fit a contract, as the error catalogue says it."""
    return Finding(
        code=reason.code,
        message=Text(th=reason.message_th, en=reason.message_en),
        advice=Text(th=reason.advice_th, en=reason.advice_en),
    )


def together(verdicts: tuple[Verdict, ...], mixed: Verdict = Verdict.COARSE) -> Verdict:
    """The verdict on a whole whose parts have these: the parts' own if they agree.

    An exact part is as good as one that is answered. Where some parts are answered and others are not, it is ``mixed``.
    """
    distinct = set(verdicts)
    if distinct <= {Verdict.EXACT, Verdict.ANSWERED}:
        return Verdict.EXACT if distinct == {Verdict.EXACT} else Verdict.ANSWERED
    if len(distinct) == 1:
        return distinct.pop()
    return Verdict.COARSE if all(each.fits for each in distinct) else mixed
