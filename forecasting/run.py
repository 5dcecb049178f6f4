"""From released cells to a forecast. Read this first.

    released cells -> panel -> backtest of every model -> forecast -> intervals -> series

Nothing here knows where the cells come from or who signs the forecast: ``gateway.centre`` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import Unavailable
from contracts.forecast import ForecastSeries, Score
from forecasting.backtest import Backtest, backtest
from forecasting.intervals import count_interval, variance_of
from forecasting.models.ets import AutoETS
from forecasting.models.prediction import Model
from forecasting.models.seasonal import SeasonalBaseline, SeasonalNaive
from forecasting.panel import Floats, Panel, months_after
from forecasting.seasons import SHORTEST

HORIZON = 12
LEVEL = 90
BASELINES: tuple[Model, ...] = (SeasonalNaive(), SeasonalBaseline())
PUBLISHED: Model = AutoETS()


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast of every series of a panel: what ``contracts.forecast.Forecast`` carries besides its provenance.

    Attributes:
        model: The name of the model that made it.
        level: The intervals hold the coming count so many times in 100.
        months: The coming months, ``YYYY-MM``.
        dimensions: The names of the labels.
        series: One for each row of the panel, in its order.
        scores: Of every model, the published one last.
    """

    model: str
    level: int
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[ForecastSeries, ...]
    scores: tuple[Score, ...]


def look_ahead(panel: Panel, horizon: int = HORIZON, level: int = LEVEL) -> Outlook:
    """Forecast a panel.

    Args:
        panel: Signed noisy counts; at least 24 months.
        horizon: Months to forecast, 1 or more.
        level: Of the intervals, in per cent.

    Raises:
        Unavailable: ``not-enough-history``.
    """
    _check_history(panel)
    tested = backtest_all(panel, horizon, level)
    prediction = PUBLISHED.predict(panel, horizon)
    variance = variance_of(prediction, tested[-1].dispersion, panel.noise)
    low, high = count_interval(prediction.mean, variance, level)
    usual = SeasonalBaseline().predict(panel, horizon).mean
    return Outlook(
        model=PUBLISHED.name,
        level=level,
        months=tuple(str(month) for month in months_after(panel.months, horizon)),
        dimensions=panel.dimensions,
        series=tuple(
            ForecastSeries(labels=labels, mean=_row(m), low=_row(lo), high=_row(hi), usual=_row(us))
            for labels, m, lo, hi, us in zip(panel.labels(), prediction.mean, low, high, usual, strict=True)
        ),
        scores=tuple(each.score for each in tested),
    )


def backtest_all(panel: Panel, horizon: int = HORIZON, level: int = LEVEL) -> Sequence[Backtest]:
    """The backtest of every model, the published one last.

    Raises:
        Unavailable: ``not-enough-history``.
    """
    _check_history(panel)
    return [backtest(model, panel, horizon, level) for model in (*BASELINES, PUBLISHED)]


def _check_history(panel: Panel) -> None:
    if len(panel.months) < SHORTEST:
        raise Unavailable("not-enough-history", needed=SHORTEST, given=len(panel.months))


def _row(values: Floats) -> tuple[float, ...]:
    """One series as published: a hundredth of a case is finer than any error here."""
    return tuple(float(value) for value in np.round(values, 2))
