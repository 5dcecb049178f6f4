"""A backtest's table: how each model did on each level of a hierarchy, on periods that it had not seen.

Scores against exact counts are the classical ones. Against released figures the known noise in the figure compared with
is accounted for: the predictive distribution gets the noise on top before its coverage and its CRPS are read, and the
WAPE that a perfect forecast would have, for the noise alone, stands beside the WAPE.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecasting.hierarchy import Hierarchy
from forecasting.panel import Floats, Panel
from forecasting.predictive import Predictive, Released
from forecasting.scores import (
    DECILES,
    coherence_error,
    crps_sum,
    pit_coverage,
    poisson_deviance,
    scaled_errors,
    seasonal_scale,
)

NOISE_ERROR = math.sqrt(2 / math.pi)
"""Mean absolute value of a standard normal variable."""


class Forecaster(Protocol):
    """A way to forecast every level of a hierarchy at every origin of a backtest."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    def rolling(self, hierarchy: Hierarchy, horizon: int, origins: Sequence[int]) -> Sequence[Sequence[Predictive]]:
        """What it would have said: for each origin, for each level.

        Args:
            hierarchy: Released or exact figures. At an origin, only its first so many periods are known.
            horizon: Periods ahead.
            origins: Numbers of periods seen, ascending.
        """
        ...


@dataclass(frozen=True, slots=True)
class LevelScore:
    """One line of the table: a model on a level, over all series, origins and periods ahead.

    Attributes:
        model: Its name.
        level: The level's name.
        series: How many series the level has.
        mase: In errors of the seasonal naive in each series' own past; None if no series ever moved.
        wape: Sum of absolute errors over the sum of the counts; None if the sum is not positive.
        scaled_crps: CRPS (of nine deciles) over the sum of the counts; None as the WAPE.
        coverage80: Share of the counts in the central 80 % by randomised PIT, 0 to 1.
        coverage95: The same of 95 %.
        deviance: Mean Poisson deviance; None against released figures, which may be negative.
        noise_wape: The WAPE of a perfect forecast, because of the noise in the figures compared with; 0 if exact.
        coherence: The largest difference to the sum of the leaves, over all levels, in cases; None of one that leaves
            levels as they are.
    """

    model: str
    level: str
    series: int
    mase: float | None
    wape: float | None
    scaled_crps: float | None
    coverage80: float | None
    coverage95: float | None
    deviance: float | None
    noise_wape: float = 0.0
    coherence: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What is compared at one origin of one level: arrays of series x horizon, and the past as series x periods."""

    actual: Floats
    said: Predictive
    scale: Floats
    noise: Floats


def last_origins(periods: int, horizon: int, count: int) -> tuple[int, ...]:
    """Numbers of periods seen at each origin, ascending: windows that touch each other, the last one at the end."""
    return tuple(periods - horizon * (count - number) for number in range(count))


def score(
    forecaster: Forecaster,
    given: Hierarchy,
    truth: Hierarchy,
    names: Sequence[str],
    window: tuple[int, Sequence[int], int],
) -> tuple[LevelScore, ...]:
    """Score a model on every level.

    Args:
        forecaster: The model.
        given: What the model sees: exact or protected figures.
        truth: What it is compared with: exact counts, or the released figures, with the noise known to be in them.
        names: Of the levels.
        window: Periods ahead, origins (``last_origins``) and periods of a season.
    """
    horizon, origins, season = window
    said = forecaster.rolling(given, horizon, origins)
    error = max(coherence_error([each.mean for each in levels], truth.sums(levels[-1].mean)) for levels in said)
    return tuple(
        score_level(
            (forecaster.name, name),
            [
                _window(panel, levels[number], origin, horizon, season)
                for origin, levels in zip(origins, said, strict=True)
            ],
            error,
        )
        for number, (panel, name) in enumerate(zip(truth.levels, names, strict=True))
    )


def _window(panel: Panel, said: Predictive, origin: int, horizon: int, season: int) -> Window:
    return Window(
        actual=panel.figures[:, origin : origin + horizon],
        said=said,
        scale=seasonal_scale(panel.figures[:, :origin], season),
        noise=np.sqrt(panel.noise),
    )


def score_level(named: tuple[str, str], windows: Sequence[Window], coherence: float | None = None) -> LevelScore:
    """The line of a model on a level (``named``) from its windows, at least one."""
    actual = np.concatenate([each.actual for each in windows])
    mean = np.concatenate([each.said.mean for each in windows])
    compared = _compared(windows)
    exact = not any(isinstance(each, Released) for each in compared)
    before, upto = _transforms(windows, compared)
    total = float(actual.sum())
    scaled = np.concatenate([scaled_errors(each.actual, each.said.mean, each.scale) for each in windows])
    known = scaled[~np.isnan(scaled)]
    noise = sum(float(each.noise.sum()) * each.actual.shape[1] for each in windows)
    return LevelScore(
        model=named[0],
        level=named[1],
        series=len(windows[0].actual),
        mase=float(known.mean()) if len(known) else None,
        wape=float(np.abs(actual - mean).sum()) / total if total > 0 else None,
        scaled_crps=_crps(windows, compared) / total if total > 0 else None,
        coverage80=float(pit_coverage(before, upto, 0.80).mean()),
        coverage95=float(pit_coverage(before, upto, 0.95).mean()),
        deviance=poisson_deviance(actual, mean) if exact else None,
        noise_wape=NOISE_ERROR * noise / total if total > 0 else 0.0,
        coherence=coherence,
    )


def coverage_at(windows: Sequence[Window], level: int) -> float:
    """Share of what came in the central intervals of ``level`` per cent by randomised PIT, 0 to 1.

    Args:
        windows: At least one; the known noise of the figures compared with is put on top of the counts forecast.
        level: Of the intervals, in per cent.
    """
    before, upto = _transforms(windows, _compared(windows))
    return float(pit_coverage(before, upto, level / 100).mean())


def _compared(windows: Sequence[Window]) -> list[Predictive]:
    """What was said of the figures that the windows compare with."""
    return [Released(each.said, each.noise) if bool((each.noise > 0).any()) else each.said for each in windows]


def _crps(windows: Sequence[Window], compared: Sequence[Predictive]) -> float:
    return sum(
        crps_sum(each.actual, said.quantiles(DECILES), DECILES) for each, said in zip(windows, compared, strict=True)
    )


def _transforms(windows: Sequence[Window], compared: Sequence[Predictive]) -> tuple[Floats, Floats]:
    """P(X < y) and P(X <= y) of everything that came."""
    upto = [said.upto(each.actual) for each, said in zip(windows, compared, strict=True)]
    before = [
        known if isinstance(said, Released) else said.before(each.actual)
        for known, each, said in zip(upto, windows, compared, strict=True)
    ]
    return np.concatenate(before), np.concatenate(upto)
