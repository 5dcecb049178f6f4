"""What estimates are worth: placebos on the same series, effects put in, and what the noise does."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.errors import InvalidInput
from forecasting.interventions.design import NEVER, Design, compare, design, roles, rows
from forecasting.interventions.effects import evaluate
from forecasting.interventions.simulation import EFFECTS, Checked, simulate
from tests.intervention_world import counts, named, panel, rates

pytestmark = pytest.mark.unit

CHOSEN = dict.fromkeys(range(12), 48)
"""Twelve areas, all treated from the same month on."""


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def checked() -> tuple[Design, Checked]:
    rng = generator(9)
    made = design(
        panel(counts(rng, rates(rng, 80))), named(CHOSEN), 12, {f"A{n:02d}": [f"A{n + 20:02d}"] for n in range(60)}
    )
    return made, simulate(made, generator(1), 400)


def test_placebos_seldom_show_an_effect_and_intervals_hold_what_was_put_in(checked: tuple[Design, Checked]) -> None:
    _, found = checked

    assert [each.effect for each in found.treated] == list(EFFECTS)
    assert found.treated[0].noticed == pytest.approx(1.0 - found.treated[0].covered)
    assert found.treated[0].noticed <= 0.09
    assert min(each.covered for each in (*found.treated, *found.near)) >= 0.90
    assert max(abs(each.bias) for each in found.treated) < 0.02


def test_larger_effects_are_noticed_more_often(checked: tuple[Design, Checked]) -> None:
    _, found = checked
    null, small, large = found.treated

    assert null.noticed < small.noticed < large.noticed
    assert large.noticed > 0.8
    assert found.each[2].noticed < large.noticed
    assert found.near[2].runs == 400
    assert found.starts > 1
    assert 0.015 < null.error < 0.04


def test_the_same_draws_give_the_same_figures(checked: tuple[Design, Checked]) -> None:
    made, found = checked

    assert simulate(made, generator(1), 400) == found
    assert simulate(made, generator(2), 400) != found


def test_the_interval_holds_the_truth_through_noise_because_the_noise_is_counted() -> None:
    rng = generator(11)
    figures = counts(rng, rates(rng, 60, 60, 60.0), sigma=15.0)
    made = design(panel(figures, 15.0), named(CHOSEN), 12)
    blind = replace(made, panel=panel(figures, 0.0))

    counted, ignored = (simulate(each, generator(1), 300) for each in (made, blind))

    assert min(each.covered for each in counted.treated) >= 0.90
    assert counted.treated[2].noticed > 0.5
    # Areas whose year is lost in the noise are known as such only where the noise is.
    assert evaluate(made).between < evaluate(blind).between
    assert ignored.treated[0].runs == 300


def test_small_treated_areas_are_stood_for_by_placebos_as_uncertain() -> None:
    rng = generator(12)
    rate = rates(rng, 60, 60, 400.0)
    rate[:12] = rates(rng, 12, 60, 12.0)
    large, small = (design(panel(counts(rng, each)), named(CHOSEN), 12) for each in (rates(rng, 60, 60, 400.0), rate))

    assert simulate(small, generator(1), 200).treated[2].noticed < simulate(large, generator(1), 200).treated[2].noticed


def test_without_a_past_the_placebos_are_the_untreated_alone() -> None:
    rng = generator(13)
    made = design(panel(counts(rng, rates(rng, 60, 36))), named(dict.fromkeys(range(12), 24)), 12)
    found = simulate(made, generator(1), 100)

    assert found.starts == 1
    assert found.candidates == 48


def test_where_placebos_leave_no_neighbours_the_spillover_has_no_check() -> None:
    rng = generator(15)
    # 30 areas, 10 treated with 8 neighbours: 12 are left, of which placebos and stand-ins leave too few untreated.
    beside = {f"A{area:02d}": [f"A{area + 10:02d}"] for area in range(8)}
    made = design(
        panel(counts(rng, rates(rng, 32, 36))),
        named(dict.fromkeys(range(4), 24)),
        12,
        beside | {f"A{area:02d}": [f"A{area + 10:02d}", f"A{area + 14:02d}", f"A{area + 16:02d}"] for area in range(4)},
    )
    found = simulate(made, generator(1), 100)

    assert made.spillover
    assert found.near[0].runs < 100


def test_too_few_areas_for_placebos_is_said() -> None:
    rng = generator(14)
    made = design(panel(counts(rng, rates(rng, 30, 36))), named(dict.fromkeys(range(12), 24)), 12)
    with pytest.raises(InvalidInput) as caught:
        simulate(made, generator(1), 100)

    assert caught.value.code == "too-few-untreated"


def test_a_handful_of_runs_tells_nothing() -> None:
    made = design(panel(rates(generator())), named(CHOSEN), 12)
    with pytest.raises(ValueError, match="runs"):
        simulate(made, generator(1), 99)


def test_a_comparison_has_one_column_for_each_start() -> None:
    made = design(panel(rates(generator())), named({0: 36, 1: 48}), 3)
    compared = compare(made.panel, made.cohorts, 3)
    parts = roles(made, made.starts[None, :], made.cohorts, made.too_small)

    assert compared.expected.shape == (60, 2)
    # Treated, two starts, size, growth.
    assert rows(compared.seen, parts).columns.shape == (1, 60, 2, 5)
    assert (made.starts == NEVER).sum() == 58
