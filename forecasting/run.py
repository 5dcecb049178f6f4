"""From released figures to a published forecast. Read this first.

    panels -> engine (``forecasting.engine``) -> forecast, bands, flags -> scores on the past -> what is published

Nothing here knows where the figures come from or who signs the forecast: ``gateway.centre`` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.errors import InvalidInput, Unavailable
from contracts.forecast import Band, ForecastSeries, ModelCard, Score
from forecasting.backtest import Backtest, backtest, origins
from forecasting.card import card_of
from forecasting.engine import EngineSettings, Outcome, rolling
from forecasting.engine_trial import EngineTrial
from forecasting.evaluation import Window, coverage_at
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.models.prediction import Model
from forecasting.models.seasonal import SeasonalBaseline, SeasonalNaive
from forecasting.panel import MONTHS_A_YEAR, Floats, Panel, months_after
from forecasting.scores import scaled_errors, seasonal_scale, wape
from forecasting.seasons import SHORTEST, without_gaps
from forecasting.series_flags import flags_of

HORIZON = 12
LEVEL = 90
BANDS = (80, 95)
BASELINES: tuple[Model, ...] = (SeasonalNaive(), SeasonalBaseline())
PUBLISHED = EngineTrial(name="theta-and-level-filter")
DECIMALS = 2
"""A hundredth of a case is finer than any error here."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast of every series: what ``contracts.forecast.Forecast`` carries besides its provenance.

    Attributes:
        model: The name of the model that made it.
        level: The intervals hold the coming count so many times in 100.
        months: The coming months, ``YYYY-MM``.
        dimensions: The names of the labels of the leaves.
        series: One for each leaf, in the order of its panel.
        upper: One for each series of the coarser levels, the coarsest first; the leaves add up to them.
        scores: Of every model on the leaves, the published one last; then of the published one on each coarser level.
        card: How it was made.
    """

    model: str
    level: int
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[ForecastSeries, ...]
    scores: tuple[Score, ...]
    upper: tuple[ForecastSeries, ...]
    card: ModelCard


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the figures besides themselves.

    Attributes:
        until: The last month, or week, that was asked for. Those after the newest one told are missing: they are
            flagged, and the forecast begins after them. None: nothing is missing at the end.
        dataset: The bundled contract of the figures, which says what counts enforcement. None: labels that a dataset
            told by victims marks are recognised, and sums over labels that are not there are not.
    """

    until: pd.Period | None = None
    dataset: str | None = None


NOTHING_GIVEN = Given()


def look_ahead(
    panel: Panel,
    horizon: int = HORIZON,
    level: int = LEVEL,
    settings: EngineSettings | None = None,
    given: Given = NOTHING_GIVEN,
) -> Outlook:
    """Forecast the series of one panel, each on its own; arguments and errors as of ``look_ahead_hierarchy``."""
    return look_ahead_hierarchy(single_level(panel), horizon, level, settings, given)


def look_ahead_hierarchy(
    hierarchy: Hierarchy,
    horizon: int = HORIZON,
    level: int = LEVEL,
    settings: EngineSettings | None = None,
    given: Given = NOTHING_GIVEN,
) -> Outlook:
    """Forecast all levels of a hierarchy, so that they add up.

    Args:
        hierarchy: Signed noisy figures, NaN where one is missing; at least 24 months, or 104 weeks.
        horizon: Months, or weeks, to forecast; 1 or more.
        level: Of the intervals, in per cent; bands of 80 and 95 stand beside it.
        settings: How the engine runs.
        given: What else is known of the figures.

    Raises:
        InvalidInput: ``release-not-a-series`` for a panel without series, a series without one figure, or figures that
            end more than a year before ``given.until``; ``hierarchy-contradicts``; ``unknown-contract``.
        Unavailable: ``not-enough-history``, ``not-enough-weeks``; ``spread-not-installed``, ``boosting-not-installed``.
    """
    _check(hierarchy)
    leaves, padded = hierarchy.levels[-1], _through(hierarchy, given.until)
    wanted = padded.levels[-1].months
    past = [each for each in origins(len(leaves.months), horizon) if each >= 2 * leaves.season]
    *tried, outcome = rolling(padded, horizon, [*past, len(wanted)], settings)
    published = _published(padded, outcome, flags_of(padded, given.dataset), level)
    scores = (
        *(each.score for each in backtest_all(leaves, horizon, level)),
        *_scores(hierarchy, list(zip(past, tried, strict=True)), level),
    )
    return Outlook(
        model=PUBLISHED.name,
        level=level,
        months=tuple(str(month) for month in months_after(wanted, horizon)),
        dimensions=leaves.dimensions,
        series=published[-1],
        scores=scores,
        upper=tuple(each for rows in published[:-1] for each in rows),
        card=card_of(hierarchy, outcome, horizon, scores),
    )


def backtest_all(panel: Panel, horizon: int = HORIZON, level: int = LEVEL) -> Sequence[Backtest]:
    """The backtest of the two baselines on the series of a panel that have no gap; on all if each has one.

    Raises:
        InvalidInput: As of ``look_ahead``.
        Unavailable: ``not-enough-history``.
    """
    _check(single_level(panel))
    whole = np.asarray(np.isfinite(panel.figures).all(axis=1))
    filled = panel.showing(without_gaps(panel.figures))
    scored = filled.rows(whole) if whole.any() else filled
    return [backtest(model, scored, horizon, level) for model in BASELINES]


def _through(hierarchy: Hierarchy, until: pd.Period | None) -> Hierarchy:
    """The hierarchy up to a month; what nobody told at its end is missing, never silently left out."""
    months = hierarchy.levels[-1].months
    if until is None or until <= months[-1]:
        return hierarchy
    wanted = pd.period_range(months[0], until, freq=months.freq)
    if len(wanted) - len(months) > hierarchy.levels[-1].season:
        raise InvalidInput("release-not-a-series", why=f"nothing was released after {months[-1]}, more than a year ago")
    panels = [
        Panel(panel.counts.reindex(columns=wanted), panel.noise_variance, panel.variances) for panel in hierarchy.levels
    ]
    return Hierarchy(tuple(panels), hierarchy.of_leaf)


def _check(hierarchy: Hierarchy) -> None:
    leaves = hierarchy.levels[-1]
    if not len(leaves.counts):
        raise InvalidInput("release-not-a-series", why="it has no series")
    if len(leaves.months) < 2 * leaves.season:
        code = "not-enough-history" if leaves.season == MONTHS_A_YEAR else "not-enough-weeks"
        needed = SHORTEST if leaves.season == MONTHS_A_YEAR else 2 * leaves.season
        raise Unavailable(code, needed=needed, given=len(leaves.months))
    for panel in hierarchy.levels:
        silent = ~np.isfinite(panel.figures).any(axis=1)
        if bool(silent.any()):
            who = " ".join(panel.labels()[int(silent.argmax())].values())
            raise InvalidInput("release-not-a-series", why=f"{who} has no figure in any month")


def _published(
    hierarchy: Hierarchy, outcome: Outcome, flags: Sequence[Sequence[tuple[str, ...]]], level: int
) -> list[tuple[ForecastSeries, ...]]:
    """The series of each level as published: leaves are rounded, and what is above them is the sum of the rounded."""
    horizon = outcome.mean[0].shape[1]
    means = hierarchy.sums(np.round(outcome.mean[-1], DECIMALS))
    tails = [tail for each in (level, *BANDS) for tail in (0.5 - each / 200, 0.5 + each / 200)]
    found = []
    for panel, mean, quantiles, told in zip(hierarchy.levels, means, outcome.quantiles(tails), flags, strict=True):
        usual = SeasonalBaseline().predict(panel, horizon).mean
        low, high = np.minimum(quantiles[..., 0::2], mean[..., None]), np.maximum(quantiles[..., 1::2], mean[..., None])
        found.append(
            tuple(
                _series(labels, (mean[row], usual[row]), (low[row], high[row]), told[row])
                for row, labels in enumerate(panel.labels())
            )
        )
    return found


def _series(
    labels: dict[str, str], mid: tuple[Floats, Floats], ends: tuple[Floats, Floats], flags: tuple[str, ...]
) -> ForecastSeries:
    (mean, usual), (low, high) = mid, ends
    bands = tuple(
        Band(level=level, low=_row(low[:, place]), high=_row(high[:, place])) for place, level in enumerate(BANDS, 1)
    )
    return ForecastSeries(
        labels=labels,
        mean=_row(mean),
        low=_row(low[:, 0]),
        high=_row(high[:, 0]),
        usual=_row(usual),
        bands=bands,
        flags=flags,
    )


def _scores(hierarchy: Hierarchy, tried: Sequence[tuple[int, Outcome]], level: int) -> tuple[Score, ...]:
    """How the engine did: on the leaves, then on each coarser level."""
    last = len(hierarchy.levels) - 1
    return tuple(
        _score(hierarchy.levels[each], each, tried, level, _where(hierarchy, each)) for each in (last, *range(last))
    )


def _where(hierarchy: Hierarchy, level: int) -> str:
    """The name of a level: nothing for the leaves, else its labels."""
    return "" if level == len(hierarchy.levels) - 1 else " x ".join(hierarchy.levels[level].dimensions)


def _score(panel: Panel, place: int, tried: Sequence[tuple[int, Outcome]], level: int, where: str) -> Score:
    """How the engine did on one level, on the months that were told; coverage is that of the published intervals."""
    windows = [each for origin, outcome in tried if len((each := _window(panel, place, origin, outcome)).actual)]
    if not windows:
        return Score(model=PUBLISHED.name, mase=None, wape=None, coverage=None, where=where)
    scaled = np.concatenate([scaled_errors(each.actual, each.said.mean, each.scale) for each in windows])
    told = scaled[~np.isnan(scaled)]
    actual, mean = (np.concatenate(rows) for rows in zip(*((w.actual, w.said.mean) for w in windows), strict=True))
    return Score(
        model=PUBLISHED.name,
        mase=float(told.mean()) if len(told) else None,
        wape=wape(actual, mean),
        coverage=coverage_at(windows, level),
        where=where,
    )


def _window(panel: Panel, place: int, origin: int, outcome: Outcome) -> Window:
    """What was published at an origin and what came, of the series of which every month did."""
    said = outcome.predictive(place)
    came = panel.figures[:, origin : origin + said.mean.shape[1]]
    known = np.asarray(np.isfinite(came).all(axis=1), dtype=np.bool_)
    return Window(
        actual=came[known],
        said=said.rows(known),
        scale=seasonal_scale(without_gaps(panel.figures[:, :origin])[known], panel.season),
        noise=np.sqrt(panel.noise)[known],
    )


def _row(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, DECIMALS))
