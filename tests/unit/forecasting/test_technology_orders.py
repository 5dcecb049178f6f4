"""Orders of online crime by cases and by damage: how sure they are, and what clamping does to them."""

from itertools import pairwise

import numpy as np
import pytest

from contracts.analysis import Report, Table
from contracts.release import ReleaseBody
from forecasting.cells import cell_table
from forecasting.technology.clamping import Amount, amounts, turned_round
from forecasting.technology.ranking import ranking
from forecasting.technology.report import technology_report
from tests.technology_world import (
    FIRM,
    account_holders,
    cases,
    complaints,
    contract,
    holds,
    released,
    span,
    transfers,
    types,
)

pytestmark = pytest.mark.unit

YEAR = span(12)


@pytest.fixture(scope="module")
def year() -> ReleaseBody:
    return complaints(YEAR)


@pytest.fixture(scope="module")
def told(year: ReleaseBody) -> Report:
    return technology_report([year, holds(YEAR), transfers(YEAR), account_holders(YEAR), cases(span(6))])


def table(told: Report, name: str) -> Table:
    return next(each for each in told.tables if each.name == name)


def column(told: Report, name: str, of: str) -> list[object]:
    found = table(told, name)
    place = [each.name for each in found.columns].index(of)
    return [row[place] for row in found.rows]


def said(told: Report) -> str:
    return "\n".join(statement.text.en for statement in told.statements)


def test_the_order_by_cases_and_the_order_by_damage_are_two_orders(told: Report) -> None:
    assert column(told, "ranks_cases", "case_type")[:3] == ["SHOP", "JOB", "LOAN"]
    assert column(told, "ranks_damage", "case_type")[:3] == ["INVEST", "JOB", "PHONE"]
    assert "most complaints are of Online shopping fraud" in said(told)
    assert "most damage is of Online investment scam" in said(told)


def test_two_figures_of_equal_size_stand_either_way_and_far_ones_only_one() -> None:
    near, far = ranking(["a", "b"], [10.0, 10.0], [2.0, 2.0]), ranking(["a", "b"], [100.0, 10.0], [2.0, 2.0])

    assert near[0].above_next == pytest.approx(0.5)
    assert near[0].right == pytest.approx(0.5)
    assert (near[0].best, near[0].worst) == (1, 2)
    assert far[0].above_next == pytest.approx(1.0)
    assert (far[0].best, far[0].worst) == (1, 1)
    assert far[1].above_next is None


def test_the_noise_of_each_code_counts_for_its_own_figure() -> None:
    """A sum whose clamp is large is unsure of its place, a small clamp's beside the same distance is not."""
    found = ranking(["large", "middle", "small"], [300.0, 200.0, 100.0], [200.0, 5.0, 5.0])

    assert found[0].above_next == pytest.approx(0.6914, abs=1e-3)  # normal probability of 100 / hypot(200, 5)
    assert found[1].above_next == pytest.approx(1.0)
    assert found[0].right < 0.8
    assert found[2].worst == 3


def test_an_exact_figure_has_its_place_for_sure() -> None:
    found = ranking(["a", "b", "c"], [1.0, 3.0, 2.0], [0.0, 0.0, 0.0])

    assert [each.label for each in found] == ["b", "c", "a"]
    assert [each.right for each in found] == pytest.approx([1.0, 1.0, 1.0])


def test_a_single_label_is_first() -> None:
    assert ranking(["a"], [1.0], [1.0])[0].right == pytest.approx(1.0)


def test_what_is_called_sure_so_often_is_right_so_often() -> None:
    """Exact figures spread far wider than the noise, as if nothing were known of them before."""
    rng = np.random.default_rng(1)
    chances, right, places, in_place = [], [], [], []
    sigmas = [3.0, 1.0, 6.0, 2.0, 4.0]
    for _ in range(300):
        exact = rng.uniform(0.0, 60.0, 5)
        found = ranking(list("abcde"), (exact + rng.normal(0.0, sigmas)).tolist(), sigmas)
        truth = dict(zip("abcde", exact.tolist(), strict=True))
        true_order = sorted(truth, key=lambda label: -truth[label])
        for own, below in pairwise(found):
            chances.append(own.above_next or 0.0)
            right.append(truth[own.label] > truth[below.label])
        places += [each.right for each in found]
        in_place += [true_order[each.rank - 1] == each.label for each in found]

    unsure = np.asarray(chances) < 0.9
    for stated, came in ((chances, right), (places, in_place)):
        assert float(np.mean(came)) == pytest.approx(float(np.mean(stated)), abs=0.03)
    assert float(np.asarray(right)[unsure].mean()) == pytest.approx(float(np.asarray(chances)[unsure].mean()), abs=0.06)


def test_orders_that_the_noise_leaves_open_are_named_with_their_chance_and_flagged(year: ReleaseBody) -> None:
    noisy = complaints(YEAR, rho=1_000_000)

    told = technology_report([noisy])

    unsure = [each for each in told.statements if "order-unsure" in each.flags]
    assert unsure
    assert "the noise leaves these orders open" in unsure[0].text.en
    assert min(float(str(p)) for p in column(told, "ranks_cases", "p_above_next") if p is not None) < 0.95


def test_an_order_that_is_sure_says_how_sure() -> None:
    asked = {"measures": ("count",), "dimensions": ("case_type",), "period": YEAR}
    body = released("tpo_complaint", asked, {"count": list(range(28_000, 0, -2_000))}, FIRM)

    sure = technology_report([body]).statements[1]

    assert sure.flags == ()
    assert "at least 100 per cent" in sure.text.en


def test_the_clamps_are_those_of_the_bundled_contract() -> None:
    (damage,) = (each for each in contract("tpo_complaint").measure_columns if each.column == "damage_thb")

    of_contract = {code: float(damage.clamps.get(code, damage.clamp)[1]) for code in types()}

    assert {code: law.clamp for code, law in amounts().items()} == of_contract


def test_the_part_that_a_clamp_keeps_is_that_of_drawn_amounts() -> None:
    law = Amount(mu=11.334, sigma=1.9, clamp=1_000_000, published=True)
    drawn = np.random.default_rng(2).lognormal(law.mu, law.sigma, 2_000_000)

    assert law.kept == pytest.approx(float(np.minimum(drawn, law.clamp).sum() / drawn.sum()), abs=0.02)
    assert law.mean == pytest.approx(508_227, rel=0.01)


def test_an_order_that_whole_amounts_would_turn_round_is_flagged() -> None:
    kept = {code: law.kept for code, law in amounts().items()}
    close = ranking(["LOAN", "INVEST"], [100.0, 99.0], [0.1, 0.1])

    assert kept["INVEST"] < 0.5 < kept["LOAN"]
    assert turned_round(close) == {"LOAN"}
    assert not turned_round(ranking(["INVEST", "LOAN"], [100.0, 99.0], [0.1, 0.1]))
    assert not turned_round(ranking(["x", "y"], [2.0, 1.0], [0.1, 0.1]))


def test_the_report_names_the_types_that_whole_amounts_might_turn_round() -> None:
    asked = {"measures": ("count", "damage_thb:sum"), "dimensions": ("case_type",), "period": YEAR}
    damage = {"LOAN": 1_000_000_000, "INVEST": 900_000_000}
    figures = {
        "count": [100] * 14,
        "damage_thb:sum": [damage.get(code, 1_000_000 * n) for n, code in enumerate(types())],
    }

    told = technology_report([released("tpo_complaint", asked, figures, FIRM)])

    turned = next(each for each in told.statements if "With whole amounts" in each.text.en)
    assert "Loan scam" in turned.text.en
    assert "order-unsure" in turned.flags


def test_the_report_says_that_damage_is_clamped_and_raises_no_figure(told: Report, year: ReleaseBody) -> None:
    by_type = cell_table([year], "tpo_complaint", "damage_thb:sum", ["case_type"]).frame
    largest = float(by_type["estimate"].max())

    assert "counts up to the clamp" in said(told)
    assert column(told, "ranks_damage", "figure")[0] == pytest.approx(largest, abs=0.1)
    assert column(told, "ranks_damage", "kept_share")[0] == pytest.approx(0.46, abs=0.01)
