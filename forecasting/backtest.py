"""Rolling origin: forecast from an earlier day, compare with what came, move the day, again.

What a model is compared with are released figures, with their noise: errors are a little larger than against the exact
counts that nobody has, for every model alike. The interval is widened by that noise before coverage is counted. An
interval at one origin is made from errors that were known on that day, never from later ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.forecast import Score
from forecasting.intervals import Errors, dispersion_of, released_interval, variance_of
from forecasting.models.prediction import Model, Prediction
from forecasting.panel import Floats, Panel
from forecasting.scores import coverage, mase, wape
from forecasting.seasons import SHORTEST, YEAR

STEP = 6
FEWEST_SEEN = 3 * YEAR
MOST_ORIGINS = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """One forecast from the past: ``origin`` months were seen; ``actual`` is what was released of the next ones."""

    origin: int
    prediction: Prediction
    actual: Floats


@dataclass(frozen=True, slots=True)
class Backtest:
    """All trials of one model, and how it did. ``dispersion`` has one figure for each series, none without a trial."""

    score: Score
    trials: tuple[Trial, ...]
    dispersion: Floats | None


def origins(months: int, horizon: int) -> tuple[int, ...]:
    """How many months are seen at each origin, earliest first: half a year apart, if possible after three years."""
    last = months - horizon
    fewest = FEWEST_SEEN if last >= FEWEST_SEEN else SHORTEST
    found = range(last, fewest - 1, -STEP)
    return tuple(reversed(tuple(found)[:MOST_ORIGINS]))


def backtest(model: Model, panel: Panel, horizon: int, level: int) -> Backtest:
    """Score a model on a panel.

    Args:
        model: The model.
        panel: At least 24 months and a horizon, or there is no trial and every figure of the score is none.
        horizon: Months ahead.
        level: Of the intervals whose coverage is counted, in per cent.
    """
    trials = tuple(_trial(model, panel, origin, horizon) for origin in origins(len(panel.months), horizon))
    return Backtest(_score(model.name, trials, panel, level), trials, dispersion_at(trials, panel, len(panel.months)))


def dispersion_at(trials: Sequence[Trial], panel: Panel, today: int) -> Floats | None:
    """Each series' dispersion as it could be known once ``today`` months had been released, pooled over areas."""
    known = [(trial, today - trial.origin) for trial in trials if trial.origin < today]
    if not known:
        return None
    found = np.empty(len(panel.figures))
    for pool in np.unique(panel.pools):
        members = panel.pools == pool
        found[members] = dispersion_of(_errors(known, members, panel.noise))
    return found


def _errors(known: Sequence[tuple[Trial, int]], members: Floats, noise: Floats) -> Errors:
    def gather(arrays: list[Floats]) -> Floats:
        return np.concatenate([array[members, :seen].ravel() for array, (_, seen) in zip(arrays, known, strict=True)])

    return Errors(
        error=gather([trial.actual - trial.prediction.mean for trial, _ in known]),
        mean=gather([trial.prediction.mean for trial, _ in known]),
        noise=gather([trial.prediction.noise + noise for trial, _ in known]),
    )


def _trial(model: Model, panel: Panel, origin: int, horizon: int) -> Trial:
    prediction = model.predict(panel.until(origin), horizon)
    return Trial(origin, prediction, panel.figures[:, origin : origin + horizon])


def _score(name: str, trials: Sequence[Trial], panel: Panel, level: int) -> Score:
    if not trials:
        return Score(model=name, mase=None, wape=None, coverage=None)
    actual = np.concatenate([trial.actual for trial in trials])
    mean = np.concatenate([trial.prediction.mean for trial in trials])
    scaled = [mase(each.actual, each.prediction.mean, panel.figures[:, : each.origin], panel.season) for each in trials]
    known = [each for each in scaled if each is not None]
    return Score(
        model=name,
        mase=sum(known) / len(known) if known else None,
        wape=wape(actual, mean),
        coverage=_coverage(trials, panel, level),
    )


def _coverage(trials: Sequence[Trial], panel: Panel, level: int) -> float:
    held = []
    for trial in trials:
        dispersion = dispersion_at(trials, panel, trial.origin)
        variance = variance_of(trial.prediction, dispersion, panel.noise) + panel.noise
        held.append(coverage(trial.actual, *released_interval(trial.prediction.mean, variance, level)))
    return sum(held) / len(held)
