"""Rate ratios with their intervals: what the fitted model says of each factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from contracts.errors import InvalidInput
from forecasting.factors.design import Design, Factor
from forecasting.factors.estimation import Cells, Family, Fit, fit, nationwide_variances
from forecasting.panel import Floats

LEVEL = 0.95
FEWEST_DEGREES = 4
"""Periods beyond the factors that only they tell of: with fewer an interval says nothing."""

CLEAR = 0.05
"""A factor is called clear when its p-value is below this after all that were tested are counted (Holm 1979)."""


@dataclass(frozen=True, slots=True)
class RateRatio:
    """How many times as high the rate is where a factor is one step higher, the others being equal.

    Attributes:
        name: The factor's.
        step: The difference of the factor that the ratio is for, in its unit.
        ratio: The rate ratio.
        low: The lower end of the 95 % interval.
        high: The upper end.
        p_value: Two-sided, of this factor alone.
        p_adjusted: By Holm's step-down over all factors of the model.
        nationwide: Whether the factor is the same everywhere, so that its error is that of periods.
        reliability: The share of the factor's variance that is no noise.
        uncorrected: The ratio if the factor's noise were overlooked; none for an exact factor.
    """

    name: str
    step: float
    ratio: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    nationwide: bool
    reliability: float
    uncorrected: float | None

    @property
    def clear(self) -> bool:
        """Whether the factor goes with the rate more than chance among all that were tested would have it."""
        return self.p_adjusted < CLEAR


@dataclass(frozen=True, eq=False)
class Rates:
    """A fitted design.

    Attributes:
        design: What it was fitted to.
        family: Its weights.
        fitted: The model.
        ratios: One for each factor, in the order of the design.
        noise_share: The share of the variance of the counts around the model that is the known noise, 0 to 1.
        negative: The number of released counts below nothing.
    """

    design: Design
    family: Family
    fitted: Fit
    ratios: tuple[RateRatio, ...]
    noise_share: float
    negative: int


def rates_of(design: Design, family: Family = Family.NEGATIVE_BINOMIAL) -> Rates:
    """Fit the design.

    Raises:
        InvalidInput: ``covariates-invalid``, as ``estimation.fit``.
    """
    cells = design.cells()
    fitted = fit(cells, family)
    residual = float(((cells.figures - fitted.means) ** 2).sum())
    return Rates(
        design=design,
        family=family,
        fitted=fitted,
        ratios=_ratios(design, cells, fitted, family),
        noise_share=min(float(cells.noise.sum()) / residual, 1.0) if residual > 0 else 0.0,
        negative=int((cells.figures < 0).sum()),
    )


def _ratios(design: Design, cells: Cells, fitted: Fit, family: Family) -> tuple[RateRatio, ...]:
    uncorrected = _uncorrected(cells, family)
    errors = _errors(design, cells, fitted)
    p_values = []
    found = []
    for place, factor in enumerate(design.factors, start=1):
        error, degrees = errors[place - 1]
        law = student(degrees)
        p_values.append(float(2.0 * law.sf(abs(fitted.coefficients[place]) / error)))
        half = float(law.ppf(0.5 + LEVEL / 2)) * error
        found.append((factor, float(fitted.coefficients[place]), half, float(uncorrected[place])))
    adjusted = holm(p_values)
    return tuple(
        _ratio(factor, (middle, half, plain), (alone, among))
        for (factor, middle, half, plain), alone, among in zip(found, p_values, adjusted, strict=True)
    )


def _errors(design: Design, cells: Cells, fitted: Fit) -> list[tuple[float, int]]:
    """The standard error of each factor's coefficient, and its degrees of freedom.

    Raises:
        InvalidInput: ``covariates-invalid``, when periods are too few for the factors that only they tell of.
    """
    areas, periods = design.outcome.figures.shape
    nationwide = [place for place, factor in enumerate(design.factors, start=1) if factor.nationwide]
    if nationwide and periods - len(nationwide) - 1 < FEWEST_DEGREES:
        needed = len(nationwide) + 1 + FEWEST_DEGREES
        why = f"{len(nationwide)} factors that are the same everywhere need {needed} periods"
        raise InvalidInput("covariates-invalid", where="the factors", why=f"{why}, and there are {periods}")
    by_period = (
        dict(zip(nationwide, nationwide_variances(cells, fitted, nationwide), strict=True)) if nationwide else {}
    )
    by_area = np.diag(fitted.covariance)
    return [
        (float(np.sqrt(by_period[place])), periods - len(nationwide) - 1)
        if place in by_period
        else (float(np.sqrt(by_area[place])), areas - 1)
        for place in range(1, len(design.factors) + 1)
    ]


def _uncorrected(cells: Cells, family: Family) -> Floats:
    """The coefficients if the covariates' noise were overlooked."""
    overlooked = Cells(
        figures=cells.figures,
        columns=cells.columns,
        offset=cells.offset,
        noise=cells.noise,
        column_noise=np.zeros_like(cells.column_noise),
        areas=cells.areas,
        periods=cells.periods,
    )
    return np.zeros(cells.columns.shape[1]) if cells.exact_columns else fit(overlooked, family).coefficients


def _ratio(factor: Factor, estimate: tuple[float, float, float], p_values: tuple[float, float]) -> RateRatio:
    step = factor.spread if factor.step is None else factor.step
    middle, half, plain = (each * step / factor.spread for each in estimate)
    return RateRatio(
        name=factor.name,
        step=step,
        ratio=float(np.exp(middle)),
        low=float(np.exp(middle - half)),
        high=float(np.exp(middle + half)),
        p_value=p_values[0],
        p_adjusted=p_values[1],
        nationwide=factor.nationwide,
        reliability=factor.reliability,
        uncorrected=float(np.exp(plain)) if factor.sigmas.any() else None,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down: below 0.05 with at most a 5 % chance of one false find among all."""
    order = np.argsort(p_values)
    factors = np.arange(len(order), 0, -1)
    raised = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1.0)
    adjusted = np.empty(len(order))
    adjusted[order] = raised
    return [float(each) for each in adjusted]
