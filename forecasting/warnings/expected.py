"""What the next months were expected to be: the pooled-seasonal level filter, which knows the noise in what it sees.

The engine's other member, Theta, is left out: it gains a hundredth of the error on exact counts, costs a hundred times
the time, and a chart needs a forecast from every past month.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.models.level_filter import NAME, Seen, level_filter
from forecasting.models.prediction import Prediction
from forecasting.panel import Panel
from forecasting.seasons import YEAR, seasonal_factors


@dataclass(frozen=True, slots=True)
class PooledLevel:
    """The level filter as a model of panels."""

    name: str = NAME

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        """The last level of each series in the shape of the year; its noise is left to the chart, which learns it."""
        months = (panel.month_of_year[0] + np.arange(len(panel.months) + horizon)) % YEAR
        seen = Seen(panel.figures, panel.noise, seasonal_factors(panel)[:, months], panel.pools, YEAR)
        mean = np.maximum(level_filter(seen).mean, 0.0)
        return Prediction(mean, np.zeros(mean.shape))
