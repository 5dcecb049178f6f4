"""`./run bench interventions`: how often an evaluation is right, on a seeded generator and on real series.

The generator (``benchmarks.interventions_generator``) has 500 areas, one of them dominant, with trends that differ. In
each of 2,000 runs 15 areas are treated, drawn with probability proportional to their volume, 36 months are seen and
the 12 after the start compared. The real series are the monthly offences of 126 police-station areas; a run takes four
years and the year after them, drawn from all of the years. Noise is that of epsilon 1 for a month, at delta 1e-6.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.interventions_generator import MONTHS_BEFORE, Generator
from benchmarks.interventions_real import FILE, STATE, RealAreas
from benchmarks.interventions_trial import Outcome, Trial, World, tried
from benchmarks.report import print_report

RUNS, SEED, TREATED = 2_000, 20_261_121, 15
DATA_IS_MISSING = 2
EFFECTS = {"null": 0.0, "minus5": -0.05, "minus15": -0.15}


def main() -> int:
    """Run it all and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="folder with state_monthly/counts.parquet")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.data is not None and not (given.data / FILE).is_file():
        print(f"There is no {FILE} in {given.data}: leave --data out to run the generator alone.", file=sys.stderr)
        return DATA_IS_MISSING
    print_report("interventions", figures(given.data, runs=given.runs, seed=given.seed), {}, as_json=given.json)
    return 0


def figures(data: Path | None, *, runs: int = RUNS, seed: int = SEED) -> dict[str, float]:
    """Null rejection, coverage and power: each of the generator, and of the state's areas if there is data.

    Args:
        data: The folder of the real sets; none to leave them out.
        runs: For each effect and noise.
        seed: The same seed gives the same figures.
    """
    worlds: dict[str, World] = {"generator": Generator()}
    if data is not None:
        worlds[STATE] = RealAreas.read(data)
    found: dict[str, float] = {"interventions_runs": float(runs), "interventions_months_before": float(MONTHS_BEFORE)}
    for name, world in worlds.items():
        for noise in (False, True):
            trial = Trial(tuple(EFFECTS.values()), runs, TREATED, world.noise if noise else 0.0)
            outcomes = tried(world, trial, np.random.default_rng([seed, int(noise)]))
            for (word, effect), outcome in zip(EFFECTS.items(), outcomes, strict=True):
                found |= _named(f"{name}{'_eps1' if noise else ''}", word, outcome, seen=bool(effect))
    return found


def _named(world: str, word: str, outcome: Outcome, *, seen: bool) -> dict[str, float]:
    return {
        f"{world}_{word}_{'power' if seen else 'rejected'}": outcome.noticed,
        f"{world}_{word}_coverage": outcome.covered,
        f"{world}_{word}_bias": outcome.bias,
        f"{world}_{word}_error": outcome.error,
        f"{world}_spread": outcome.spread,
    }


if __name__ == "__main__":
    raise SystemExit(main())
