"""The engine: noisy figures of every level in, coherent forecasts of every level with their spread out. Pure.

    figures -> add up (exact least squares) -> level filter and theta, their mean -> add up again -> negative binomial

A forecast at an origin is made from the months before it and from nothing else: its dispersion too, which is learnt
from forecasts of earlier origins and what came of them, less the noise that is known to be in what came.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.consistent import consistent
from forecasting.dispersion import Dispersions, Past, centre_of, learnt, quantile_function
from forecasting.hierarchy import Hierarchy
from forecasting.models.level_filter import Filtered, Seen, level_filter
from forecasting.models.theta import theta
from forecasting.panel import Bools, Floats, Panel
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

    def quantiles(self, levels: Sequence[float]) -> tuple[Floats, ...]:
        """Negative-binomial quantiles of the coming exact counts: for each level series x horizon x ``levels``.

        Args:
            levels: Each between 0 and 1.
        """
        pairs = zip(self.mean, self.dispersion, self.centre, strict=True)
        return tuple(quantile_function(mean, dispersion, levels, centre) for mean, dispersion, centre in pairs)


@dataclass(frozen=True, slots=True)
class _Base:
    """The reconciled forecast of one origin."""

    mean: tuple[Floats, ...]
    spread: tuple[Floats, ...]
    filter_only: tuple[Bools, ...]
    method: Method


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
    for level, panel in enumerate(known.levels):
        past = [Past(origin, each.mean[level], each.spread[level]) for origin, each in earlier]
        found: Dispersions = learnt(panel.until(today), past)
        dispersion.append(found.of(base.mean[level], base.spread[level]))
    centre = tuple(centre_of(mean, spread) for mean, spread in zip(base.mean, base.spread, strict=True))
    return Outcome(base.mean, centre, tuple(dispersion), len(earlier), base.filter_only, base.method)


def _base(known: Hierarchy, origin: int, horizon: int, settings: EngineSettings) -> _Base:
    seen = known.until(origin)
    levels = [_Level(panel, factors_over(panel, horizon), _stands_out(panel)) for panel in seen.levels]
    adjusted = [without_gaps(each.panel.figures)[each.loud] / each.past()[each.loud] for each in levels]
    fitted = theta(np.vstack(adjusted), horizon, settings.workers)
    ends = np.cumsum([len(each) for each in adjusted])[:-1]
    means, errors, spreads = [], [], []
    for level, ahead in zip(levels, np.split(fitted, ends), strict=True):
        filtered = level.filtered()
        mean = filtered.mean.copy()
        mean[level.loud] = 0.5 * (mean[level.loud] + np.maximum(ahead, 0.0) * level.coming()[level.loud])
        means.append(mean)
        spreads.append(filtered.spread)
        errors.append(level.panel.figures - filtered.expected)
    coherent = reconciled(seen, tuple(means), tuple(errors))
    return _Base(coherent.mean, tuple(spreads), tuple(~each.loud for each in levels), coherent.method)


def _past(known: Hierarchy, origin: int, horizon: int) -> _Base:
    """The forecast of an origin that serves for the dispersion alone, by the level filter.

    On earlier windows its errors are those of the mean of the models within half of one per cent (state set 2011-2013:
    MASE 0.7485 and 0.7469), at a hundredth of the cost.
    """
    seen = known.until(origin)
    filtered = [_Level(panel, factors_over(panel, horizon), _stands_out(panel)).filtered() for panel in seen.levels]
    errors = [panel.figures - each.expected for panel, each in zip(seen.levels, filtered, strict=True)]
    coherent = reconciled(seen, tuple(each.mean for each in filtered), tuple(errors), quick=True)
    alone = tuple(np.ones(len(each.mean), dtype=np.bool_) for each in filtered)
    return _Base(coherent.mean, tuple(each.spread for each in filtered), alone, coherent.method)


@dataclass(frozen=True, slots=True)
class _Level:
    """A level at one origin: its panel, its factors over the months seen and to come, and which series are loud."""

    panel: Panel
    factors: Floats
    loud: Bools

    def past(self) -> Floats:
        return self.factors[:, : len(self.panel.months)]

    def coming(self) -> Floats:
        return self.factors[:, len(self.panel.months) :]

    def filtered(self) -> Filtered:
        panel = self.panel
        return level_filter(Seen(panel.figures, panel.noise, self.factors, panel.pools, panel.season))


def _stands_out(panel: Panel) -> Bools:
    year = without_gaps(panel.figures)[:, -panel.season :].mean(axis=1)
    return np.asarray(year >= np.maximum(ABOVE_NOISE * np.sqrt(panel.noise[:, 0]), SMALLEST_LOUD))
