"""Control limits from a stated rate of false alarms.

Every area and group is judged each month over windows of different length, the newest month alone and the newest months
together. All those looks share one allowance: with ``rate`` false alarms a year, each look may be wrong by chance
``rate / (12 x series x windows)`` times (Bonferroni; windows overlap and an alarm that lasts counts once, so the true
rate is below). ``forecasting.warnings.simulation`` measures it: of a stated 1 a year, 0.1 to 0.3 in worlds of 261
series whose levels stay, 0.5 where they drift by 3 % a month, 0.8 where counts are large and wild besides
(``benchmarks.warnings``).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import pearson3

from forecasting.panel import Floats

MONTHS_A_YEAR = 12
WINDOWS = (1, 3, 6)
THRESHOLD = 0.03
"""Chances below it are the tail that is fitted."""

_PRIOR = 10.0
"""Windows in the tail that are taken to have been as the formula says."""

_CENSORED = 4.0

MOST_SKEW = 3.0
"""A third moment beyond this says only that next to nothing is expected; such series are below the floor anyway."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, and how strictly.

    Attributes:
        rate: False alarms a year over all areas and groups together, if nothing ever changed. Above 0.
        windows: Lengths of the windows, in months.
        expected_floor: Cases that must be expected in a window for it to be judged.
        noise_floor: How many standard deviations of the released figure's noise must be expected at least.
        population_floor: Registered people that an area must have: below it a warning would point at a few.
        months_back: How many months are looked through for when a warning began, and for those that ended.
    """

    rate: float = 1.0
    windows: tuple[int, ...] = WINDOWS
    expected_floor: float = 10.0
    noise_floor: float = 2.0
    population_floor: int = 200_000
    months_back: int = 24

    def chance(self, series: int) -> float:
        """How likely one look at one series may be to raise a false alarm, 0 to 1."""
        return min(self.rate / self.looks_a_year(series), 1.0)

    def looks_a_year(self, series: int) -> float:
        """How many looks a year so many series make, at least those of one."""
        return float(MONTHS_A_YEAR * len(self.windows) * max(series, 1))


def chance_of(figure: Floats, expected: Floats, variance: Floats, third: Floats) -> Floats:
    """How likely a figure this high or higher is if nothing changed, 0 to 1.

    The figure is a lopsided count plus symmetric noise. A gamma distribution that is shifted (Pearson type III) has the
    same mean, variance and third central moment, and its upper tail is what counts here.

    Args:
        figure: What was released, in cases.
        expected: Its mean.
        variance: Its variance, above 0.
        third: Its third central moment, 0 or more.
    """
    deviation = np.sqrt(variance)
    skew = np.clip(third / (variance * deviation), 0.0, MOST_SKEW)
    return np.asarray(pearson3.sf((figure - expected) / deviation, skew), dtype=np.float64)


def calibrated(past: Floats, chance: Floats) -> Floats:
    """Chances as they turned out: the tail of past windows, fitted, in place of the tail that the formula promises.

    If the formula is right, the negative logarithms of the chances below a threshold lie above its own as independent
    times of rate 1. Where they lie further out, figures are wilder than the formula says, by as much. The rate is that
    of an exponential distribution, censored so that a few months of real change decide nothing. A tail is never made
    thinner than the formula's.

    Args:
        past: Chances of windows that had ended before, of all series: any shape, NaN is left out.
        chance: Those to be judged.
    """
    seen = past[np.isfinite(past)]
    tail = seen[seen < THRESHOLD]
    share = max((_PRIOR + len(tail)) / (_PRIOR / THRESHOLD + len(seen)), THRESHOLD)
    beyond = np.log(THRESHOLD) - np.log(np.maximum(tail, np.finfo(np.float64).tiny))
    rate = min(
        (_PRIOR + float((beyond < _CENSORED).sum())) / (_PRIOR + float(np.minimum(beyond, _CENSORED).sum())), 1.0
    )
    stretched = share * (np.maximum(chance, 0.0) / THRESHOLD) ** rate
    return np.asarray(np.where(chance < THRESHOLD, stretched, np.maximum(chance, share)), dtype=np.float64)


def limit_of(chance: float, expected: Floats, variance: Floats, third: Floats) -> Floats:
    """The figure above which an alarm is raised, in cases; arguments as for ``chance_of``."""
    deviation = np.sqrt(variance)
    skew = np.clip(third / (variance * deviation), 0.0, MOST_SKEW)
    return np.asarray(expected + deviation * pearson3.isf(chance, skew), dtype=np.float64)
