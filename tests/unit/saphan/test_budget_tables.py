"""What people read of the budget."""

import pytest
from rich.console import Console

from contracts.budget_view import BudgetView, FederationLoss, Loss, SourceLoss, WindowLoss
from saphan.budget_tables import budget_table
from saphan.output import millions

pytestmark = pytest.mark.unit


def loss(budget: int, spent: int, epsilon: float, reserved: int = 50) -> Loss:
    """Amounts in millions of nano-rho."""
    return Loss(
        budget=budget * 1_000_000,
        spent=spent * 1_000_000,
        reserved=reserved * 1_000_000,
        left=(budget - spent - reserved) * 1_000_000,
        delta="1e-6",
        epsilon_spent=epsilon,
        epsilon_budget=2 * epsilon,
    )


def shown(view: BudgetView, width: int = 260) -> str:
    console = Console(width=width)
    with console.capture() as told:
        console.print(budget_table(view))
    return told.get()


def window(year: str, of: Loss, source: str = "ccib/tpo") -> WindowLoss:
    return WindowLoss(source=source, datasets=("tpo_complaint",), window=year, loss=of)


VIEW = BudgetView(
    windows=(window("FY2569", loss(1_000, 400, 0.25)),),
    sources=(
        SourceLoss(
            source="ccib/tpo", datasets=("tpo_again", "tpo_complaint"), windows=("FY2569",), loss=loss(1_000, 400, 0.5)
        ),
    ),
    federation=FederationLoss(sources=("ccib/tpo",), loss=loss(9_000, 3_000, 0.75)),
)


def test_a_window_shows_what_is_left_and_the_epsilon_of_what_was_spent_and_of_all() -> None:
    line = next(each for each in shown(VIEW).splitlines() if "FY2569" in each)
    for wanted in ("ccib/tpo", "1,000", "400", "50", "550", "0.250", "0.500"):
        assert wanted in line


def test_the_title_says_the_unit_and_the_delta_once() -> None:
    told = shown(VIEW)
    assert "millions of nano-rho" in told
    assert told.count("δ = 1e-6") == 1


def test_different_deltas_are_told_of_each_source_and_of_them_all() -> None:
    wider = loss(9_000, 3_000, 0.75).model_copy(update={"delta": "1e-7"})
    told = shown(VIEW.model_copy(update={"federation": FederationLoss(sources=("ccib/tpo",), loss=wider)}))
    assert "δ = 1e-6: ccib/tpo" in told
    assert "δ = 1e-7: ทั้งเครือข่าย · federation" in told


def test_years_that_nobody_touched_share_a_line_and_a_touched_one_does_not() -> None:
    untouched = loss(400, 0, 0.0, reserved=0)
    years = (window("FY2567", untouched), window("FY2568", untouched), window("FY2569", loss(400, 1, 0.1)))
    lines = shown(BudgetView(windows=years, sources=VIEW.sources)).splitlines()
    assert any("FY2567, FY2568" in each and "each, untouched" in each and "400" in each for each in lines)
    assert any("FY2569" in each and "FY2568" not in each and "349" in each for each in lines)


def test_no_figure_is_cut_at_eighty_columns() -> None:
    odd = Loss(
        budget=2_400_000_000,
        spent=187_087_296,
        reserved=35_628_001,
        left=2_177_284_703,
        delta="1e-7",
        epsilon_spent=12.345,
        epsilon_budget=16.789,
    )
    told = shown(BudgetView(windows=(window("FY2569", odd, "ccib/thaipoliceonline"),), sources=()), width=80)
    for wanted in ("2,400", "187.087296", "35.628001", "2,177.284703", "12.345", "16.789"):
        assert wanted in told
    assert "…" not in told


@pytest.mark.parametrize(
    ("nano_rho", "told"),
    [(0, "0"), (1, "0.000001"), (400_000_000, "400"), (1_234_567_890, "1,234.56789")],
)
def test_millions_are_exact(nano_rho: int, told: str) -> None:
    assert millions(nano_rho) == told


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
