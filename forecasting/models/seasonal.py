"""The two baselines that every other model has to beat."""

from dataclasses import dataclass

import numpy as np

from forecasting.models.prediction import Prediction
from forecasting.panel import Panel
from forecasting.seasons import factors_over, without_gaps

USUAL_YEARS = 3


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """The same month, or week, of last year again."""

    name: str = "seasonal-naive"

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        """The newest year, repeated; each carries the whole noise of one cell."""
        mean = without_gaps(panel.figures)[:, -panel.season :][:, np.arange(horizon) % panel.season]
        return Prediction(np.maximum(mean, 0.0), np.tile(panel.noise, (1, horizon)))


@dataclass(frozen=True, slots=True)
class SeasonalBaseline:
    """What is usual: the level of the last three years, in the shape of the year."""

    name: str = "seasonal-baseline"

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        """The mean of the seasonally adjusted months, times the factor of each coming month."""
        recent = panel.figures[:, -USUAL_YEARS * panel.season :]
        factors = factors_over(panel, horizon)
        past, coming = factors[:, :-horizon][:, -recent.shape[1] :], factors[:, -horizon:]
        known = np.isfinite(recent)
        weights = np.where(known, past, 0.0)
        level = np.where(known, recent, 0.0).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
        noise = panel.noise[:, 0] * known.sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0) ** 2
        return Prediction(np.maximum(level[:, None] * coming, 0.0), noise[:, None] * coming**2)
