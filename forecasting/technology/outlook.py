"""What is coming: complaints and damage of each type of case, by the engine, from released months.

Damage is a sum of baht, not a count. It is forecast in units of its type's mean damage of a complaint, in which a sum
of independent complaints varies about as a count does; its intervals are normal, not negative binomial, and cut at
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.forecast import Score
from forecasting.cells import ESTIMATE, SIGMA, CellTable
from forecasting.engine import EngineSettings, Outcome, rolling
from forecasting.evaluation import Window, coverage_at, score_level
from forecasting.hierarchy import single_level
from forecasting.panel import MONTH, Floats, Panel, months_after, panel_of_table, with_cell_noise
from forecasting.predictive import ClippedNormal, Predictive
from forecasting.scores import seasonal_scale
from forecasting.seasons import SHORTEST, YEAR

STEP = 6
MOST_ORIGINS = 3
NOISES = 2.0


@dataclass(frozen=True, eq=False)
class Coming:
    """A forecast: arrays of series x horizon, in the figures' own unit.

    ``noisy`` names the series whose last year is below two noise standard deviations.
    """

    labels: tuple[str, ...]
    months: tuple[str, ...]
    mean: Floats
    low: Floats
    high: Floats
    noisy: tuple[str, ...]
    score: Score
    seen: tuple[str, str]


def panel_by(table: CellTable, label: str) -> Panel:
    """The panel of one label's months.

    Raises:
        InvalidInput: ``release-not-a-series``, when a month is missing.
    """
    figures = panel_of_table(table.frame[[label, MONTH, ESTIMATE]], ESTIMATE, float(table.frame[SIGMA].max()))
    return with_cell_noise(figures, panel_of_table(table.frame[[label, MONTH, SIGMA]], SIGMA, 0.0).figures)


def coming_counts(panel: Panel, horizon: int, level: int) -> Coming:
    """Forecast counts, with negative-binomial intervals.

    Args:
        panel: At least 24 months.
        horizon: Months ahead.
        level: Of the intervals, in per cent.

    Raises:
        Unavailable: ``not-enough-history``.
    """
    outcomes, origins = _outcomes(panel, horizon)
    tail = 0.5 - level / 200
    quantiles = outcomes[-1].quantiles([tail, 1.0 - tail])[0]
    mean = outcomes[-1].mean[0]
    low, high = np.minimum(quantiles[..., 0], mean), np.maximum(quantiles[..., 1], mean)
    said = [each.predictive(0) for each in outcomes[:-1]]
    return _coming(panel, (mean, low, high), _score(panel, said, origins, level), horizon)


def coming_amounts(panel: Panel, cases: Panel, horizon: int, level: int) -> Coming:
    """Forecast sums of an amount, with normal intervals.

    Args:
        panel: The sums: at least 24 months.
        cases: The counts of the same series and months; they give each series its unit.
        horizon: Months ahead.
        level: Of the intervals, in per cent.

    Raises:
        Unavailable: ``not-enough-history``.
    """
    units = _units(panel, cases)
    scaled = _scaled(panel, units)
    outcomes, origins = _outcomes(scaled, horizon)
    said = [ClippedNormal(each.centre[0], np.sqrt(each.variance(0)), each.mean[0]) for each in outcomes]
    tail = 0.5 - level / 200
    ends, mean = said[-1].quantiles([tail, 1.0 - tail]) * units[..., None], said[-1].mean * units
    low, high = np.minimum(ends[..., 0], mean), np.maximum(ends[..., 1], mean)
    return _coming(panel, (mean, low, high), _score(scaled, said[:-1], origins, level), horizon)


def _outcomes(panel: Panel, horizon: int) -> tuple[list[Outcome], list[int]]:
    """The forecasts of past origins, and last the one of today; and the origins that were scored."""
    today = len(panel.months)
    origins = [today - horizon - STEP * number for number in range(MOST_ORIGINS)]
    scored = sorted(each for each in origins if each >= SHORTEST)
    return rolling(single_level(panel), horizon, [*scored, today], EngineSettings()), scored


def _score(panel: Panel, said: Sequence[Predictive], origins: Sequence[int], level: int) -> Score:
    """How the engine did on months that it had not seen; coverage is that of the published intervals."""
    if not origins:
        return Score(model="engine", mase=None, wape=None, coverage=None)
    windows = [
        Window(
            actual=panel.figures[:, origin : origin + each.mean.shape[1]],
            said=each,
            scale=seasonal_scale(panel.figures[:, :origin], YEAR),
            noise=np.sqrt(panel.noise),
        )
        for origin, each in zip(origins, said, strict=True)
    ]
    line = score_level(("engine", "case_type"), windows)
    return Score(
        model="engine",
        mase=line.mase,
        wape=line.wape,
        coverage=coverage_at(windows, level),
        scaled_crps=line.scaled_crps,
        where="case_type",
    )


def _coming(panel: Panel, figures: tuple[Floats, Floats, Floats], score: Score, horizon: int) -> Coming:
    labels = tuple("/".join(each.values()) for each in panel.labels())
    year = panel.figures[:, -YEAR:].mean(axis=1)
    quiet = year < NOISES * np.sqrt(panel.noise[:, 0])
    return Coming(
        labels=labels,
        months=tuple(str(month) for month in months_after(panel.months, horizon)),
        mean=figures[0],
        low=figures[1],
        high=figures[2],
        noisy=tuple(label for label, each in zip(labels, quiet, strict=True) if each),
        score=score,
        seen=(str(panel.months[0]), str(panel.months[-1])),
    )


def _units(panel: Panel, cases: Panel) -> Floats:
    """The mean amount of a case of each series; where noise hides it, that of all series: series x 1."""
    amounts, counts = panel.figures.sum(axis=1), cases.counts.loc[panel.counts.index].to_numpy().sum(axis=1)
    together = max(float(amounts.sum()) / max(float(counts.sum()), 1.0), 1.0)
    noise = np.sqrt(panel.noise[:, 0] * panel.figures.shape[1])
    clear = (amounts > NOISES * noise) & (amounts > 0) & (counts > 1)
    return np.where(clear, amounts / np.where(clear, counts, 1.0), together)[:, None]


def _scaled(panel: Panel, units: Floats) -> Panel:
    counts = pd.DataFrame(panel.figures / units, index=panel.counts.index, columns=panel.counts.columns)
    variances = (panel.noise / units**2)[:, 0]
    return Panel(counts, float(variances.max()), tuple(variances.tolist()))
