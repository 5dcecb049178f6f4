"""Predictive distributions: their quantiles and probabilities fit each other, and noise on top widens them."""

import numpy as np
import pytest
from scipy.stats import nbinom, norm

from forecasting.predictive import ClippedNormal, NegativeBinomial, Poisson, Predictive, Released

pytestmark = pytest.mark.unit

MEAN = np.array([[0.4, 6.0, 90.0]])
LEVELS = (0.1, 0.5, 0.9)


@pytest.mark.parametrize("said", [NegativeBinomial(MEAN, MEAN * 2.5), Poisson(MEAN)])
def test_a_quantile_of_a_count_is_the_first_count_that_is_likely_enough(said: Predictive) -> None:
    quantiles = said.quantiles(LEVELS)

    for place, level in enumerate(LEVELS):
        assert (said.upto(quantiles[..., place]) >= level).all()
        assert (said.before(quantiles[..., place]) < level).all()


def test_the_negative_binomial_has_the_variance_it_was_given() -> None:
    said = NegativeBinomial(np.array([[20.0]]), np.array([[70.0]]))
    counts = np.arange(2000.0)[None, :]
    chances = (said.upto(counts) - said.before(counts))[0]

    mean = float((counts[0] * chances).sum())

    assert mean == pytest.approx(20.0)
    assert float(((counts[0] - mean) ** 2 * chances).sum()) == pytest.approx(70.0)
    assert said.quantiles([0.5])[0, 0, 0] == nbinom.ppf(0.5, 400 / 50, 20 / 70)


def test_a_mean_of_nothing_still_expects_a_case() -> None:
    said = NegativeBinomial(np.zeros((1, 1)), np.zeros((1, 1)))

    assert 0.9 < said.upto(np.zeros((1, 1)))[0, 0] < 1.0


def test_a_clipped_normal_is_never_below_zero() -> None:
    said = ClippedNormal(np.array([[-1.0, 5.0]]), np.array([[2.0, 2.0]]))

    assert said.mean.tolist() == [[0.0, 5.0]]
    assert said.quantiles(LEVELS).min() == 0.0
    assert said.quantiles([0.9])[0, 1, 0] == pytest.approx(norm.ppf(0.9, 5.0, 2.0))
    assert said.before(np.zeros((1, 2))).tolist() == [[0.0, 0.0]]
    assert said.upto(np.full((1, 2), -1.0)).tolist() == [[0.0, 0.0]]
    assert said.upto(np.array([[0.0, 5.0]]))[0] == pytest.approx([norm.cdf(0.5, -1, 2), norm.cdf(5.5, 5, 2)])


def test_noise_widens_as_variances_add_up() -> None:
    count = ClippedNormal(np.array([[1000.0]]), np.array([[30.0]]))
    said = Released(count, np.array([[40.0]]))

    found = said.quantiles((0.025, 0.5, 0.9))[0, 0]

    assert found == pytest.approx(norm.ppf((0.025, 0.5, 0.9), 1000.0, 50.0), abs=0.01)
    assert said.mean[0, 0] == 1000.0


def test_the_chance_of_a_released_figure_is_that_of_count_and_noise() -> None:
    generator = np.random.default_rng(11)
    drawn = generator.negative_binomial(8, 8 / (8 + 6.0), 200_000) + generator.normal(0.0, 4.0, 200_000)
    said = Released(NegativeBinomial(np.array([[6.0]]), np.array([[6.0 + 36.0 / 8]])), np.array([[4.0]]))

    for figure in (-3.0, 2.0, 6.0, 15.0):
        at = np.array([[figure]])
        assert said.upto(at)[0, 0] == pytest.approx((drawn <= figure).mean(), abs=0.006)
        assert said.before(at) == said.upto(at)
