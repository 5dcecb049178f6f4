"""The effect of a measure: how much the treated areas' cases differ from what was expected, against the untreated."""

from dataclasses import dataclass

import numpy as np

from forecasting.interventions.design import Comparison, Design, Roles, Seen, compare, roles, rows
from forecasting.interventions.regression import Fits, fit
from forecasting.panel import Floats

LEVEL = 0.95
FEWEST_TREATED = 5
"""Fewer treated areas than this say too little of their own spread: their error is taken from that of the untreated."""

TREATED, NEAR = 0, 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """One effect as a share of the cases: -0.15 for 15 % fewer. The interval holds the true one 95 times in 100.

    Attributes:
        share: The estimate, above -1.
        low: The lower end of its interval.
        high: The upper end.
        areas: Areas that it rests on.
        borrowed: Whether the error was taken from the spread of the untreated.
    """

    share: float
    low: float
    high: float
    areas: int
    borrowed: bool

    @property
    def told(self) -> bool:
        """Whether the interval leaves out that nothing changed."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class AreaOutcome:
    """One treated area: what its own past let expect, what came, and how much of the difference was not seen elsewhere.

    ``share`` is what is left of observed over expected after what the untreated areas of its size and growth did, with
    its interval: an area also rises and falls on its own, and the interval says how much.
    """

    area: str
    start: str
    expected: float
    observed: float
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one window shows.

    Attributes:
        effect: On the treated areas.
        spillover: On their neighbours; none where too few areas are left to tell.
        between: Standard deviation of what areas do on their own, on the logarithmic scale: 0.1 is about 10 %.
        outcomes: Every treated area that counts.
        untreated: Areas that they were compared with.
    """

    effect: Estimate
    spillover: Estimate | None
    between: float
    outcomes: tuple[AreaOutcome, ...]
    untreated: int


def evaluate(made: Design) -> Evaluated:
    """The effect, and the spillover where it can be told."""
    compared = compare(made.panel, made.cohorts, made.window)
    parts = roles(made, made.starts[None, :], made.cohorts, made.too_small)
    fits = fit(rows(compared.seen, parts))
    effect = _estimate(fits, TREATED, int(parts.treated.any(axis=2).sum()))
    touched = 0 if parts.near is None else int(parts.near.any(axis=2).sum())
    return Evaluated(
        effect=effect,
        spillover=_estimate(fits, NEAR, touched) if touched else None,
        between=float(np.sqrt(fits.between[0])),
        outcomes=_outcomes(made, compared, own_bounds(compared.seen, parts, fits)),
        untreated=int(made.untreated.sum()),
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Estimates of many runs on the logarithmic scale, each with its half-width at 95 per cent."""

    middle: Floats
    half: Floats


def bounds(fits: Fits, column: int, areas: int) -> Bounds:
    """The interval of one coefficient.

    Args:
        fits: The fits.
        column: The coefficient.
        areas: Areas that it rests on: below five the error is that of the model, which takes the spread of all areas.
    """
    error, freedom = fits.robust[:, column], fits.freedom[:, column]
    if areas < FEWEST_TREATED:
        error, freedom = fits.model[:, column], fits.rows
    return Bounds(fits.coefficients[:, column], students(freedom) * error)


def own_bounds(seen: Seen, parts: Roles, fits: Fits) -> Bounds:
    """For each area and start what is left of its ratio after what the untreated did: runs x areas x starts.

    Half-widths have what areas do on their own (the variance between them) and the known error of the ratio.
    """
    given = rows(seen, parts)
    untreated = fits.coefficients.copy()
    untreated[:, TREATED] = 0.0
    left = given.ratios - np.einsum("raci,ri->rac", given.columns, untreated)
    error = np.sqrt(given.variances + fits.between[:, None, None])
    return Bounds(left, students(fits.rows)[:, None, None] * error)


def students(freedom: Floats) -> Floats:
    """How many standard errors hold 95 per cent of a t distribution, two-sided, for each degree of freedom."""
    # Loaded here because the package takes half a second to load and most commands evaluate nothing.
    from scipy.special import stdtrit  # noqa: PLC0415  # see above

    return np.asarray(stdtrit(freedom, 0.5 + LEVEL / 2), dtype=np.float64)


def estimate_of(middle: float, half: float, areas: int, *, borrowed: bool = False) -> Estimate:
    """An estimate from the logarithmic scale."""
    low, high = float(np.expm1(middle - half)), float(np.expm1(middle + half))
    return Estimate(float(np.expm1(middle)), low, high, areas, borrowed)


def _estimate(fits: Fits, column: int, areas: int) -> Estimate:
    found = bounds(fits, column, areas)
    return estimate_of(float(found.middle[0]), float(found.half[0]), areas, borrowed=areas < FEWEST_TREATED)


def _outcomes(made: Design, compared: Comparison, found: Bounds) -> tuple[AreaOutcome, ...]:
    cohorts = list(made.cohorts)
    outcomes = []
    for area in np.flatnonzero(made.treated):
        start = cohorts.index(made.starts[area])
        middle, half = float(found.middle[0, area, start]), float(found.half[0, area, start])
        outcomes.append(
            AreaOutcome(
                area=made.areas[area],
                start=str(made.panel.months[made.starts[area]]),
                expected=float(compared.expected[area, start]),
                observed=float(compared.observed[area, start]),
                share=float(np.expm1(middle)),
                low=float(np.expm1(middle - half)),
                high=float(np.expm1(middle + half)),
            )
        )
    return tuple(outcomes)
