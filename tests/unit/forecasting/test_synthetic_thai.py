"""The made-up Thai set is a tree of counts like real ones, and the noise trials protect it like real ones."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from contracts.code_lists import crosswalk
from forecasting.exact_trees import exact_tree
from forecasting.hierarchy import Hierarchy
from forecasting.noise_trials import (
    month_price_of_year,
    nano_rho_of,
    person_year_epsilon,
    protected,
    sigma_of,
)
from forecasting.synthetic_thai import Made, thai_set
from privacy.mechanisms import draw_gaussian, epsilon_of

pytestmark = pytest.mark.unit

SMALL = Made(provinces=9, offences=4, months=40)


def small(seed: int = 1) -> Hierarchy:
    return thai_set(np.random.default_rng(seed), SMALL)


def test_its_levels_add_up_and_regions_are_the_police_regions() -> None:
    made = small()
    leaves = made.levels[-1]
    regions = crosswalk("provinces", "police_commands")

    for level, total in zip(made.levels, made.sums(leaves.figures), strict=True):
        assert np.array_equal(level.figures, total)
    row = made.levels[1].counts.index.get_loc((regions["12"], "offence-02"))
    inside = [
        number
        for number, (province, offence) in enumerate(leaves.counts.index)
        if regions[province] == regions["12"] and offence == "offence-02"
    ]
    assert np.array_equal(made.levels[1].figures[row], leaves.figures[inside].sum(axis=0))


def test_its_counts_are_whole_uneven_and_more_varied_than_chance() -> None:
    figures = (
        thai_set(np.random.default_rng(3), Made(provinces=40, offences=5, months=72, drift=0.0)).levels[-1].figures
    )
    mean = figures.mean(axis=1)
    large = figures[mean > 20]

    assert np.array_equal(figures, np.rint(figures))
    assert figures.min() >= 0
    assert figures.mean() == pytest.approx(10.0, rel=0.05)
    assert mean.max() > 10 * np.median(mean)
    assert (large.var(axis=1) / large.mean(axis=1)).mean() > 1.3


def test_a_seed_gives_the_same_set_and_another_seed_another() -> None:
    assert np.array_equal(small().levels[-1].figures, small().levels[-1].figures)
    assert not np.array_equal(small().levels[-1].figures, small(2).levels[-1].figures)


def test_stations_are_leaves_below_the_provinces() -> None:
    made = thai_set(np.random.default_rng(1), Made(provinces=3, offences=2, months=30, stations=11))

    assert [len(level.figures) for level in made.levels] == [2, 4, 6, 22]
    assert made.parents is not None
    assert made.levels[-1].figures.mean() == pytest.approx(10.0, rel=0.1)
    assert made.levels[-1].counts.index[0] == ("10-0001", "offence-01")


def test_areas_that_lie_in_two_larger_ones_are_refused() -> None:
    months = pd.period_range("2020-01", periods=3, freq="M")
    index = pd.MultiIndex.from_product([["a", "b"], ["x"]], names=["area", "offence"])
    leaves = pd.DataFrame(np.ones((2, 3)), index=index, columns=months)

    with pytest.raises(ValueError, match="within one area"):
        exact_tree(leaves, [{"a": "north", "b": "south"}, {"a": "all", "b": "all"}])


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0, 5.0])
def test_the_price_of_an_epsilon_is_the_largest_that_keeps_it(epsilon: float) -> None:
    price = nano_rho_of(epsilon)

    assert epsilon_of(price, "1e-6") <= epsilon < epsilon_of(price + 1, "1e-6")


def test_the_noise_is_what_the_research_measured_and_grows_with_the_levels() -> None:
    # OpenDP's conversion: 4.53 for one level at epsilon 1 and delta 1e-6; four levels share the price.
    assert sigma_of(nano_rho_of(1.0), 1) == pytest.approx(4.53, abs=0.005)
    assert sigma_of(nano_rho_of(1.0), 4) == pytest.approx(2 * sigma_of(nano_rho_of(1.0), 1), rel=1e-6)


def test_a_year_of_months_costs_a_person_what_it_says() -> None:
    price = month_price_of_year(2.0)

    assert person_year_epsilon(price) == pytest.approx(2.0, abs=1e-3)
    assert person_year_epsilon(price) <= 2.0
    assert person_year_epsilon(nano_rho_of(1.0)) == pytest.approx(epsilon_of(12 * nano_rho_of(1.0), "1e-6"))


def test_protection_is_drawn_once_over_all_levels_and_made_consistent() -> None:
    asked: list[tuple[int, float]] = []

    def draw(cells: Sequence[int], sigma: float) -> list[int]:
        asked.append((len(cells), sigma))
        return draw_gaussian(cells, sigma)

    exact = small()
    found = protected(exact, 6.0, draw)

    assert asked == [(sum(level.figures.size for level in exact.levels), 6.0)]
    assert not np.array_equal(found.levels[-1].figures, exact.levels[-1].figures)
    for level, total in zip(found.levels, found.sums(found.levels[-1].figures), strict=True):
        assert np.allclose(level.figures, total, atol=1e-6)


def test_the_known_variance_is_the_one_that_the_noise_has() -> None:
    exact = thai_set(np.random.default_rng(1), Made(provinces=30, offences=6, months=60))

    found = protected(exact, 6.0, draw_gaussian)

    for given, made in zip(exact.levels, found.levels, strict=True):
        error = ((made.figures - given.figures) ** 2).mean()
        assert error == pytest.approx(made.noise.mean(), rel=0.35 if len(given.figures) < 10 else 0.12)
    assert found.levels[0].noise.max() < 36.0
