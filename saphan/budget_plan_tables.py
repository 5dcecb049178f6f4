"""The budget plan as people read it: every question with its errors, by dataset, and what one person-year can lose."""

from collections.abc import Iterator

from rich.table import Table

from contracts.budget_plan import BudgetPlan, PlannedAsk, PlannedBudget, PlannedLine, PlannedQuestion, Verdict
from contracts.dataset import Text
from saphan.output import table_of

NONE = "–"


def plan_tables(plan: BudgetPlan) -> Iterator[Table]:
    """The verdicts, a table for each dataset that is asked, what to do, and the budgets."""
    yield _questions(plan)
    asks = [ask for question in plan.questions for ask in question.asks]
    for dataset in dict.fromkeys(ask.dataset for ask in asks):
        yield _dataset(dataset, [ask for ask in asks if ask.dataset == dataset])
    yield _findings(asks)
    yield _budgets(plan)


def _questions(plan: BudgetPlan) -> Table:
    title = f"{plan.window} · {plan.reserve_percent} % kept for questions of the day and revisions"
    table = table_of("question", "", "answer", title=title)
    for question in plan.questions:
        table.add_row(question.id, _both(question.title), _verdict(question))
    return table


def _dataset(dataset: str, asks: list[PlannedAsk]) -> Table:
    columns = ("ask", "of the year", "enough", "ε", "measure", "by", "cells", "typical", "± in 95 of 100", "± of it")
    table = table_of(*columns, "cells in noise", "answer", title=dataset)
    for ask in asks:
        head = (ask.path, *_price(ask))
        if not ask.lines:
            table.add_row(*head, ", ".join(ask.measures), ", ".join(ask.by), *[NONE] * 5, _verdict(ask))
        for number, line in enumerate(ask.lines):
            # A line at the whole budget may look answerable: its ask still gets nothing.
            verdict = _verdict(ask) if ask.at_whole_budget else _verdict(line)
            table.add_row(*(head if number == 0 else [""] * len(head)), *_errors(line), verdict)
        table.add_section()
    return table


def _price(ask: PlannedAsk) -> tuple[str, str, str]:
    """What it gets of the year, what would be enough, and the epsilon of what it gets."""
    if ask.nano_rho == 0:
        return ("0 (errors at all of it)" if ask.at_whole_budget else "0"), NONE, NONE
    times = f" = {ask.times} × {ask.nano_rho_each:,}" if ask.times > 1 else ""
    enough = NONE if ask.nano_rho_enough is None else f"{ask.share * ask.nano_rho_enough / ask.nano_rho_each:.1%}"
    return f"{ask.share:.1%} · {ask.nano_rho:,}{times}", enough, f"{ask.epsilon:.3f}"


def _errors(line: PlannedLine) -> tuple[str, ...]:
    assumed = "".join(f" {name}?" for name in line.assumed_even)
    by = (", ".join(line.by) or "all") + (f" (even:{assumed})" if assumed else "")
    relative = NONE if line.relative_error is None else f"{line.relative_error:.1%}"
    figures = (f"{line.cells:,}", _figure(line.expected_cell), _figure(line.error_95), relative)
    return (f"{line.measure} ({line.unit})", by, *figures, f"{line.noisy_cells:.0%}")


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
    columns = ("source", "person", "budget", "planned", "enough", "reserve", "ε of the budget", "ε planned", "ε enough")
    table = table_of(*columns, "δ", title="what one person-year can lose, in nano-rho")
    for each in plan.budgets:
        amounts = (each.budget, each.planned, each.enough, each.reserved)
        table.add_row(each.source, each.person.en, *(f"{n:,}" for n in amounts), *_epsilons(each), each.delta)
    table.add_section()
    totals = [sum(column) for column in zip(*((b.planned, b.enough, b.reserved) for b in plan.budgets), strict=True)]
    everywhere = "somebody who stands in all of them"
    table.add_row("all", everywhere, *(f"{n:,}" for n in (plan.nano_rho, *totals)), *_epsilons(plan), plan.delta)
    return table


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
