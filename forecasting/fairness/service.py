"""Whom the forecast serves worse: errors and coverage by region, by size, and where the population is understated.

A forecast that is right on average may be wrong where few live, or in one region month after month. Every class of
areas is compared with the promise of the intervals and with an unbiased forecast. Months of one area are not
independent tries, so errors are those of means over areas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from contracts.code_lists import code_list
from forecasting.panel import Floats

UNDERSTATED: Final = ("10", "20", "83")
"""Bangkok, Chon Buri and Phuket: far more people live there than are registered, so rates per registered person lie."""

QUINTILES: Final = 5
ALPHA: Final = 0.01
FEWEST_AREAS: Final = 3

WORSE_COVERAGE, WITHHELD_COVERAGE = 0.10, 0.30
"""How far below its promise the coverage of a class may fall before it is flagged, and before nothing is published."""

WORSE_BIAS, WITHHELD_BIAS = 0.10, 0.30
"""How far, as a part of the forecast, the cases of a class may lie from it on average; as above."""


@dataclass(frozen=True, eq=False)
class Past:
    """Forecasts that have come true or not.

    Attributes:
        areas: The province of each row.
        actual: Released figures: series x months.
        expected: Their forecasts.
        held: Whether each figure lay in its interval.
        level: How often the intervals promise to hold, 0 to 1.
    """

    areas: tuple[str, ...]
    actual: Floats
    expected: Floats
    held: NDArray[np.bool_]
    level: float


@dataclass(frozen=True, slots=True)
class Served:
    """How one class of areas is served.

    Attributes:
        kind: ``region``, ``size`` or ``population``.
        name: The region's code, the quintile (``1`` is the smallest), ``understated``.
        areas: How many.
        wape: Sum of absolute errors over the sum of cases.
        bias: Cases beyond the forecast, as a part of it.
        bias_error: Its standard error over areas.
        coverage: How often the intervals held.
        coverage_error: Its standard error over areas.
        standing: ``passed``, ``flagged`` or ``withhold``; ``unknown`` with fewer than three areas.
    """

    kind: str
    name: str
    areas: int
    wape: float
    bias: float
    bias_error: float
    coverage: float
    coverage_error: float
    standing: str


def served(past: Past) -> tuple[Served, ...]:
    """How each class of areas is served; the level of the tests is shared by all of them (Bonferroni)."""
    classes = _classes(past)
    limit = float(norm.isf(ALPHA / 2.0 / len(classes)))
    return tuple(_served(past, kind, name, areas, limit) for (kind, name), areas in classes.items())


def _classes(past: Past) -> Mapping[tuple[str, str], frozenset[str]]:
    regions = code_list("provinces").facts["police_commands"]
    found: dict[tuple[str, str], frozenset[str]] = {}
    areas = list(dict.fromkeys(past.areas))
    for region in dict.fromkeys(regions.get(area, "") for area in areas):
        found["region", region] = frozenset(area for area in areas if regions.get(area, "") == region)
    sizes = {area: float(past.expected[_rows(past, {area})].sum()) for area in areas}
    ordered = sorted(areas, key=lambda area: sizes[area])
    for number, part in enumerate(np.array_split(np.array(ordered), QUINTILES), start=1):
        if len(part):
            found["size", str(number)] = frozenset(str(area) for area in part)
    understated = frozenset(UNDERSTATED) & frozenset(areas)
    if understated:
        found["population", "understated"] = understated
    return found


def _rows(past: Past, areas: Sequence[str] | set[str] | frozenset[str]) -> NDArray[np.int64]:
    return np.array([row for row, area in enumerate(past.areas) if area in areas], dtype=np.int64)


def _served(past: Past, kind: str, name: str, areas: frozenset[str], limit: float) -> Served:
    rows = _rows(past, areas)
    actual, expected = past.actual[rows], past.expected[rows]
    each = [_rows(past, {area}) for area in sorted(areas)]
    total = max(float(expected.sum()), 1.0)
    beyond = np.array([float((past.actual[one] - past.expected[one]).sum()) for one in each])
    held = np.array([float(past.held[one].mean()) for one in each])
    bias, coverage = float(beyond.sum()) / total, float(past.held[rows].mean())
    known = len(areas) >= FEWEST_AREAS
    # Of a sum over areas that are off independently, and of a mean over areas.
    bias_error = float(np.sqrt(((beyond - bias * total / len(each)) ** 2).sum())) / total if known else np.inf
    coverage_error = float(held.std(ddof=1)) / np.sqrt(len(each)) if known else np.inf
    return Served(
        kind=kind,
        name=name,
        areas=len(areas),
        wape=float(np.abs(actual - expected).sum()) / max(float(actual.sum()), 1.0),
        bias=bias,
        bias_error=bias_error,
        coverage=coverage,
        coverage_error=float(coverage_error),
        standing=_standing(past.level - coverage, float(coverage_error), abs(bias), bias_error, limit)
        if known
        else "unknown",
    )


def _standing(missing: float, missing_error: float, bias: float, bias_error: float, limit: float) -> str:
    """What is far enough off to matter, and surely so."""
    sure_missing = missing > limit * max(missing_error, 1e-9)
    sure_bias = bias > limit * max(bias_error, 1e-9)
    if (sure_missing and missing > WITHHELD_COVERAGE) or (sure_bias and bias > WITHHELD_BIAS):
        return "withhold"
    if (sure_missing and missing > WORSE_COVERAGE) or (sure_bias and bias > WORSE_BIAS):
        return "flagged"
    return "passed"
