"""Days that fall into other weeks each year: the New Year and Songkran holidays, and the end of the fiscal year.

A month always holds the same days of each, so the shape of the year has them. A week does not, and its shape is
smoothed over neighbouring weeks (``forecasting.seasons``): what a holiday adds is a regressor of its own, the share of
its days that a week holds, kept only where it foretold the newest year better than nothing.
"""

import numpy as np
import pandas as pd

from forecasting.panel import Bools, Floats, Ints

Day = tuple[int, int]
WINDOWS: dict[str, tuple[Day, Day]] = {
    "new-year": ((12, 29), (1, 4)),
    "songkran": ((4, 11), (4, 17)),
    "fiscal-year-end": ((9, 17), (9, 30)),
}
"""First and last day, month and day each; the fiscal year of the State ends on 30 September."""

_DAYS_A_WEEK = 7
_HUNDRED = 100


def shares(weeks: pd.PeriodIndex) -> Floats:
    """The share of the days of each week that lie in each window: windows x weeks."""
    days = pd.date_range(weeks[0].start_time.normalize(), weeks[-1].end_time.normalize(), freq="D")
    month_and_day = np.asarray(days.month, dtype=np.int64) * _HUNDRED + np.asarray(days.day, dtype=np.int64)
    inside = [_between(month_and_day, *window) for window in WINDOWS.values()]
    return np.stack([each.reshape(len(weeks), _DAYS_A_WEEK).mean(axis=1) for each in inside])


def _between(month_and_day: Ints, first: Day, last: Day) -> Bools:
    begins, ends = (month * _HUNDRED + day for month, day in (first, last))
    after, before = month_and_day >= begins, month_and_day <= ends
    return np.asarray(after & before if begins <= ends else after | before)


def effects(ratios: Floats, held: Floats, season: int) -> Floats:
    """How much one whole period in each window adds to a ratio of 1.

    Args:
        ratios: What each period was, over what its season and surroundings let expect; NaN if unknown.
        held: As of ``shares``, for the same periods.
        season: Periods of a year.

    Returns:
        One figure a window; 0 where the effect learnt from the older years did not foretell the newest better than 0.
    """
    known = np.isfinite(ratios)
    found = np.zeros(len(held))
    older = known & (np.arange(len(ratios)) < len(ratios) - season)
    newest = known & ~older
    for window, share in enumerate(held):
        learnt = _slope(ratios[older] - 1.0, share[older])
        left = ratios[newest] - 1.0
        if float(((left - learnt * share[newest]) ** 2).sum()) < float((left**2).sum()):
            found[window] = _slope(ratios[known] - 1.0, share[known])
    return found


def _slope(beyond: Floats, share: Floats) -> float:
    square = float((share**2).sum())
    return float((beyond * share).sum()) / square if square > 0 else 0.0
