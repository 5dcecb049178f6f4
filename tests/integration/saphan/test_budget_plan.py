"""``saphan budget plan``: the year's questions, their prices and errors, from bundled files or one's own."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.budget_plan import BudgetPlan, Verdict
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.standing_questions import bundled_questions
from privacy.mechanisms import epsilon_of
from privacy.plan import plan
from privacy.planner import query_of
from saphan.__main__ import command_line
from saphan.budget_plan_tables import plan_tables

pytestmark = pytest.mark.integration

OWN = """
window = "FY2569"
reserve_percent = 50

[[question]]
id = "Q77"
system = "OJA"
title = { th = "คดีรายเดือน", en = "Cases by month" }

[[question.ask]]
id = "months"
title = { th = "รายเดือน", en = "By month" }
dataset = "tpo_mule"
measures = ["people"]
by = ["month"]
series = true
"""


def run(*arguments: str) -> Result:
    asked = ["budget", "plan", *arguments]
    return CliRunner().invoke(command_line(asked), asked)


@pytest.fixture(scope="module")
def printed() -> BudgetPlan:
    found = run("--json")
    assert found.exit_code == 0, found.output
    return BudgetPlan.model_validate_json(found.stdout)


def test_every_standing_question_is_in_the_plan_exactly_once(printed: BudgetPlan) -> None:
    assert [each.id for each in printed.questions] == [f"Q{number:02d}" for number in range(1, 21)]
    paths = [ask.path for each in printed.questions for ask in each.asks]
    assert paths == list(bundled_questions().asks)


def test_every_dataset_has_one_budget_that_its_questions_do_not_exceed(printed: BudgetPlan) -> None:
    contracts = {each: read_contract(bundled_text(each)) for each in bundled_ids()}
    asks = [ask for each in printed.questions for ask in each.asks]

    assert len({each.source for each in printed.budgets}) == len(printed.budgets)
    for budget in printed.budgets:
        paid = sum(ask.nano_rho for ask in asks if ask.dataset in budget.datasets)
        (only,) = (contracts[each] for each in budget.datasets)
        assert paid == budget.planned <= budget.budget * 9 // 10
        assert budget.budget == only.privacy.nano_rho_per_window
        assert budget.epsilon == epsilon_of(budget.budget, only.privacy.delta)
    assert printed.epsilon == epsilon_of(sum(each.budget for each in printed.budgets), printed.delta)


def test_the_printed_errors_are_those_that_the_engine_plans_at_the_printed_price(printed: BudgetPlan) -> None:
    questions = bundled_questions()
    seen = 0
    for ask in (ask for each in printed.questions for ask in each.asks if ask.nano_rho_each):
        query, contract = query_of(questions.asks[ask.path], questions), read_contract(bundled_text(ask.dataset))
        terms = plan(query, [contract], ask.nano_rho_each)
        for line in ask.lines:
            if query.family is None and line.measure in query.base_measures:
                assert line.error_95 == pytest.approx(terms.vector(line.measure, query.dimensions).error_95)
                seen += 1
    assert seen > 15


def test_what_cannot_be_answered_is_flagged_with_what_to_do(printed: BudgetPlan) -> None:
    asks = {ask.path: ask for each in printed.questions for ask in each.asks}
    lost = [ask for ask in asks.values() if ask.verdict is Verdict.UNANSWERED]

    assert {"Q03/prisoners", "Q10/full", "Q14/stations", "Q19/days"} <= {ask.path for ask in lost}
    assert all(ask.nano_rho == 0 and ask.finding and ask.finding.advice.th for ask in lost)
    assert asks["Q10/full"].coarser is not None
    assert asks["Q12/web"].verdict is Verdict.EXACT
    assert all(each.verdict is not Verdict.UNANSWERED for each in printed.questions)


def test_a_plan_of_one_dataset_has_its_questions_alone() -> None:
    found = BudgetPlan.model_validate_json(run("--dataset", "dop_em", "--json").stdout)

    assert [each.id for each in found.questions] == ["Q15"]
    assert [each.source for each in found.budgets] == ["dop/em"]


def test_own_questions_sizes_and_contracts_take_the_place_of_those_that_come_along(tmp_path: Path) -> None:
    questions, sizes, contract = (tmp_path / name for name in ("questions.toml", "sizes.toml", "mule.odcs.yaml"))
    questions.write_text(OWN, encoding="utf-8")
    sizes.write_text('[tpo_mule]\nrows = 240_000\npeople = 120_000\nbasis = "a pilot"\n', encoding="utf-8")
    text = bundled_text("tpo_mule").replace("nanoRhoPerWindow: 100000000", "nanoRhoPerWindow: 7000000")
    contract.write_text(text, encoding="utf-8")

    options = ("--questions", str(questions), "--sizes", str(sizes), "--contract", str(contract))
    found = BudgetPlan.model_validate_json(run(*options, "--dataset", "tpo_mule", "--json").stdout)

    (question,) = found.questions
    (ask,) = question.asks
    assert (found.window, question.id, ask.nano_rho) == ("FY2569", "Q77", 3_500_000)
    assert ask.lines[0].expected_cell == pytest.approx(10_000)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--questions", "nowhere.toml"), "questions-invalid"),
        (("--sizes", "{broken}"), "questions-invalid"),
        (("--dataset", "crimes_arrest"), "no-standing-question"),
    ],
)
def test_what_cannot_be_read_ends_in_the_exit_code_of_wrong_input(
    arguments: tuple[str, ...], code: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe")

    found = run(*(each.replace("{broken}", str(broken)) for each in arguments), "--json")

    assert found.exit_code == 2
    assert json.loads(found.stdout)["code"] == code


def test_people_see_every_question_every_error_and_what_to_do(printed: BudgetPlan) -> None:
    console = Console(width=400)
    with console.capture() as shown:
        for table in plan_tables(printed):
            console.print(table)
    text = shown.get()

    assert all(each.id in text and each.title.th in text for each in printed.questions)
    assert all(f"{ask.nano_rho:,}" in text for each in printed.questions for ask in each.asks if ask.nano_rho)
    assert "ตอบไม่ได้ · cannot be answered" in text
    assert "damage_thb:sum (THB)" in text
    assert "by police_region, hop, month" in text
    assert "somebody who stands in all of them" in text


def test_no_figure_of_the_plan_is_cut_at_eighty_columns(printed: BudgetPlan) -> None:
    console = Console(width=80)
    with console.capture() as shown:
        for table in plan_tables(printed):
            console.print(table)
    text = shown.get()

    assert "…" not in text
    assert all(f"{ask.nano_rho:,}" in text for each in printed.questions for ask in each.asks if ask.nano_rho)
    assert all(f"{each.epsilon_planned:.3f}" in text for each in printed.budgets)


def test_on_a_terminal_the_plan_is_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saphan.budget_plan_commands.is_for_programs", lambda **_: False)
    monkeypatch.setenv("COLUMNS", "300")

    found = run("--dataset", "dop_em")

    assert found.exit_code == 0
    assert "Q15/em-alerts" in found.stdout
    assert "what one person-year can lose" in found.stdout


def test_a_plan_in_which_nothing_has_a_budget_can_be_shown_too() -> None:
    alone = BudgetPlan.model_validate_json(run("--dataset", "ref_population", "--json").stdout)
    console = Console(width=200)
    with console.capture() as shown:
        for table in plan_tables(alone):
            console.print(table)

    assert "answered exactly" in shown.get()


def test_without_a_verb_the_budget_is_what_is_left_of_it(tmp_path: Path) -> None:
    asked = ["budget", "--home", str(tmp_path), "--json"]

    found = CliRunner().invoke(command_line(asked), asked)

    assert json.loads(found.stdout)["code"] == "home-without-settings"
