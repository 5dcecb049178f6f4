"""How long the full pipeline takes: signed noisy figures of every level in, quantiles of every level out.

The counts are made up (``forecasting.synthetic_thai``), ten years of months. Drawing the noise is not counted: it
happens at the gateway, once a release (``benchmarks.privacy`` times it). Beside the seconds stand those of the
processors and the load before: on a machine with other work the seconds are not the program's alone.
"""

import os
import resource
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
    load = os.getloadavg()[0]
    timed = {
        "pipeline_1540": _timed("77 x 20", _pipeline(engine, provinces)),
        "pipeline_29680": _timed("1,484 x 20", _pipeline(engine, stations)),
        "backtest_1540_12_origins": _timed("backtest of 77 x 20", _backtest(engine, provinces)),
    }
    seconds = {f"{name}_seconds": wall for name, (wall, _) in timed.items()}
    processors = {f"{name}_cpu_seconds": spent for name, (_, spent) in timed.items()}
    return {**seconds, **processors, "load_before": load}


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


def _timed(name: str, work: Callable[[], object]) -> tuple[float, float]:
    """Wall seconds, and those of the processors, of this process and those that it started and that ended."""
    started, spent = time.perf_counter(), _processors()
    work()
    seconds, used = time.perf_counter() - started, _processors() - spent
    print(f"{name}: {seconds:.1f} s, {used:.1f} s of processors", file=sys.stderr, flush=True)
    return seconds, used


def _processors() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))
