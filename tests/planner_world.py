"""A small world for the budget planner: one contract of ``tests.factories``, its expected size, and questions to it."""

from collections.abc import Iterable, Mapping

from contracts.budget_plan import BudgetPlan, PlannedAsk
from contracts.dataset import DatasetContract
from contracts.standing_questions import Ask, ExpectedSize, ExpectedSizes, Question, StandingQuestions
from privacy.planner import budget_plan
from tests import factories as make

DATASET = "tpo_complaint"
ROWS = 36_000


def ask(name: str = "cases", /, **changes: object) -> Ask:
    """Counts by month and province, important 1, at 20 %."""
    fields = {"id": name, "title": make.text(name), "dataset": DATASET, "by": ("month", "province"), **changes}
    return Ask.model_validate(fields)


def questions(*asks: Ask, **changes: object) -> StandingQuestions:
    """One question for each ask: Q01, Q02, ... of fiscal year 2569, a tenth kept in reserve."""
    asked = tuple(
        Question(id=f"Q{number:02d}", system="OJA", title=make.text(each.id), ask=(each,))
        for number, each in enumerate(asks, start=1)
    )
    fields = {"window": "FY2569", "reserve_percent": 10, "question": asked, **changes}
    return StandingQuestions.model_validate(fields)


def size(**changes: object) -> ExpectedSize:
    """A thousand rows in each month and province."""
    fields = {"rows": ROWS, "people": ROWS // 2, "means": {"damage_thb": {"ALL": 5_000}}, "basis": "made up", **changes}
    return ExpectedSize.model_validate(fields)


def sizes(of: Mapping[str, ExpectedSize] | None = None) -> ExpectedSizes:
    """The size of the contract, or those given."""
    return ExpectedSizes(dataset={DATASET: size()} if of is None else of)


def planned(
    asked: StandingQuestions, contracts: Iterable[DatasetContract] = (), known: ExpectedSizes | None = None
) -> BudgetPlan:
    """The plan for the default contract, or for those given."""
    offered = tuple(contracts) or (make.contract(),)
    return budget_plan(asked, known or sizes(), {each.id: each for each in offered})


def asks_of(plan: BudgetPlan) -> dict[str, PlannedAsk]:
    """The planned asks by the name that they were given."""
    return {each.path.partition("/")[2]: each for question in plan.questions for each in question.asks}


def error_of(planned_ask: PlannedAsk, line: int = 0) -> float:
    """The 95 % error of a line, which has one."""
    error = planned_ask.lines[line].error_95
    assert error is not None
    return error
