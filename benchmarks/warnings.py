"""How many false alarms a year the warnings raise: ``./run bench warnings [--json] [--runs N] [--seed N]``.

Made-up countries of 261 areas in which nothing happens: negative-binomial counts of 5 to 300 cases a month with the
shape of a year, and the noise of a release on top. They pass through the control charts that ``saphan forecast
warnings`` draws, at the rate of 1 false alarm a year that it ships with, so every alarm is false. Each country has 60
months, of which two years can be judged. Six settings change one thing each, the last one several. Every setting starts
from the same seed. The standard error is that of independent events; with no alarm it is that of one.
"""

import argparse
from collections.abc import Mapping

import numpy as np

from benchmarks.report import print_report
from forecasting.warnings.expected import PooledLevel
from forecasting.warnings.limits import Watch
from forecasting.warnings.simulation import World, false_alarms

RUNS, SEED = 8, 1
WORLDS: Mapping[str, World] = {
    "levels_stay": World(),
    "exact_poisson": World(dispersion=0.0, sigma=0.0),
    "dispersion_0.1": World(dispersion=0.1),
    "noise_20": World(sigma=20.0),
    "drift_0.03": World(drift=0.03),
    "large_wild_drifting": World(smallest=20.0, largest=600.0, dispersion=0.1, drift=0.03),
}


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=RUNS, help="Countries of each setting.")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    watch, years, figures = Watch(), 0.0, {"runs": float(given.runs)}
    for name, world in WORLDS.items():
        found = false_alarms(np.random.default_rng(given.seed), PooledLevel(), watch, world, given.runs)
        figures |= {f"{name}_a_year": found.a_year, f"{name}_error": found.standard_error}
        years = found.years
    figures |= {"years": years, "stated_a_year": watch.rate}
    print_report("warnings", figures, {}, as_json=given.json)


if __name__ == "__main__":
    main()
