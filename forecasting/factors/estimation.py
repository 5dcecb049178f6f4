"""Log-linear rates from noisy counts: estimating equations, never a likelihood, and errors clustered by area.

A released count is the count and unbiased noise, and may be negative, so that no Poisson likelihood is defined for it.
The Poisson *estimating equations* are: they need nothing but a right mean (Gourieroux, Monfort, Trognon 1984, "Pseudo
maximum likelihood methods"; Santos Silva, Tenreyro 2006, "The log of gravity"). Noise of mean zero leaves the estimate
unbiased; it widens the errors, and the sandwich of each area's own residuals holds it, together with overdispersion and
everything that moves an area's months together.

A covariate with noise of known variance would pull its coefficient towards nothing. The corrected score takes that off
(Nakamura 1990, "Corrected score function for errors-in-variables models"): with x = truth + u and S the variance of u,
E[exp(x'b - b'Sb/2)] is the true mean, and E[exp(x'b - b'Sb/2) (x - Sb)] the true mean times the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput
from forecasting.panel import Floats

Ints = NDArray[np.int64]
STEPS, HALVINGS = 60, 20
CLOSE_ENOUGH = 1e-9
ROUNDS_OF_WEIGHTS = 8
LARGEST_EXPONENT = 300.0
FEWEST_AREAS = 10
"""With fewer clusters the errors of areas cannot tell how sure an estimate is."""


class Family(StrEnum):
    """How much a count is thought to vary around its mean; it decides the weights, never the errors."""

    POISSON = "poisson"
    NEGATIVE_BINOMIAL = "negative-binomial"


@dataclass(frozen=True, eq=False)
class Cells:
    """What a rate model is fitted to; n cells, k columns.

    Attributes:
        figures: Signed noisy counts: n.
        columns: Covariates, the first a one for the intercept: n x k.
        offset: Logarithm of the exposure: n.
        noise: Variance of the known noise in each figure: n.
        column_noise: Variance of the known noise in each covariate, zero where it is exact: n x k.
        areas: The number of each cell's area, 0 and up: n.
        periods: The number of its period: n.
    """

    figures: Floats
    columns: Floats
    offset: Floats
    noise: Floats
    column_noise: Floats
    areas: Ints
    periods: Ints

    @property
    def exact_columns(self) -> bool:
        """Whether no covariate carries noise."""
        return not self.column_noise.any()


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Attributes:
        coefficients: On the log scale: k.
        covariance: Of the coefficients, clustered by area (jackknife): k x k.
        dispersion: (standard deviation / mean) squared of a count beyond chance and known noise, 0 or more.
        means: The fitted counts: n.
        scores: Each cell's part of the estimating equations: n x k.
        information: Minus their derivative, by cell summed: k x k.
        weights: Mean over variance of each cell, one for Poisson: n.
    """

    coefficients: Floats
    covariance: Floats
    dispersion: float
    means: Floats
    scores: Floats
    information: Floats
    weights: Floats


def fit(cells: Cells, family: Family = Family.POISSON) -> Fit:
    """Fit a log-linear rate model.

    Args:
        cells: At least ten areas, and more cells than columns.
        family: Poisson weighs every case alike. Negative binomial weighs a cell by mean / variance, where the variance
            is mean + dispersion x mean squared + known noise; beside noisy covariates its weights follow the exposure
            alone, since weights that follow the noise would spoil the correction.

    Raises:
        InvalidInput: ``covariates-invalid``, when the columns cannot be told apart, no case was counted beyond the
            noise, or an estimate rests on one area alone.
    """
    _check(cells)
    weights = np.ones(len(cells.figures))
    found = _solve(cells, weights, _start(cells))
    dispersion = dispersion_of(cells, found)
    if family is Family.NEGATIVE_BINOMIAL:
        for _ in range(ROUNDS_OF_WEIGHTS):
            weights = weights_of(cells, found, dispersion)
            found = _solve(cells, weights, found)
            dispersion = dispersion_of(cells, found)
    scores, per_cell = _scores(cells, weights, found), _information(cells, weights, found)
    return Fit(
        coefficients=found,
        covariance=jackknife(scores, per_cell, cells.areas),
        dispersion=dispersion,
        means=_means(cells, found),
        scores=scores,
        information=per_cell.sum(axis=0),
        weights=weights,
    )


def dispersion_of(cells: Cells, coefficients: Floats) -> float:
    """The dispersion by moments: what the squared residuals have beyond the mean and the known noise."""
    means = _means(cells, coefficients)
    beyond = (cells.figures - means) ** 2 - means - cells.noise
    return max(float(beyond.sum() / (means**2).sum()), 0.0)


def weights_of(cells: Cells, coefficients: Floats, dispersion: float) -> Floats:
    """Mean over variance of each cell."""
    if cells.exact_columns:
        means = _means(cells, coefficients)
    else:
        exposure = np.exp(cells.offset)
        means = exposure * max(float(cells.figures.sum() / exposure.sum()), CLOSE_ENOUGH)
    return np.asarray(means / (means + dispersion * means**2 + cells.noise), dtype=np.float64)


def jackknife(scores: Floats, information: Floats, clusters: Ints) -> Floats:
    """The covariance from leaving out each cluster once, by one Newton step each (CR3).

    Plain cluster sandwiches are too narrow with a few dozen clusters of unequal size, such as provinces beside the
    capital; this is slightly too wide instead (MacKinnon, Nielsen, Webb 2023, "Cluster-robust inference: a guide to
    empirical practice").

    Args:
        scores: n x k.
        information: Of each cell: n x k x k.
        clusters: The number of each cell's cluster.

    Raises:
        InvalidInput: ``covariates-invalid``, when without one cluster the model has no solution.
    """
    by_cluster, count = grouped(scores, clusters), int(clusters.max()) + 1
    parts = grouped(information.reshape(len(scores), -1), clusters).reshape(count, *information.shape[1:])
    rest = information.sum(axis=0) - parts
    if not _solvable(rest):
        raise InvalidInput("covariates-invalid", where="the model", why="a factor varies in one area or period alone")
    moved = np.linalg.solve(rest, by_cluster[:, :, None])[:, :, 0]
    return np.asarray((count - 1) / count * moved.T @ moved, dtype=np.float64)


def sandwich(scores: Floats, information: Floats, clusters: Ints) -> Floats:
    """The plain cluster sandwich with the usual correction G/(G-1) x (n-1)/(n-k), as statsmodels has it.

    Args:
        scores: n x k.
        information: Summed: k x k.
        clusters: The number of each cell's cluster.
    """
    by_cluster = grouped(scores, clusters)
    (cells, columns), count = scores.shape, len(by_cluster)
    bread = np.linalg.inv(information)
    correction = count / (count - 1) * (cells - 1) / (cells - columns)
    return np.asarray(correction * bread @ by_cluster.T @ by_cluster @ bread.T, dtype=np.float64)


def nationwide_variances(cells: Cells, fitted: Fit, nationwide: Sequence[int]) -> Floats:
    """The variances of coefficients whose factors are the same everywhere, so that only periods tell of them.

    A month may move all areas together, and a holiday may stand in two months of all: no sandwich holds that. So each
    period is one observation, its residual over all areas; their spread, with the correlation of each month with the
    next, gives the error of what is regressed on periods (Donald, Lang 2007, "Inference with difference-in-differences
    and other panel data"), to be read with ``periods - len(nationwide) - 1`` degrees of freedom.

    Args:
        cells: What was fitted.
        fitted: The model.
        nationwide: The numbers of those columns; more periods than them and the intercept.

    Returns:
        One variance for each of them, never below that of the errors clustered by area.
    """
    weights = grouped(fitted.weights[:, None] * fitted.means[:, None], cells.periods)[:, 0]
    residuals = grouped(fitted.scores[:, :1], cells.periods)[:, 0] / weights
    first = np.unique(cells.periods, return_index=True)[1]
    columns = cells.columns[first][:, [0, *nationwide]]
    count, used = columns.shape
    spread = float((residuals**2).sum()) / (count - used)
    lags = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    together = spread * next_month_correlation(residuals) ** lags
    bread = np.linalg.inv(columns.T @ (weights[:, None] * columns)) @ (columns * weights[:, None]).T
    variances = np.diag(bread @ together @ bread.T)[1:]
    return np.asarray(np.maximum(variances, np.diag(fitted.covariance)[list(nationwide)]), dtype=np.float64)


def next_month_correlation(residuals: Floats) -> float:
    """The correlation of each period's residual with the next one's, 0 to 0.9.

    Residuals of a regression understate it by about (1 + 3 correlation) / periods, which is put back (Kendall 1954).
    """
    total = float((residuals**2).sum())
    found = float((residuals[1:] * residuals[:-1]).sum()) / total if total > 0 else 0.0
    return min(max(found + (1.0 + 3.0 * max(found, 0.0)) / len(residuals), 0.0), 0.9)


def grouped(figures: Floats, clusters: Ints) -> Floats:
    """The sums of each cluster's rows."""
    total = np.zeros((int(clusters.max()) + 1, figures.shape[1]))
    np.add.at(total, clusters, figures)
    return total


def _check(cells: Cells) -> None:
    count, columns = int(cells.areas.max()) + 1, cells.columns.shape[1]
    if count < max(FEWEST_AREAS, columns + 1):
        needed = max(FEWEST_AREAS, columns + 1)
        raise InvalidInput("covariates-invalid", where="the model", why=f"it needs {needed} areas and has {count}")
    if cells.figures.sum() <= 0:
        raise InvalidInput("covariates-invalid", where="the figures", why="no case was counted beyond the noise")
    if np.linalg.matrix_rank(cells.columns) < columns:
        raise InvalidInput("covariates-invalid", where="the factors", why="one of them follows from the others")


def _start(cells: Cells) -> Floats:
    start = np.zeros(cells.columns.shape[1])
    start[0] = np.log(cells.figures.sum() / np.exp(cells.offset).sum())
    return start


def _means(cells: Cells, coefficients: Floats) -> Floats:
    shrunk = 0.5 * cells.column_noise @ coefficients**2
    exponent = np.minimum(cells.columns @ coefficients + cells.offset - shrunk, LARGEST_EXPONENT)
    return np.asarray(np.exp(exponent), dtype=np.float64)


def _scores(cells: Cells, weights: Floats, coefficients: Floats) -> Floats:
    corrected = cells.columns - cells.column_noise * coefficients
    means = _means(cells, coefficients)
    parts = cells.figures[:, None] * cells.columns - means[:, None] * corrected
    return np.asarray(weights[:, None] * parts, dtype=np.float64)


def _information(cells: Cells, weights: Floats, coefficients: Floats) -> Floats:
    corrected = cells.columns - cells.column_noise * coefficients
    squares = corrected[:, :, None] * corrected[:, None, :]
    places = np.arange(corrected.shape[1])
    squares[:, places, places] -= cells.column_noise
    return np.asarray((weights * _means(cells, coefficients))[:, None, None] * squares, dtype=np.float64)


def _solve(cells: Cells, weights: Floats, start: Floats) -> Floats:
    """Newton steps, halved while the equations are further from zero than before."""
    found, score = start, _scores(cells, weights, start).sum(axis=0)
    for _ in range(STEPS):
        information = _information(cells, weights, found).sum(axis=0)
        if not _solvable(information[None]):
            break
        step = np.linalg.solve(information, score)
        found, score = _shorter(cells, weights, found, step)
        if float(np.abs(step).max()) < CLOSE_ENOUGH:
            return found
    raise InvalidInput("covariates-invalid", where="the model", why="it has no solution: too much noise in a factor")


def _shorter(cells: Cells, weights: Floats, found: Floats, step: Floats) -> tuple[Floats, Floats]:
    size = float(np.linalg.norm(_scores(cells, weights, found).sum(axis=0)))
    tried, score = found + step, _scores(cells, weights, found + step).sum(axis=0)
    for _ in range(HALVINGS):
        if float(np.linalg.norm(score)) <= size + CLOSE_ENOUGH:
            break
        step = step / 2
        tried, score = found + step, _scores(cells, weights, found + step).sum(axis=0)
    return tried, score


def _solvable(matrices: Floats) -> bool:
    """Whether every matrix is positive definite, and not nearly singular."""
    smallest = np.linalg.eigvalsh(matrices)
    return bool((smallest[:, 0] > CLOSE_ENOUGH * np.maximum(smallest[:, -1], CLOSE_ENOUGH)).all())
