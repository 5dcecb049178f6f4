"""The engine as one of the models of a backtest."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from forecasting.engine import EngineSettings, rolling
from forecasting.hierarchy import Hierarchy
from forecasting.predictive import Predictive

ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class EngineTrial:
    """``forecasting.engine`` with its settings; its counts are negative binomial."""

    settings: EngineSettings = field(default_factory=EngineSettings)
    name: str = ENGINE

    def rolling(self, hierarchy: Hierarchy, horizon: int, origins: Sequence[int]) -> list[list[Predictive]]:
        """See ``forecasting.evaluation.Forecaster``."""
        return [
            [outcome.predictive(level) for level in range(len(outcome.mean))]
            for outcome in rolling(hierarchy, horizon, origins, self.settings)
        ]
