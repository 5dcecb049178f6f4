"""statsforecast's own AutoETS, each series its own season and form: ``--slow`` alone, for it takes minutes.

Only the level that targets are about: of all levels of the state set it would be an hour.
"""

from importlib import import_module
from statistics import NormalDist

import numpy as np

from benchmarks.forecast_sets import TrialSet
from forecasting.evaluation import LevelScore, Window, score_level
from forecasting.panel import Floats
from forecasting.predictive import ClippedNormal
from forecasting.scores import seasonal_scale

NAME = "autoets-full"
LEVEL = 80
HALF_WIDTHS = NormalDist().inv_cdf(0.5 + LEVEL / 200)


def full_autoets(trial: TrialSet) -> LevelScore:
    """AutoETS on every series of the target level at every origin, with its native intervals."""
    horizon, origins, season = trial.window
    panel = trial.truth.levels[trial.levels.index(trial.target)]
    windows = []
    for origin in origins:
        past = panel.figures[:, :origin]
        windows.append(
            Window(
                actual=panel.figures[:, origin : origin + horizon],
                said=_predicted(past, horizon, season),
                scale=seasonal_scale(past, season),
                noise=np.zeros((len(past), 1)),
            )
        )
    return score_level((NAME, trial.target), windows)


def _predicted(past: Floats, horizon: int, season: int) -> ClippedNormal:
    model = import_module("statsforecast.models").AutoETS(season_length=season)
    ahead = [model.forecast(y=series, h=horizon, level=[LEVEL]) for series in past]
    mean = np.array([each["mean"] for each in ahead])
    high = np.array([each[f"hi-{LEVEL}"] for each in ahead])
    return ClippedNormal(mean, np.maximum(high - mean, 0.0) / HALF_WIDTHS)
