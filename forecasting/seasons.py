"""The shape of the year: how much each month lies above or below its surroundings, learnt from a whole pool of series.

One noisy series of 60 months has five Januaries; the 77 provinces of one offence group have 385. Pooled factors cut the
error of the forecast as much as a search over seasonal models of each series, at a tenth of the time (see
``forecasting.models.ets``).
"""

import numpy as np

from forecasting.panel import MONTHS_A_YEAR, Floats, Ints, Panel, places_in_year

YEAR = MONTHS_A_YEAR
SHORTEST = 2 * YEAR
"""Months that a seasonal pattern needs: each month of the year has then one neighbourhood of a whole year."""

LOWEST, HIGHEST = 0.3, 3.0
"""Bounds of a factor: beyond them noise is likelier than a season."""

SEEN_YEARS = 6
"""Years that the shape is learnt from: customs and counting change."""

SMOOTHED = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0
"""Weights over neighbouring weeks: one week of the year was seen a few times only, and holidays move."""


def seasonal_factors(panel: Panel) -> Floats:
    """For each series the factors of its year, from January or the first week, averaging about 1: series x season.

    The classical ratio to a centred yearly average, on the total of each pool; the median over the years shrugs off a
    single odd month. A pool without cases, or with less than two years, has a flat year.
    """
    factors = np.ones((len(panel.figures), panel.season))
    figures = without_gaps(panel.figures)
    for pool in np.unique(panel.pools):
        members = panel.pools == pool
        total = figures[members].sum(axis=0)
        spread = np.sqrt(panel.noise[members].sum())
        if len(total) >= 2 * panel.season and total.mean() > spread:
            factors[members] = _factors(total, panel.place_in_year, panel.season)
    return factors


def factors_over(panel: Panel, horizon: int) -> Floats:
    """The factor of each month of a panel and of the ``horizon`` months after it: series x (months + horizon)."""
    coming = panel.months[-1:].append([panel.months[-1:] + ahead for ahead in range(1, horizon + 1)])[1:]
    places = np.concatenate([panel.place_in_year, places_in_year(coming)])
    return seasonal_factors(panel)[:, places]


def without_gaps(figures: Floats) -> Floats:
    """Each missing month between its neighbours, on the straight line between them; the ends are held."""
    if np.isfinite(figures).all():
        return figures
    filled = figures.copy()
    places = np.arange(figures.shape[1])
    for row in filled:
        known = np.isfinite(row)
        row[~known] = np.interp(places[~known], places[known], row[known]) if known.any() else 0.0
    return filled


def _factors(total: Floats, places: Ints, season: int) -> Floats:
    kept = min(len(total), (SEEN_YEARS + 1) * season)
    total, places = total[-kept:], places[-kept:]
    window = np.ones(season + 1)
    window[[0, -1]] = 0.5
    around = np.convolve(total, window / season, mode="valid")
    half = season // 2
    ratios = total[half:-half] / np.maximum(around, 1.0)
    seen = places[half:-half]
    factors = np.array([np.median(ratios[seen == place]) if (seen == place).any() else 1.0 for place in range(season)])
    if season != YEAR:
        factors = np.convolve(np.concatenate([factors[-2:], factors, factors[:2]]), SMOOTHED, mode="valid")
    bounded: Floats = np.clip(factors / max(float(factors.mean()), LOWEST), LOWEST, HIGHEST)
    return bounded
