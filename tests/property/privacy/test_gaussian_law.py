"""The noise has the law that is promised: discrete Gaussian, independent, of the stated scale.

Each test fails by chance less than once in a million runs.
"""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from contracts.periods import Period
from privacy.mechanisms import LARGEST_EXACT, draw_gaussian, gaussian_scale
from privacy.plan import plan
from tests import factories as make

pytestmark = pytest.mark.property

DRAWS = 20_000
ONE_IN_A_MILLION = 1e-6


def probabilities(sigma: float, reach: int) -> NDArray[np.float64]:
    """The discrete Gaussian's law on -reach..reach, from its definition."""
    support = np.arange(-reach, reach + 1)
    weights: NDArray[np.float64] = np.exp(-(support**2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum())


def fit(noise: NDArray[np.int64], sigma: float) -> float:
    """The p-value of a chi-square test of the middle values one by one and of all the others together."""
    reach = math.ceil(3 * sigma)
    law = probabilities(sigma, 20 * reach)
    middle = law[19 * reach : 21 * reach + 1]
    observed = np.bincount(noise[np.abs(noise) <= reach] + reach, minlength=2 * reach + 1)
    expected = np.append(middle, 1 - middle.sum()) * noise.size
    seen = np.append(observed, noise.size - observed.sum())
    return float(stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue)


def test_the_noise_is_discrete_gaussian() -> None:
    sigma = gaussian_scale(4, 500_000_000)
    noise = np.array(draw_gaussian([0] * DRAWS, sigma))

    assert fit(noise, sigma) > ONE_IN_A_MILLION


def test_a_smaller_noise_than_promised_would_be_noticed() -> None:
    """The test above has teeth: noise of nine tenths of the scale fails it."""
    noise = np.array(draw_gaussian([0] * DRAWS, 0.9 * 2.0))

    assert fit(noise, 2.0) < ONE_IN_A_MILLION


@pytest.mark.parametrize("sigma", [2.0, 9.5, 1500.0])
def test_the_noise_of_a_large_grid_is_discrete_gaussian_too(sigma: float) -> None:
    """The last scale is wider than any table: its noise is a sum."""
    noise = np.array(draw_gaussian([0] * (LARGEST_EXACT + 1), sigma))

    assert fit(noise, sigma) > ONE_IN_A_MILLION
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 5 / math.sqrt(noise.size)


def test_neighbouring_cells_do_not_move_together() -> None:
    noise = np.array(draw_gaussian([0] * DRAWS, 4.0), dtype=float)

    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 5 / math.sqrt(DRAWS)


def test_two_draws_of_the_same_figures_differ() -> None:
    exact = [10] * 100

    assert draw_gaussian(exact, 30.0) != draw_gaussian(exact, 30.0)


@settings(max_examples=60, deadline=None)
@given(
    first=st.dates(min_value=date(2021, 10, 1), max_value=date(2026, 1, 1)),
    months=st.integers(min_value=1, max_value=48),
    nano_rho=st.integers(min_value=10, max_value=10**9),
)
def test_a_charge_never_depends_on_how_a_period_is_cut(first: date, months: int, nano_rho: int) -> None:
    """Asking a period at once charges each of its windows once; asking its halves never charges less."""
    start = first.replace(day=1)
    total = start.year * 12 + start.month - 1 + months
    until = date(total // 12, total % 12 + 1, 1)
    whole = Period.model_validate({"from": start, "until": until})

    charges = plan(make.query(period=whole), [make.contract()], nano_rho).charges
    windows = [charge.window for charge in charges]

    assert len(windows) == len(set(windows)) == len(whole.windows())
    assert all(charge.nano_rho == nano_rho for charge in charges)
