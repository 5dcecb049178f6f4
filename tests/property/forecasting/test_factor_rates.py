"""Rates from noisy counts: known ratios are found, intervals hold what they say, and statsmodels agrees."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from scipy.stats import t as student

from forecasting.factors.estimation import Cells, Family, Fit, fit, nationwide_variances, sandwich
from forecasting.panel import Floats
from tests.factor_world import RATIOS, made_cells

pytestmark = pytest.mark.property


def by_statsmodels(cells: Cells, dispersion: float | None) -> tuple[list[float], list[float]]:
    api = import_module("statsmodels.api")
    families = api.families
    family = families.Poisson() if dispersion is None else families.NegativeBinomial(alpha=dispersion)
    model = api.GLM(cells.figures, cells.columns, family=family, offset=cells.offset)
    result = model.fit(cov_type="cluster", cov_kwds={"groups": cells.areas}, tol=1e-12)
    return result.params.tolist(), result.bse.tolist()


@pytest.mark.parametrize("family", list(Family))
def test_without_noise_coefficients_and_clustered_errors_are_those_of_statsmodels(family: Family) -> None:
    cells = made_cells(np.random.default_rng(1), sigma=0.0)

    found = fit(cells, family)
    dispersion = None if family is Family.POISSON else found.dispersion
    errors = np.sqrt(
        np.diag(sandwich(found.scores, observed_information(cells, found, dispersion or 0.0), cells.areas))
    )
    beside = by_statsmodels(cells, dispersion)

    assert found.coefficients.tolist() == pytest.approx(beside[0], abs=1e-6)
    assert errors.tolist() == pytest.approx(beside[1], rel=1e-5)


def observed_information(cells: Cells, found: Fit, dispersion: float) -> Floats:
    """The second derivative of the negative binomial's likelihood, which statsmodels takes; ours is its mean."""
    spread = (1.0 + dispersion * cells.figures) / (1.0 + dispersion * found.means) ** 2
    return np.asarray((cells.columns * (found.means * spread)[:, None]).T @ cells.columns)


@pytest.mark.parametrize("family", list(Family))
def test_known_ratios_are_found_through_the_noise_of_epsilon_1_and_the_intervals_hold_them(family: Family) -> None:
    rng, runs = np.random.default_rng(2), 60
    held, found = np.zeros(3), np.zeros(3)
    quantile = float(student(76).ppf(0.975))
    for _ in range(runs):
        fitted = fit(made_cells(rng, periods=24), family)
        error = fitted.coefficients[1:] - np.log(RATIOS)
        held += np.abs(error) <= quantile * np.sqrt(np.diag(fitted.covariance)[1:])
        found += np.exp(fitted.coefficients[1:]) / runs

    assert found.tolist() == pytest.approx(RATIOS, rel=0.02)
    # 180 intervals: 92 % of them less three Monte-Carlo errors of a rate of 92 %.
    assert held.sum() / (3 * runs) >= 0.92 - 3 * np.sqrt(0.92 * 0.08 / (3 * runs))


def test_errors_that_forget_the_areas_would_be_several_times_too_narrow() -> None:
    cells = made_cells(np.random.default_rng(3))
    found = fit(cells)

    alone = sandwich(found.scores, found.information, np.arange(len(cells.figures)))

    assert found.covariance[1, 1] > 4 * alone[1, 1]


def test_noise_of_a_covariate_pulls_its_ratio_to_one_and_the_corrected_score_takes_that_off() -> None:
    rng, overlooked, corrected = np.random.default_rng(4), [], []
    for _ in range(20):
        cells = made_cells(rng, periods=24)
        columns, noise = cells.columns.copy(), np.zeros(cells.columns.shape)
        columns[:, 1] += rng.normal(0.0, 0.7, len(columns))
        noise[:, 1] = 0.49
        overlooked.append(fit(replace(cells, columns=columns)).coefficients[1])
        corrected.append(fit(replace(cells, columns=columns, column_noise=noise)).coefficients[1])

    truth = float(np.log(RATIOS[0]))
    assert float(np.mean(overlooked)) < 0.75 * truth
    assert float(np.mean(corrected)) == pytest.approx(truth, rel=0.1)


def test_what_months_move_together_is_in_the_error_of_a_nationwide_factor() -> None:
    rng, periods, runs = np.random.default_rng(5), 24, 40
    held = np.zeros(2)
    for _ in range(runs):
        cells = made_cells(rng, periods=periods, sigma=0.0)
        everywhere = np.tile(np.arange(periods) % 12 == 6, 77).astype(np.float64)
        shock = np.exp(rng.normal(0.0, 0.1, periods))[cells.periods]
        columns = np.column_stack([cells.columns[:, :2], everywhere - everywhere.mean()])
        moved = replace(cells, figures=cells.figures * shock, columns=columns, column_noise=np.zeros(columns.shape))
        fitted = fit(moved, Family.NEGATIVE_BINOMIAL)
        by_period = float(np.sqrt(nationwide_variances(moved, fitted, [2])[0]))
        error = abs(float(fitted.coefficients[2]))
        by_area = float(np.sqrt(fitted.covariance[2, 2]))
        held += [error <= student(periods - 2).ppf(0.975) * by_period, error <= student(76).ppf(0.975) * by_area]

    assert held[0] / runs >= 0.85
    assert held[1] / runs < 0.75
