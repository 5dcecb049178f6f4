"""DynamicOptimizedTheta of statsforecast: the one model that is fitted to each series alone.

Among the models of one series it was the best at a tenth of the time of AutoETS (see ``forecasting.engine``). It knows
nothing of the noise, so it serves only series that stand out of it.
"""

from collections.abc import Sequence
from importlib import import_module

import numpy as np
import pandas as pd

from forecasting.panel import Floats
from forecasting.spread import Spread, Workers

NAME = "dynamic-optimized-theta"
_COLUMN = "DynamicOptimizedTheta"


def theta(figures: Sequence[Floats], horizon: int, season: int, workers: Workers) -> Floats:
    """The coming months of each series, series x horizon; signed.

    Args:
        figures: One array of months for each series, without a gap; they may differ in length.
        horizon: Months ahead.
        season: Months of a year; 52 for weeks.
        workers: Who fits.
    """
    if not figures:
        return np.zeros((0, horizon))
    engine = _engine(season, workers)
    found = workers.gathered(engine.forecast(df=workers.given(_long(figures)), h=horizon))
    return _wide(found, len(figures), horizon)


def theta_past(figures: Floats, origins: Sequence[int], horizon: int, season: int, workers: Workers) -> list[Floats]:
    """The forecasts of the past, one array as of ``theta`` for each origin, fitted once.

    The weights come from the earliest origin and only the state moves on: nothing of a later month is used, and the
    cost is that of two fits however many origins there are.

    Args:
        figures: Series x months, without a gap.
        origins: Numbers of months seen, evenly spaced, earliest first.
        horizon: As of ``theta``.
        season: As of ``theta``.
        workers: Who fits; in this machine in any case.
    """
    if not len(figures):
        return [np.zeros((0, horizon)) for _ in origins]
    step = origins[1] - origins[0] if len(origins) > 1 else 1
    # What came after an origin is cut off before it is asked for: only the length of the test matters here.
    padded = np.pad(figures[:, : origins[-1]], ((0, 0), (0, horizon)))
    engine = _engine(season, Workers(processes=workers.processes if workers.spread is Spread.LOCAL else 1))
    found = engine.cross_validation(
        df=_long(list(padded)), h=horizon, step_size=step, n_windows=len(origins), refit=False
    )
    return [_wide(found[found["cutoff"] == origin - 1], len(figures), horizon) for origin in origins]


def _engine(season: int, workers: Workers):  # type: ignore[no-untyped-def]  # noqa: ANN202  # untyped package
    # Loaded here because the package takes seconds to load and most commands never forecast.
    model = import_module("statsforecast.models").DynamicOptimizedTheta(season_length=season)
    jobs = workers.processes if workers.spread is Spread.LOCAL else 1
    return import_module("statsforecast").StatsForecast(models=[model], freq=1, n_jobs=jobs)


def _long(figures: Sequence[Floats]) -> pd.DataFrame:
    lengths = [len(each) for each in figures]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(figures)), lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": np.concatenate(list(figures)),
        }
    )


def _wide(found: pd.DataFrame, series: int, horizon: int) -> Floats:
    ordered = found.sort_values(["unique_id", "ds"], kind="stable")
    return np.asarray(ordered[_COLUMN], dtype=np.float64).reshape(series, horizon)
