"""The engine: noisy figures of every level in, coherent forecasts of every level with their spread out. Pure.

    figures -> add up (exact least squares) -> level filter and theta, their mean -> add up again -> negative binomial

A forecast at an origin is made from the months before it and from nothing else: its dispersion too, which is learnt
from forecasts of earlier origins and what came of them, less the noise that is known to be in what came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.consistent import consistent
from forecasting.dispersion import Dispersions, Past, learnt, quantile_function
from forecasting.hierarchy import Hierarchy
from forecasting.models.level_filter import Filtered, Seen, level_filter
from forecasting.models.theta import theta, theta_past
from forecasting.panel import Bools, Floats, Panel
from forecasting.reconcile import Method, reconciled
from forecasting.seasons import factors_over, without_gaps
from forecasting.spread import Spread, Workers

ABOVE_NOISE = 2.0
"""A series stands out of its noise when its mean of a year is at least so many standard deviations of one figure."""

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
        dispersion: For each level series x horizon: variance beyond chance as a share of the mean squared;
            ``forecasting.dispersion.UNKNOWN`` without an earlier origin.
        learnt_from: Earlier origins that the dispersion was learnt from.
        filter_only: For each level whether a series was too close to its noise for anything but the level filter.
        method: How the forecasts were made to add up.
    """

    mean: tuple[Floats, ...]
    dispersion: tuple[Floats, ...]
    learnt_from: int
    filter_only: tuple[Bools, ...]
    method: Method

    def quantiles(self, levels: Sequence[float]) -> tuple[Floats, ...]:
        """Negative-binomial quantiles of the coming exact counts: for each level series x horizon x ``levels``.

        Args:
            levels: Each between 0 and 1.
        """
        pairs = zip(self.mean, self.dispersion, strict=True)
        return tuple(quantile_function(mean, dispersion, levels) for mean, dispersion in pairs)


@dataclass(frozen=True, slots=True)
class _Base:
    """The reconciled forecast of one origin."""

    mean: tuple[Floats, ...]
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
        One outcome for each origin. Every base forecast is made once, and serves later origins for their dispersion.
    """
    chosen = settings or EngineSettings()
    known = consistent(hierarchy)
    season = known.levels[-1].season
    earlier = {origin: _earlier(origin, season, chosen) for origin in origins}
    made = {origin: _base(known, origin, horizon, chosen) for origin in sorted(set(origins))}
    made |= _past(known, {each for group in earlier.values() for each in group} - made.keys(), horizon, chosen)
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
        past = [Past(origin, each.mean[level]) for origin, each in earlier]
        found: Dispersions = learnt(panel.until(today), past)
        dispersion.append(found.of(base.mean[level]))
    return Outcome(base.mean, tuple(dispersion), len(earlier), base.filter_only, base.method)


def _base(known: Hierarchy, origin: int, horizon: int, settings: EngineSettings) -> _Base:
    seen = known.until(origin)
    filtered = [_filtered(panel, horizon) for panel in seen.levels]
    alone = tuple(_in_noise(panel) for panel in seen.levels)
    rows = [without_gaps(panel.figures)[~near] for panel, near in zip(seen.levels, alone, strict=True)]
    fitted = theta([row for each in rows for row in each], horizon, known.levels[-1].season, settings.workers)
    return _joined(seen, filtered, alone, fitted)


def _past(known: Hierarchy, origins: Iterable[int], horizon: int, settings: EngineSettings) -> dict[int, _Base]:
    """Base forecasts of origins that serve for the dispersion alone: theta is fitted once, at the earliest."""
    found: dict[int, _Base] = {}
    for group in _spaced(sorted(origins), settings.step_of(known.levels[-1].season)):
        alone = tuple(_in_noise(panel.until(group[0])) for panel in known.levels)
        rows = np.vstack(
            [without_gaps(p.until(group[-1]).figures)[~near] for p, near in zip(known.levels, alone, strict=True)]
        )
        fitted = theta_past(rows, group, horizon, known.levels[-1].season, settings.workers)
        for origin, each in zip(group, fitted, strict=True):
            seen = known.until(origin)
            found[origin] = _joined(seen, [_filtered(panel, horizon) for panel in seen.levels], alone, each)
    return found


def _spaced(origins: Sequence[int], step: int) -> list[list[int]]:
    """Origins in groups of which each is ``step`` after the one before."""
    groups: list[list[int]] = []
    for origin in origins:
        group = next((each for each in groups if each[-1] + step == origin), None)
        if group is None:
            groups.append([origin])
        else:
            group.append(origin)
    return groups


def _joined(seen: Hierarchy, filtered: Sequence[Filtered], alone: tuple[Bools, ...], fitted: Floats) -> _Base:
    means, errors, first = [], [], 0
    for panel, by_filter, near in zip(seen.levels, filtered, alone, strict=True):
        mean = by_filter.mean.copy()
        count = int((~near).sum())
        mean[~near] = 0.5 * (mean[~near] + np.maximum(fitted[first : first + count], 0.0))
        first += count
        means.append(mean)
        errors.append(panel.figures - by_filter.expected)
    coherent = reconciled(seen, tuple(means), tuple(errors))
    return _Base(coherent.mean, alone, coherent.method)


def _filtered(panel: Panel, horizon: int) -> Filtered:
    return level_filter(Seen(panel.figures, panel.noise, factors_over(panel, horizon), panel.pools, panel.season))


def _in_noise(panel: Panel) -> Bools:
    year = without_gaps(panel.figures)[:, -panel.season :]
    return np.asarray(year.mean(axis=1) < np.maximum(ABOVE_NOISE * np.sqrt(panel.noise[:, 0]), 1e-9))
