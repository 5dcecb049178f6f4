"""The noise of pure releases is discrete Laplace, independent, of the stated scale.

Each test fails by chance less than once in a million runs.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from privacy.mechanisms import draw_laplace, laplace_scale

pytestmark = pytest.mark.property

DRAWS = 20_000
ONE_IN_A_MILLION = 1e-6
SCALE = 3.0
REACH = 20


def fit(noise: NDArray[np.int64], scale: float) -> float:
    """The p-value of a chi-square test against (1 - q) / (1 + q) q^|x|, with q = exp(-1 / scale)."""
    q = math.exp(-1 / scale)
    middle = (1 - q) / (1 + q) * q ** np.abs(np.arange(-REACH, REACH + 1))
    expected = np.append(middle, 1 - middle.sum()) * noise.size
    observed = np.bincount(noise[np.abs(noise) <= REACH] + REACH, minlength=2 * REACH + 1)
    return float(stats.chisquare(np.append(observed, noise.size - observed.sum()), expected).pvalue)


def test_the_noise_is_discrete_laplace() -> None:
    noise = np.array(draw_laplace([0] * DRAWS, laplace_scale(3, 500_000_000)))

    assert fit(noise, SCALE) > ONE_IN_A_MILLION


def test_a_smaller_noise_than_promised_would_be_noticed() -> None:
    noise = np.array(draw_laplace([0] * DRAWS, 0.9 * SCALE))

    assert fit(noise, SCALE) < ONE_IN_A_MILLION


def test_neighbouring_cells_do_not_move_together() -> None:
    noise = np.array(draw_laplace([0] * DRAWS, SCALE), dtype=float)

    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 5 / math.sqrt(DRAWS)


def test_two_draws_of_the_same_figures_differ() -> None:
    assert draw_laplace([10] * 100, 30.0) != draw_laplace([10] * 100, 30.0)
