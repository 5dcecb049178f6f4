"""How long the full pipeline takes: signed noisy figures of every level in, quantiles of every level out.

The counts are made up (``forecasting.synthetic_thai``), ten years of months. Drawing the noise is not counted: it
happens at the gateway, once a release (``benchmarks.privacy`` times it).
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from forecasting.consistent import consistent
from forecasting.engine import EngineSettings
from forecasting.engine_trial import EngineTrial
from forecasting.evaluation import last_origins, score
from forecasting.hierarchy import Hierarchy
from forecasting.noise_trials import nano_rho_of, protected, released, sigma_of
from forecasting.scores import DECILES
from forecasting.synthetic_thai import LEVELS, Made, thai_set
from privacy.mechanisms import draw_gaussian

PROVINCES = Made(provinces=77, offences=20, months=120)
STATIONS = Made(provinces=77, offences=20, months=120, mean=0.5, stations=1_484)
"""Half a case a month: a Thai station has 7.6 cases of groups 1 to 3 in a month."""

HORIZON = 12
ORIGINS = 12
BACKTEST_HORIZON = 6
SEED = 7
EPSILON = 1.0
YEAR = 12


def speed_figures(processes: int) -> dict[str, float]:
    """Seconds of the pipeline on 1,540 and 29,680 series, and of a backtest of the 1,540 at twelve origins.

    Args:
        processes: That the engine may use.
    """
    engine = EngineTrial(EngineSettings(processes=processes))
    engine.rolling(thai_set(np.random.default_rng(SEED), Made(5, 2, 48)), 1, [48])  # libraries are loaded once
    provinces = thai_set(np.random.default_rng(SEED), PROVINCES)
    stations = thai_set(np.random.default_rng(SEED), STATIONS)
    return {
        "pipeline_1540_seconds": _timed("77 x 20", _pipeline(engine, provinces)),
        "pipeline_29680_seconds": _timed("1,484 x 20", _pipeline(engine, stations)),
        "backtest_1540_12_origins_seconds": _timed("backtest of 77 x 20", _backtest(engine, provinces)),
    }


def _pipeline(engine: EngineTrial, exact: Hierarchy) -> Callable[[], object]:
    noisy = released(exact, sigma_of(nano_rho_of(EPSILON), len(exact.levels)), draw_gaussian)

    def run() -> object:
        said = engine.rolling(consistent(noisy), HORIZON, [len(noisy.levels[-1].months)])
        return [each.quantiles(DECILES) for each in said[0]]

    return run


def _backtest(engine: EngineTrial, exact: Hierarchy) -> Callable[[], object]:
    given = protected(exact, sigma_of(nano_rho_of(EPSILON), len(exact.levels)), draw_gaussian)
    origins = last_origins(len(exact.levels[-1].months), BACKTEST_HORIZON, ORIGINS)
    return lambda: score(engine, given, exact, LEVELS, (BACKTEST_HORIZON, origins, YEAR))


def _timed(name: str, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    print(f"{name}: {seconds:.1f} s", file=sys.stderr, flush=True)
    return seconds
