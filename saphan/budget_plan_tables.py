"""The budget plan as people read it: every question with its errors, by dataset, and what one person-year can lose."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from contracts.budget_plan import BudgetPlan, PlannedAsk, PlannedBudget, PlannedLine, PlannedQuestion, Verdict
from contracts.dataset import Text
from saphan.output import millions, table_of

NONE = "–"


def plan_tables(plan: BudgetPlan) -> Iterator[Table]:
    """The verdicts, prices and errors of each dataset that is asked, what to do, and the budgets."""
    yield _questions(plan)
    asks = [ask for question in plan.questions for ask in question.asks]
    for dataset in dict.fromkeys(ask.dataset for ask in asks):
        asked = [ask for ask in asks if ask.dataset == dataset]
        yield _prices(dataset, asked)
        yield _errors(dataset, asked)
    yield _findings(asks)
    yield _budgets(plan)


def _questions(plan: BudgetPlan) -> Table:
    title = f"{plan.window} · {plan.reserve_percent} % kept for questions of the day and revisions"
    table = table_of("question", "", "answer", title=title)
    for question in plan.questions:
        table.add_row(question.id, _both(question.title), _verdict(question))
    return table


def _prices(dataset: str, asks: list[PlannedAsk]) -> Table:
    figures = ("of the\nyear", "nano-rho", "times each", "enough", "ε")
    table = table_of("ask", *figures, "answer", figures=figures, title=f"{dataset}: prices")
    for ask in asks:
        table.add_row(ask.path, *_price(ask), _verdict(ask))
    return table


def _price(ask: PlannedAsk) -> tuple[str, str, str, str, str]:
    """Its share of the year, its price, of how many times it consists, what would be enough, and its epsilon."""
    if ask.nano_rho == 0:
        return NONE, "0", NONE, NONE, NONE
    times = f"{ask.times} × {ask.nano_rho_each:,}" if ask.times > 1 else ""
    enough = NONE if ask.nano_rho_enough is None else f"{ask.share * ask.nano_rho_enough / ask.nano_rho_each:.1%}"
    return f"{ask.share:.1%}", f"{ask.nano_rho:,}", times, enough, f"{ask.epsilon:.3f}"


def _errors(dataset: str, asks: list[PlannedAsk]) -> Table:
    figures = ("cells", "typical", "± in 95\nof 100", "± of it", "in\nnoise")
    table = table_of("ask, measure, by", *figures, "answer", figures=figures, title=f"{dataset}: errors")
    for ask in asks:
        named = f"{ask.path} (errors at the whole budget)" if ask.at_whole_budget else ask.path
        if not ask.lines:
            table.add_row(f"{named}\n{', '.join(ask.measures)}{_by(ask.by)}", *[NONE] * len(figures), _verdict(ask))
        for number, line in enumerate(ask.lines):
            # A line at the whole budget may look answerable: its ask still gets nothing.
            verdict = _verdict(ask) if ask.at_whole_budget else _verdict(line)
            head = f"{named}\n" if number == 0 else ""
            table.add_row(f"{head}{_measured(line)}", *_figures(line), verdict)
        table.add_section()
    return table


def _measured(line: PlannedLine) -> str:
    assumed = "".join(f" {name}?" for name in line.assumed_even)
    return f"{line.measure} ({line.unit}){_by(line.by)}" + (f" (even:{assumed})" if assumed else "")


def _by(names: Sequence[str]) -> str:
    return f" by {', '.join(names)}" if names else " of all"


def _figures(line: PlannedLine) -> tuple[str, ...]:
    relative = NONE if line.relative_error is None else f"{line.relative_error:.1%}"
    figures = (f"{line.cells:,}", _figure(line.expected_cell), _figure(line.error_95), relative)
    return (*figures, f"{line.noisy_cells:.0%}")


def _findings(asks: list[PlannedAsk]) -> Table:
    """Why an ask is not simply answered, and what to do."""
    table = table_of("ask", "", title="what to do")
    for ask in asks:
        for text in _advice(ask):
            table.add_row(ask.path, _both(text))
        if ask.finding is not None:
            table.add_section()
    return table


def _advice(ask: PlannedAsk) -> Iterator[Text]:
    if ask.finding is not None:
        yield ask.finding.message
        yield ask.finding.advice
    if ask.instead is not None:
        yield ask.instead
    if ask.coarser is not None:
        by, error = ", ".join(ask.coarser.by) or "(all)", f"{ask.coarser.relative_error:.1%}"
        yield Text(
            th=f"รูปที่ละเอียดที่สุดซึ่งตอบได้ด้วยงบ {ask.coarser.nano_rho:,}: แยกตาม {by} (± {error})",
            en=f"The finest form that {ask.coarser.nano_rho:,} nano-rho would answer: by {by} (± {error}).",
        )


def _budgets(plan: BudgetPlan) -> Table:
    amounts = ("budget", "planned", "enough", "reserve")
    figures = (*amounts, "ε of the\nbudget", "ε\nplanned", "ε\nenough")
    deltas = sorted({plan.delta, *(each.delta for each in plan.budgets)})
    one = f", ε at δ = {deltas[0]}" if len(deltas) == 1 else ""
    title = f"what one person-year can lose, in millions of nano-rho{one}"
    table = table_of("source, person", *figures, figures=figures, title=title)
    for each in plan.budgets:
        named = f"{each.source}: {each.person.en}" + ("" if one else f" (δ = {each.delta})")
        losses = (each.budget, each.planned, each.enough, each.reserved)
        table.add_row(named, *map(_millions, losses), *_epsilons(each))
    table.add_section()
    totals = [sum(column) for column in zip(*((b.planned, b.enough, b.reserved) for b in plan.budgets), strict=True)]
    everywhere = "all: somebody who stands in all of them" + ("" if one else f" (δ = {plan.delta})")
    table.add_row(everywhere, *map(_millions, (plan.nano_rho, *totals)), *_epsilons(plan))
    return table


def _millions(nano_rho: int) -> str:
    """A planned amount to the thousand: shares of a year leave odd nano-rho."""
    return millions(round(nano_rho, -3))


def _epsilons(of: PlannedBudget | BudgetPlan) -> tuple[str, ...]:
    return tuple(f"{epsilon:.3f}" for epsilon in (of.epsilon, of.epsilon_planned, of.epsilon_enough))


def _verdict(of: PlannedQuestion | PlannedAsk | PlannedLine) -> str:
    text = _both(of.verdict.words)
    return f"[red]{text}[/red]" if of.verdict is Verdict.UNANSWERED else text


def _both(text: Text) -> str:
    return f"{text.th} · {text.en}"


def _figure(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"  # noqa: PLR2004  # three figures are enough
