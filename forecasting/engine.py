"""The engine: noisy figures of every level in, coherent forecasts of every level with their spread out. Pure.

    figures -> add up (exact least squares) -> level filter and theta, their mean -> add up again -> negative binomial

A forecast at an origin is made from the months before it and from nothing else: its dispersion too, which is learnt
from forecasts of earlier origins and what came of them, less the noise that is known to be in what came.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import Unavailable
from forecasting.breaks import find
from forecasting.consistent import consistent
from forecasting.dispersion import Dispersions, Past, centre_of, learnt
from forecasting.hierarchy import Hierarchy
from forecasting.intervals import SMALLEST_DISPERSION, SMALLEST_MEAN
from forecasting.models.boosted import boosted
from forecasting.models.level_filter import Filtered, Seen, level_filter
from forecasting.models.theta import theta
from forecasting.panel import MONTHS_A_YEAR, Bools, Floats, Ints, Panel
from forecasting.predictive import NegativeBinomial
from forecasting.reconcile import Method, reconciled
from forecasting.seasons import ABOVE_NOISE, factors_over, without_gaps
from forecasting.spread import Spread, Workers

SMALLEST_LOUD = 0.5
"""Cases a month below which a series is never fitted alone, however exact."""

FEWEST_SEASONS = 2
"""Years that an origin must have seen."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the engine runs.

    Attributes:
        origins: Earlier origins whose errors the dispersion is learnt from; fewer if the history is short.
        step: Months between them; none for half a year of months, or four weeks.
        spread: The engine that fits the series.
        processes: Of this machine, or partitions of a cluster.
        boosted: Whether gradient boosting is a third member; it needs the extra ``lightgbm``.
    """

    origins: int = 6
    step: int | None = None
    spread: Spread = Spread.LOCAL
    processes: int = 1
    boosted: bool = False

    @property
    def workers(self) -> Workers:
        """Who fits the series."""
        return Workers(self.spread, self.processes)

    def step_of(self, season: int) -> int:
        """Periods between two earlier origins."""
        return self.step or (season // 2 if season <= 12 else 4)  # noqa: PLR2004  # a dozen months


@dataclass(frozen=True, slots=True)
class Outcome:
    """A forecast of every level of a hierarchy.

    Attributes:
        mean: For each level, the coarsest first, series x horizon; coherent, none below zero.
        centre: For each level series x horizon: the mean of the distribution of the coming count. It is ``mean`` but
            for series in their noise, whose forecast may be nothing while their cases are not.
        dispersion: For each level series x horizon: variance beyond chance as a share of ``mean`` squared, which counts
            as ``forecasting.intervals.SMALLEST_MEAN`` where it is smaller.
        learnt_from: Earlier origins that the dispersion was learnt from.
        filter_only: For each level whether a series was too close to its noise for anything but the level filter.
        method: How the forecasts were made to add up.
    """

    mean: tuple[Floats, ...]
    centre: tuple[Floats, ...]
    dispersion: tuple[Floats, ...]
    learnt_from: int
    filter_only: tuple[Bools, ...]
    method: Method

    def variance(self, level: int) -> Floats:
        """Variance of the coming exact counts of a level around ``centre``: series x horizon, in cases squared.

        That of chance, and what goes beyond it; never less than that of independent cases.
        """
        least, centre = np.maximum(self.mean[level], SMALLEST_MEAN), np.maximum(self.centre[level], SMALLEST_MEAN)
        beyond_chance = least + self.dispersion[level] * least**2
        return np.asarray(np.maximum(beyond_chance, centre * (1.0 + SMALLEST_DISPERSION)), dtype=np.float64)

    def predictive(self, level: int) -> NegativeBinomial:
        """The distribution of the coming exact counts of a level, by its number in the hierarchy.

        Whatever is published or scored of an outcome is read from it.
        """
        return NegativeBinomial(self.mean[level], self.variance(level), self.centre[level])

    def quantiles(self, levels: Sequence[float]) -> tuple[Floats, ...]:
        """Negative-binomial quantiles of the coming exact counts: for each level series x horizon x ``levels``.

        Args:
            levels: Each between 0 and 1.
        """
        return tuple(self.predictive(place).quantiles(levels) for place in range(len(self.mean)))


@dataclass(frozen=True, slots=True)
class _Base:
    """The reconciled forecast of one origin."""

    mean: tuple[Floats, ...]
    spread: tuple[Floats, ...]
    filter_only: tuple[Bools, ...]
    method: Method


@dataclass(frozen=True, slots=True)
class _Level:
    """A level at one origin.

    Attributes:
        panel: What was released by then, without the months of a shock: the shape of the year is learnt from it.
        figures: Those of it that count what is counted today.
        factors: The shape of the year over the months seen and to come.
        begins: For each series the first month of what is counted today.
    """

    panel: Panel
    figures: Floats
    factors: Floats
    begins: Ints

    def coming(self) -> Floats:
        return self.factors[:, len(self.panel.months) :]

    def adjusted(self) -> Floats:
        """Seasonally adjusted months for theta: no gap, NaN before a series begins."""
        months = len(self.panel.months)
        known = np.isfinite(self.figures)
        first = np.where(known.any(axis=1), known.argmax(axis=1), months)
        begun = np.arange(months) >= first[:, None]
        return np.where(begun, without_gaps(self.figures) / self.factors[:, :months], np.nan)

    def loud(self) -> Bools:
        """Which series stand out of their noise, and have been seen for two years."""
        known = np.isfinite(self.figures)
        year = without_gaps(self.figures)[:, -self.panel.season :].mean(axis=1)
        noise = np.sqrt(self.panel.noise[:, 0])
        seen = known.sum(axis=1) >= FEWEST_SEASONS * self.panel.season
        return np.asarray(seen & (year >= np.maximum(ABOVE_NOISE * noise, SMALLEST_LOUD)))

    def filtered(self) -> Filtered:
        panel = self.panel
        return level_filter(Seen(self.figures, panel.noise, self.factors, panel.pools, panel.season))


def forecast(hierarchy: Hierarchy, horizon: int, settings: EngineSettings | None = None) -> Outcome:
    """Forecast every level of a hierarchy.

    Args:
        hierarchy: Signed figures with known noise; NaN where a figure is missing. Two years or more.
        horizon: Months ahead, 1 or more.
        settings: How.

    Raises:
        InvalidInput: ``hierarchy-contradicts``, as of ``forecasting.consistent``.
        Unavailable: ``not-enough-history``; ``spread-not-installed``, ``boosting-not-installed``.
    """
    return rolling(hierarchy, horizon, [len(hierarchy.levels[-1].months)], settings)[0]


def rolling(
    hierarchy: Hierarchy, horizon: int, origins: Sequence[int], settings: EngineSettings | None = None
) -> list[Outcome]:
    """Forecasts as they would have been made at each origin, every one from what was known then.

    Args:
        hierarchy: As of ``forecast``.
        horizon: Months ahead.
        origins: Numbers of months seen, each at least two years.
        settings: How.

    Returns:
        One outcome for each origin. Every forecast is made once, and serves later origins for their dispersion; origins
        that nobody asked for are forecast by the level filter alone.
    """
    chosen = settings or EngineSettings()
    known = consistent(hierarchy)
    season = known.levels[-1].season
    if min(origins) < FEWEST_SEASONS * season:
        code = "not-enough-history" if season == MONTHS_A_YEAR else "not-enough-weeks"
        raise Unavailable(code, needed=FEWEST_SEASONS * season, given=min(origins))
    earlier = {origin: _earlier(origin, season, chosen) for origin in origins}
    made = {origin: _base(known, origin, horizon, chosen) for origin in sorted(set(origins))}
    made |= {
        each: _past(known, each, horizon)
        for each in {past for group in earlier.values() for past in group} - made.keys()
    }
    return [
        _outcome(known, origin, [(each, made[each]) for each in earlier[origin]], made[origin]) for origin in origins
    ]


def _earlier(origin: int, season: int, settings: EngineSettings) -> list[int]:
    step = settings.step_of(season)
    found = (origin - step * number for number in range(settings.origins, 0, -1))
    return [each for each in found if each >= FEWEST_SEASONS * season]


def _outcome(known: Hierarchy, today: int, earlier: Sequence[tuple[int, _Base]], base: _Base) -> Outcome:
    dispersion: list[Floats] = []
    marks = find(known.until(today))
    for level, panel in enumerate(known.levels):
        past = [Past(origin, each.mean[level], each.spread[level]) for origin, each in earlier]
        seen = panel.until(today)
        found: Dispersions = learnt(seen.showing(np.where(marks[level].hidden(), np.nan, seen.figures)), past)
        dispersion.append(found.of(base.mean[level], base.spread[level]))
    centre = tuple(centre_of(mean, spread) for mean, spread in zip(base.mean, base.spread, strict=True))
    return Outcome(base.mean, centre, tuple(dispersion), len(earlier), base.filter_only, base.method)


def _levels(seen: Hierarchy, horizon: int) -> list[_Level]:
    """What the models are shown: figures in which nothing of a shock, or of what was once counted, is left."""
    found = []
    for panel, marks in zip(seen.levels, find(seen), strict=True):
        shown = panel.showing(np.where(marks.shocks, np.nan, panel.figures))
        figures = np.where(marks.hidden(), np.nan, panel.figures)
        found.append(_Level(shown, figures, factors_over(shown, horizon), marks.begins))
    return found


def _base(known: Hierarchy, origin: int, horizon: int, settings: EngineSettings) -> _Base:
    seen = known.until(origin)
    levels = _levels(seen, horizon)
    loud = [level.loud() for level in levels]
    adjusted = [level.adjusted()[near] for level, near in zip(levels, loud, strict=True)]
    rows = np.vstack(adjusted)
    members = [np.maximum(theta(rows, horizon, settings.workers), 0.0)]
    if settings.boosted:
        members.append(boosted(rows, horizon))
    fitted = np.stack(members)
    ahead = np.split(fitted, np.cumsum([len(each) for each in adjusted])[:-1], axis=1)
    filtered = [level.filtered() for level in levels]
    means = []
    for level, by_filter, stands_out, alone in zip(levels, filtered, loud, ahead, strict=True):
        mean = by_filter.mean.copy()
        mean[stands_out] = (mean[stands_out] + alone.sum(axis=0) * level.coming()[stands_out]) / (1 + len(alone))
        means.append(mean)
    return _joined(seen, levels, filtered, means, loud)


def _past(known: Hierarchy, origin: int, horizon: int) -> _Base:
    """The forecast of an origin that serves for the dispersion alone, by the level filter.

    On earlier windows its errors are those of the mean of the models within half of one per cent (state set 2011-2013:
    MASE 0.7485 and 0.7469), at a hundredth of the cost.
    """
    seen = known.until(origin)
    levels = _levels(seen, horizon)
    filtered = [level.filtered() for level in levels]
    alone = [np.zeros(len(each.mean), dtype=np.bool_) for each in filtered]
    return _joined(seen, levels, filtered, [each.mean for each in filtered], alone, quick=True)


def _joined(
    seen: Hierarchy,
    levels: Sequence[_Level],
    filtered: Sequence[Filtered],
    means: Sequence[Floats],
    loud: Sequence[Bools],
    *,
    quick: bool = False,
) -> _Base:
    errors = tuple(level.figures - each.expected for level, each in zip(levels, filtered, strict=True))
    coherent = reconciled(seen, tuple(means), errors, quick=quick)
    return _Base(coherent.mean, tuple(each.spread for each in filtered), tuple(~each for each in loud), coherent.method)
