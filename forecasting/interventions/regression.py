"""Random-effects regression of logarithms of observed over expected, with errors that leave one area out at a time.

    ratio = columns x coefficients + what the area does on its own (variance between areas) + known error of the ratio

Weights are 1 / (known variance + variance between areas), so that no area counts more than its own luck allows: one
dominant area, which a sum of counts would follow, is one area here. The standard error is the jackknife over areas
(CR3). Where an area stands in one row only, that is HC3 of a weighted least squares: MacKinnon and White 1985, "Some
heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties". An interval takes
the t distribution with degrees of freedom after Satterthwaite 1946, for few treated areas carry all of the error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.panel import Floats

ROUNDS = 20
FIRST_SPREAD = 0.01

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
        jackknife: Standard errors that leave an area out at a time, runs x columns. Not a number for a column that
            rests on one area.
        model: Standard errors that trust the weights, runs x columns.
        freedom: Degrees of freedom of each jackknife error, runs x columns.
        rows: Rows less columns: one for each run.
    """

    coefficients: Floats
    between: Floats
    jackknife: Floats
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
    leverage = np.einsum("rij,raji->ra", inverse, squares)
    # What one area's error does to each coefficient, squared and divided by what its own pull on the fit hides.
    pulls = np.einsum("rij,racj->raci", inverse, weighted)
    shares = np.einsum("raci,rac->rai", pulls**2, given.variances + between[:, None, None])
    shares = shares / np.maximum(1.0 - leverage, 1e-9)[..., None]
    return Fits(
        coefficients=whole,
        between=between,
        jackknife=_jackknife(squares, products, whole),
        model=np.sqrt(np.diagonal(inverse, axis1=1, axis2=2)),
        freedom=np.maximum(shares.sum(axis=1) ** 2 / (shares**2).sum(axis=1) - 1.0, 1.0),
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


def _jackknife(squares: Floats, products: Floats, whole: Floats) -> Floats:
    total = squares.sum(axis=1, keepdims=True)
    without = total - squares
    # A column that rests on one area cannot be fitted without it: it is taken out there, and has no jackknife error.
    alone = np.diagonal(without, axis1=2, axis2=3) <= 1e-9 * np.diagonal(total, axis1=2, axis2=3)
    steady = without + alone[..., None] * np.eye(without.shape[-1])
    left = np.linalg.solve(steady, (products.sum(axis=1, keepdims=True) - products)[..., None])[..., 0]
    errors = np.sqrt(((left - whole[:, None, :]) ** 2).sum(axis=1))
    return np.where(alone.any(axis=1), np.nan, errors)
