"""One job of ``benchmarks.forecast``: a set, exact or protected once, forecast by the engine and beside yardsticks.

Jobs are told by names and numbers alone, so that they run in processes of their own. Each loads its set anew and draws
its own noise from the operating system: three runs are three independent draws, not three seeds.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from benchmarks.forecast_sets import TrialSet, city_set, city_week_set, state_set, thai_trial
from forecasting.engine_trial import EngineTrial
from forecasting.evaluation import Forecaster, LevelScore, score
from forecasting.noise_trials import DELTA, month_price_of_year, nano_rho_of, protected, sigma_of
from forecasting.yardsticks import EtsYardstick, NaiveYardstick, floor
from privacy.mechanisms import draw_gaussian, epsilon_of

FROM_DATA: Mapping[str, Callable[[Path], TrialSet]] = {
    "state": state_set,
    "city": city_set,
    "city_week": city_week_set,
}
THAI = "thai"
RAW = "raw"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Noise:
    """How a set is protected: ``epsilon`` for one period or, if ``year``, for a person's whole year; 0 is exact."""

    epsilon: float = 0.0
    year: bool = False

    @property
    def name(self) -> str:
        """As figures call it: ``raw``, ``eps1``, ``eps0_5``, ``year2``."""
        return ("year" if self.year else "eps") + f"{self.epsilon:g}".replace(".", "_") if self.epsilon else RAW

    @property
    def month_epsilon(self) -> float:
        """The epsilon of one period."""
        return epsilon_of(self.nano_rho, DELTA)

    @property
    def nano_rho(self) -> int:
        """The zCDP price of one period, over all levels."""
        return month_price_of_year(self.epsilon) if self.year else nano_rho_of(self.epsilon)


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does at a time. ``data`` is the folder of real sets, none for the made-up one."""

    set_name: str
    data: Path | None
    noise: Noise
    run: int
    slow: bool = False

    @property
    def name(self) -> str:
        """For whoever watches."""
        return f"{self.set_name} {self.noise.name} run {self.run + 1}"


@dataclass(frozen=True, slots=True)
class Done:
    """The lines of a job, and its wall seconds."""

    job: Job
    scores: tuple[LevelScore, ...]
    seconds: float


def run_all(jobs: Sequence[Job], processes: int) -> list[Done]:
    """Run every job, ``processes`` at a time; each says on standard error when it is done."""
    found = []
    for number, done in enumerate(_results(jobs, processes), start=1):
        print(f"[{number}/{len(jobs)}] {done.job.name}: {done.seconds:.0f} s", file=sys.stderr, flush=True)
        found.append(done)
    return found


def _results(jobs: Sequence[Job], processes: int) -> Iterator[Done]:
    if processes == 1:
        yield from map(run_job, jobs)
        return
    # One thread a process: libraries that each start a thread for every core would stand in each other's way.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for each in as_completed([pool.submit(run_job, job) for job in jobs]):
            yield each.result()


def run_job(job: Job) -> Done:
    """Protect, forecast and score one set."""
    started = time.perf_counter()
    trial = _load(job.set_name, job.data)
    given = trial.truth
    if job.noise.epsilon:
        given = protected(given, sigma_of(job.noise.nano_rho, len(given.levels)), draw_gaussian)
    scores = [
        line for model in _models(job, trial) for line in score(model, given, trial.truth, trial.levels, trial.window)
    ]
    if not job.noise.epsilon:
        scores.extend(floor(trial.truth, trial.levels, *trial.window))
    return Done(job, tuple(scores), time.perf_counter() - started)


def _models(job: Job, trial: TrialSet) -> list[Forecaster]:
    models: list[Forecaster] = [EngineTrial(), NaiveYardstick(trial.season)]
    exact = not job.noise.epsilon
    if exact and trial.name != "city_week":
        models.append(EtsYardstick())
    return models


@lru_cache(maxsize=1)
def _load(name: str, data: Path | None) -> TrialSet:
    if data is None or name == THAI:
        return thai_trial()
    return FROM_DATA[name](data)
