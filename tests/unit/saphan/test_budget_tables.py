"""What people read of the budget."""

import pytest
from rich.console import Console

from contracts.budget_view import BudgetView, FederationLoss, Loss, SourceLoss, WindowLoss
from saphan.budget_tables import budget_table

pytestmark = pytest.mark.unit


def loss(budget: int, spent: int, epsilon: float) -> Loss:
    return Loss(
        budget=budget,
        spent=spent,
        reserved=50,
        left=budget - spent - 50,
        delta="1e-6",
        epsilon_spent=epsilon,
        epsilon_budget=2 * epsilon,
    )


def shown(view: BudgetView) -> str:
    console = Console(width=260)
    with console.capture() as told:
        console.print(budget_table(view))
    return told.get()


VIEW = BudgetView(
    windows=(WindowLoss(source="ccib/tpo", datasets=("tpo_complaint",), window="FY2569", loss=loss(1_000, 400, 0.25)),),
    sources=(
        SourceLoss(
            source="ccib/tpo", datasets=("tpo_again", "tpo_complaint"), windows=("FY2569",), loss=loss(1_000, 400, 0.5)
        ),
    ),
    federation=FederationLoss(sources=("ccib/tpo",), loss=loss(9_000, 3_000, 0.75)),
)


def test_a_window_shows_what_is_left_and_the_epsilon_of_what_was_spent_and_of_all() -> None:
    line = next(each for each in shown(VIEW).splitlines() if "FY2569" in each)
    for wanted in ("ccib/tpo", "1,000", "400", "50", "550", "0.250", "0.500", "1e-6"):
        assert wanted in line


def test_the_sums_say_for_whom_they_are_in_both_languages() -> None:
    told = shown(VIEW)
    for wanted in (
        "for one person who stands in every window",
        "สำหรับบุคคลที่อยู่ในทุกปีงบประมาณ",
        "for one person who stands in every dataset",
        "สำหรับบุคคลที่อยู่ในทุกชุดข้อมูล",
        "tpo_again, tpo_complaint",
        "5,950",
    ):
        assert wanted in told


def test_headings_stand_in_both_languages() -> None:
    told = shown(VIEW)
    for wanted in ("เหลือ", "left", "ใช้แล้ว", "spent", "จองไว้", "reserved"):
        assert wanted in told


def test_without_contracts_nothing_is_summed() -> None:
    assert "every dataset" not in shown(BudgetView(windows=(), sources=()))
