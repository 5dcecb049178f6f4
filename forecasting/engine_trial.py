"""The engine as one of the models of a backtest."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from forecasting.engine import EngineSettings, Outcome, rolling
from forecasting.hierarchy import Hierarchy
from forecasting.intervals import SMALLEST_MEAN
from forecasting.predictive import NegativeBinomial, Predictive

ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class EngineTrial:
    """``forecasting.engine`` with its settings; its counts are negative binomial."""

    settings: EngineSettings = field(default_factory=EngineSettings)
    name: str = ENGINE

    def rolling(self, hierarchy: Hierarchy, horizon: int, origins: Sequence[int]) -> list[list[Predictive]]:
        """See ``forecasting.evaluation.Forecaster``."""
        return [_predictive(outcome) for outcome in rolling(hierarchy, horizon, origins, self.settings)]


def _predictive(outcome: Outcome) -> list[Predictive]:
    return [
        NegativeBinomial(mean, mean.clip(SMALLEST_MEAN) + dispersion * mean.clip(SMALLEST_MEAN) ** 2, centre)
        for mean, dispersion, centre in zip(outcome.mean, outcome.dispersion, outcome.centre, strict=True)
    ]
