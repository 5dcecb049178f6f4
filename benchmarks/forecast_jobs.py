"""One job of ``benchmarks.forecast``: a set, exact or protected once, forecast by the engine and beside yardsticks.

Jobs are told by names and numbers alone, so that they run in processes of their own. Each loads its set anew and draws
its own noise from the operating system: three runs are three independent draws, not three seeds.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from benchmarks.forecast_autoets import full_autoets
from benchmarks.forecast_sets import TrialSet, city_set, city_week_set, state_set, thai_trial
from forecasting.engine_trial import EngineTrial
from forecasting.evaluation import Forecaster, LevelScore, score
from forecasting.noise_trials import DELTA, month_price_of_year, nano_rho_of, protected, sigma_of
from forecasting.seasons import YEAR
from forecasting.synthetic_thai import Made
from forecasting.yardsticks import EtsYardstick, NaiveYardstick, floor
from privacy.mechanisms import draw_gaussian, epsilon_of

FROM_DATA: Mapping[str, Callable[[Path], TrialSet]] = {
    "state": state_set,
    "city": city_set,
    "city_week": city_week_set,
}
THAI = "thai"
RAW, SLOW = "raw", "autoets-full"
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
    """What one process does at a time.

    Attributes:
        set_name: One of ``FROM_DATA``, or ``thai``.
        data: The folder of the real sets; none for the made-up one.
        noise: How it is protected.
        run: The number of the draw.
        made: What the made-up set is like.
        slow: statsforecast's own AutoETS, and nothing else.
    """

    set_name: str
    data: Path | None = None
    noise: Noise = Noise()
    run: int = 0
    made: Made = field(default_factory=Made)
    slow: bool = False

    @property
    def name(self) -> str:
        """For whoever watches."""
        return f"{self.set_name} {SLOW if self.slow else self.noise.name} run {self.run + 1}"


@dataclass(frozen=True, slots=True)
class Done:
    """The lines of a job, and its wall seconds."""

    job: Job
    scores: tuple[LevelScore, ...]
    seconds: float


def run_all(jobs: Sequence[Job], processes: int) -> list[Done]:
    """Run every job, ``processes`` at a time; each says on standard error when it is done. In the order of the jobs."""
    found = []
    for number, done in enumerate(_results(jobs, processes), start=1):
        print(f"[{number}/{len(jobs)}] {done.job.name}: {done.seconds:.0f} s", file=sys.stderr, flush=True)
        found.append(done)
    return sorted(found, key=lambda done: jobs.index(done.job))


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
    trial = _load(job)
    scores = [full_autoets(trial)] if job.slow else _scored(job.noise, trial)
    return Done(job, tuple(scores), time.perf_counter() - started)


def _scored(noise: Noise, trial: TrialSet) -> list[LevelScore]:
    given = trial.truth
    models: list[Forecaster] = [EngineTrial(), NaiveYardstick(trial.season)]
    if noise.epsilon:
        given = protected(given, sigma_of(noise.nano_rho, len(given.levels)), draw_gaussian)
    elif trial.season == YEAR:
        models.append(EtsYardstick())
    lines = [line for model in models for line in score(model, given, trial.truth, trial.levels, trial.window)]
    return lines if noise.epsilon else [*lines, *floor(trial.truth, trial.levels, *trial.window)]


def _load(job: Job) -> TrialSet:
    return thai_trial(job.made) if job.data is None or job.set_name == THAI else _loaded(job.set_name, job.data)


@lru_cache(maxsize=1)
def _loaded(name: str, data: Path) -> TrialSet:
    return FROM_DATA[name](data)
