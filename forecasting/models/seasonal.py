"""The two baselines that every other model has to beat."""

from dataclasses import dataclass

import numpy as np

from forecasting.models.prediction import Prediction
from forecasting.panel import Panel
from forecasting.seasons import YEAR, seasonal_factors

USUAL_MONTHS = 36


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """The same month of last year again."""

    name: str = "seasonal-naive"

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        """The newest twelve months, repeated; each carries the whole noise of one cell."""
        mean = panel.figures[:, -YEAR:][:, np.arange(horizon) % YEAR]
        return Prediction(np.maximum(mean, 0.0), np.tile(panel.noise, (1, horizon)))


@dataclass(frozen=True, slots=True)
class SeasonalBaseline:
    """What is usual: the level of the last three years, in the shape of the year."""

    name: str = "seasonal-baseline"

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        """The mean of the seasonally adjusted months, times the factor of each coming month."""
        recent = panel.latest(USUAL_MONTHS)
        factors = seasonal_factors(panel)
        coming = factors[:, (panel.month_of_year[-1] + 1 + np.arange(horizon)) % YEAR]
        weights = factors[:, recent.month_of_year]
        level = recent.figures.sum(axis=1) / weights.sum(axis=1)
        noise = panel.noise[:, 0] * weights.shape[1] / weights.sum(axis=1) ** 2
        return Prediction(np.maximum(level[:, None] * coming, 0.0), noise[:, None] * coming**2)
