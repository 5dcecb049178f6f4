"""What the calendar tells of a month: its season, its holidays, its length.

Seasons of Thailand by whole months, after the Meteorological Department's (hot from mid-February, rainy from mid-May,
cool from mid-October): hot March to May, rainy June to October, cool November to February. Holidays are the seven days
of road-safety control, 29 December to 4 January and 11 to 17 April; a year's own control may begin a day earlier.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from forecasting.panel import Floats

HOT, COOL = frozenset({3, 4, 5}), frozenset({11, 12, 1, 2})
NEW_YEAR_STARTS, SONGKRAN_STARTS = (12, 29), (4, 11)
HOLIDAYS = 7
MONTHS_IN_YEAR = 12


def calendar_of(months: Sequence[str]) -> dict[str, Floats]:
    """For each month: whether it is hot, or cool, and its days of New Year and of Songkran; by the factor's name.

    Args:
        months: ``YYYY-MM``.
    """
    spans = [pd.Period(month, freq="M") for month in months]
    return {
        "season_hot": np.array([float(each.month in HOT) for each in spans]),
        "season_cool": np.array([float(each.month in COOL) for each in spans]),
        "new_year_days": np.array([float(_inside(each, *NEW_YEAR_STARTS)) for each in spans]),
        "songkran_days": np.array([float(_inside(each, *SONGKRAN_STARTS)) for each in spans]),
    }


def trend_of(months: Sequence[str]) -> Floats:
    """Years since the first month."""
    spans = [pd.Period(month, freq="M") for month in months]
    return np.array([(each.ordinal - spans[0].ordinal) / MONTHS_IN_YEAR for each in spans])


def days_of(months: Sequence[str]) -> Floats:
    """The days of each month."""
    return np.array([float(pd.Period(month, freq="M").days_in_month) for month in months])


def _inside(month: pd.Period, starts_in: int, starts_on: int) -> int:
    """The days of the month among the seven that begin on that day of this year or the last."""
    begins = (date(month.year + late, starts_in, starts_on) for late in (-1, 0))
    days = [first + timedelta(days=number) for first in begins for number in range(HOLIDAYS)]
    return sum(day.year == month.year and day.month == month.month for day in days)
