"""Random-effects regression of logarithms of observed over expected, with errors that leave one area out at a time.

    ratio = columns x coefficients + what the area does on its own (variance between areas) + known error of the ratio

Weights are 1 / (known variance + variance between areas), so that no area counts more than its own luck allows: one
dominant area, which a sum of counts would follow, is one area here. The standard error does not trust the weights: it
leaves one area out at a time and corrects for the pull of each on its own fit (CR2). Where an area stands in one row
only, that is HC2 of a weighted least squares: MacKinnon and White 1985, "Some heteroskedasticity-consistent covariance
matrix estimators with improved finite sample properties". Its interval takes the t distribution with degrees of freedom
after Satterthwaite, for few treated areas carry nearly all of the error: Bell and McCaffrey 2002, "Bias reduction in
standard errors for linear regression with multi-stage samples". HC3 was measured beside it
(docs/explanation/interventions.md): with 1.96 it covers too seldom where few areas are treated, with t a bit too often.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.panel import Floats

ROUNDS = 20
FIRST_SPREAD = 0.01
TINY = 1e-300

Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """What is regressed: many runs at once; an area may stand in several rows, one for each start that it serves.

    Attributes:
        ratios: Logarithms of observed over expected: runs x areas x starts.
        variances: Their known variances, in the same shape.
        columns: Runs x areas x starts x columns.
        used: Which rows count, runs x areas x starts.
    """

    ratios: Floats
    variances: Floats
    columns: Floats
    used: Truths


@dataclass(frozen=True, slots=True)
class Fits:
    """One fit for each run.

    Attributes:
        coefficients: Runs x columns.
        between: Variance between areas: one for each run.
        robust: Standard errors that do not trust the weights, runs x columns. Not a number for a column that rests on
            one area.
        model: Standard errors that do, runs x columns.
        freedom: Degrees of freedom of each robust error, runs x columns.
        rows: Rows less columns: one for each run.
    """

    coefficients: Floats
    between: Floats
    robust: Floats
    model: Floats
    freedom: Floats
    rows: Floats


def fit(given: Rows) -> Fits:
    """Fit every run.

    Raises:
        numpy.linalg.LinAlgError: When the columns of a run cannot be told apart.
    """
    used = given.used.astype(np.float64)
    counted, width = used.sum(axis=(1, 2)), given.columns.shape[3]
    between = _between(given, used, counted / (counted - width))
    weights = used / (given.variances + between[:, None, None])
    weighted = given.columns * weights[..., None]
    # For each area what it adds to the normal equations; their sum is the fit, the sum less one the fit without it.
    squares = np.einsum("raci,racj->raij", weighted, given.columns)
    products = np.einsum("raci,rac->rai", weighted, given.ratios)
    whole, inverse = _solved(squares.sum(axis=1), products.sum(axis=1))
    pulls = np.einsum("rij,racj->raci", inverse, weighted)
    shares = np.einsum("raci,rac->rai", pulls**2, given.variances + between[:, None, None])
    # What one area's error adds to each coefficient, as it stands and without the area's pull on its own error.
    own = np.einsum("rij,raj->rai", inverse, products - np.einsum("raij,rj->rai", squares, whole))
    return Fits(
        coefficients=whole,
        between=between,
        robust=_robust(own, whole[:, None, :] - _left_out(squares, products), squares),
        model=np.sqrt(np.diagonal(inverse, axis1=1, axis2=2)),
        freedom=np.maximum(shares.sum(axis=1) ** 2 / np.maximum((shares**2).sum(axis=1), TINY) - 1.0, 1.0),
        rows=counted - width,
    )


def _between(given: Rows, used: Floats, inflation: Floats) -> Floats:
    """The variance between areas by moments, as DerSimonian and Laird 1986, iterated: 0 or more, one for each run."""
    between = np.full(len(given.ratios), FIRST_SPREAD)
    for _ in range(ROUNDS):
        weights = used / (given.variances + between[:, None, None])
        weighted = given.columns * weights[..., None]
        squares = np.einsum("raci,racj->rij", weighted, given.columns, optimize=True)
        products = np.einsum("raci,rac->ri", weighted, given.ratios, optimize=True)
        errors = given.ratios - np.einsum("raci,ri->rac", given.columns, _solved(squares, products)[0])
        surplus = weights**2 * (errors**2 * inflation[:, None, None] - given.variances)
        between = np.maximum(surplus.sum(axis=(1, 2)) / (weights**2).sum(axis=(1, 2)), 0.0)
    return between


def _solved(squares: Floats, products: Floats) -> tuple[Floats, Floats]:
    # An empty column, such as the neighbours of areas that have none, gets the coefficient 0.
    empty = np.diagonal(squares, axis1=1, axis2=2) == 0
    inverse: Floats = np.linalg.inv(squares + empty[..., None] * np.eye(squares.shape[-1]))
    return np.einsum("rij,rj->ri", inverse, products), inverse


def _left_out(squares: Floats, products: Floats) -> Floats:
    """The coefficients without each area: runs x areas x columns. A column that rests on the area alone gets 0."""
    without = squares.sum(axis=1, keepdims=True) - squares
    steady = without + _alone(squares)[..., None] * np.eye(without.shape[-1])
    left = np.linalg.solve(steady, (products.sum(axis=1, keepdims=True) - products)[..., None])
    return np.asarray(left[..., 0], dtype=np.float64)


def _alone(squares: Floats) -> Truths:
    """Which columns rest on one area: runs x areas x columns."""
    total = np.diagonal(squares.sum(axis=1), axis1=1, axis2=2)[:, None, :]
    return np.asarray(total - np.diagonal(squares, axis1=2, axis2=3) <= 1e-9 * total)


def _robust(own: Floats, pushed: Floats, squares: Floats) -> Floats:
    errors = np.sqrt(np.maximum((own * pushed).sum(axis=1), 0.0))
    return np.where(_alone(squares).any(axis=1), np.nan, errors)
