"""How often the intervals of rate ratios hold the truth: ``./run bench factors [--json] [--runs N]``.

A made country: overdispersed counts (negative binomial, dispersion 0.1) of areas x months, with an effect of each area
(standard deviation 0.3 of the log rate) and unequal exposure, at about 20 cases a cell. Three factors have the true
rate ratios 1.221 (a trait of areas), 1.162 (moves freely) and 1.350 (yes or no, in 3 of 10 cells). Each count gets the
noise of epsilon 1 a month, standard deviation 4.53. Beside it:

* the same intervals if the areas were forgotten (every cell alone), for the first factor;
* the ratio of a factor with noise of known size, corrected and not;
* a factor that is the same everywhere (one month of the year) while months move all areas together, with the error of
  months and with that of areas alone. Its true ratio is 1.

The Monte-Carlo error is printed with the shares: one standard error of a share of 95 % over so many runs.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

from benchmarks.report import print_report
from forecasting.factors.estimation import Cells, Family, Fit, fit, nationwide_variances, sandwich
from forecasting.panel import Floats

SIGMA = 4.53
TRUE = (1.221, 1.162, 1.350)
NAMES = ("area_trait", "moving", "yes_no")
NOISE = 0.7
SHOCK = 0.08
RUNS = 400


@dataclass(frozen=True, slots=True)
class Size:
    """Areas and months of a made country."""

    areas: int
    months: int


SMALL, LARGE = Size(77, 36), Size(500, 60)


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=RUNS, help="Runs of 77 areas; a quarter as many of 500.")
    given = parser.parse_args()
    rng = np.random.default_rng(2569)
    figures: dict[str, float] = {"runs": given.runs, "monte_carlo_error": float(np.sqrt(0.95 * 0.05 / given.runs))}
    for family in Family:
        figures |= _known_ratios(rng, SMALL, family, given.runs)
    figures |= _known_ratios(rng, LARGE, Family.NEGATIVE_BINOMIAL, max(given.runs // 4, 1))
    figures |= _noisy_factor(rng, given.runs) | _everywhere(rng, given.runs)
    print_report("factors", figures, {}, as_json=given.json)


def _known_ratios(rng: np.random.Generator, size: Size, family: Family, runs: int) -> dict[str, float]:
    name = f"{size.areas}_{family.value.replace('-', '_')}"
    truth = np.log(TRUE)
    found = np.empty((runs, len(TRUE)))
    held = np.zeros(len(TRUE))
    forgetful = 0.0
    quantile = float(student(size.areas - 1).ppf(0.975))
    for run in range(runs):
        cells = _made(rng, size)
        fitted = fit(cells, family)
        found[run] = fitted.coefficients[1:]
        error = np.abs(found[run] - truth)
        held += error <= quantile * np.sqrt(np.diag(fitted.covariance)[1:])
        alone = sandwich(fitted.scores, fitted.information, np.arange(len(cells.figures)))
        forgetful += float(error[0] <= quantile * np.sqrt(alone[1, 1]))
    mean, shares = np.exp(found.mean(axis=0)), held / runs
    return {
        **{f"{name}_ratio_{each}": float(mean[place]) for place, each in enumerate(NAMES)},
        **{f"{name}_coverage_{each}": float(shares[place]) for place, each in enumerate(NAMES)},
        f"{name}_coverage_area_trait_if_areas_forgotten": forgetful / runs,
    }


def _noisy_factor(rng: np.random.Generator, runs: int) -> dict[str, float]:
    """The moving factor, seen with noise of half its variance."""
    found = np.empty((runs, 2))
    held = 0.0
    quantile = float(student(SMALL.areas - 1).ppf(0.975))
    for run in range(runs):
        cells = _made(rng, SMALL)
        columns, noise = cells.columns.copy(), np.zeros(cells.columns.shape)
        columns[:, 2] += rng.normal(0.0, NOISE, len(columns))
        noise[:, 2] = NOISE**2
        seen = replace(cells, columns=columns)
        corrected = fit(replace(seen, column_noise=noise), Family.NEGATIVE_BINOMIAL)
        found[run] = corrected.coefficients[2], fit(seen, Family.NEGATIVE_BINOMIAL).coefficients[2]
        held += abs(found[run, 0] - np.log(TRUE[1])) <= quantile * np.sqrt(corrected.covariance[2, 2])
    ratios = np.exp(found.mean(axis=0))
    return {
        "noisy_factor_ratio_corrected": float(ratios[0]),
        "noisy_factor_ratio_overlooked": float(ratios[1]),
        "noisy_factor_coverage": held / runs,
    }


def _everywhere(rng: np.random.Generator, runs: int) -> dict[str, float]:
    """A month of the year, while each month moves all areas by a shock of its own."""
    month = (np.arange(SMALL.months) % 12 == 6).astype(np.float64)  # noqa: PLR2004  # April of years from October
    laws: Sequence[Callable[[Cells, Fit], tuple[float, float]]] = (_of_months, _of_areas)
    held = np.zeros(len(laws))
    for _ in range(runs):
        cells = _made(rng, SMALL, np.exp(rng.normal(0.0, SHOCK, SMALL.months)))
        columns = np.column_stack([cells.columns, (month - month.mean())[cells.periods]])
        seen = replace(cells, columns=columns, column_noise=np.zeros(columns.shape))
        fitted = fit(seen, Family.NEGATIVE_BINOMIAL)
        for place, law in enumerate(laws):
            variance, quantile = law(seen, fitted)
            held[place] += abs(fitted.coefficients[-1]) <= quantile * np.sqrt(variance)
    return {"nationwide_coverage": held[0] / runs, "nationwide_coverage_by_areas_alone": held[1] / runs}


def _of_months(cells: Cells, fitted: Fit) -> tuple[float, float]:
    column = cells.columns.shape[1] - 1
    return float(nationwide_variances(cells, fitted, [column])[0]), float(student(SMALL.months - 2).ppf(0.975))


def _of_areas(_: Cells, fitted: Fit) -> tuple[float, float]:
    return float(fitted.covariance[-1, -1]), float(student(SMALL.areas - 1).ppf(0.975))


def _made(rng: np.random.Generator, size: Size, shocks: Floats | None = None) -> Cells:
    count = size.areas * size.months
    areas, periods = np.repeat(np.arange(size.areas), size.months), np.tile(np.arange(size.months), size.areas)
    traits = [rng.normal(size=size.areas)[areas], rng.normal(size=count), (rng.random(count) < 0.3).astype(np.float64)]  # noqa: PLR2004  # 3 in 10
    columns = np.column_stack([np.ones(count), *traits])
    offset = rng.normal(0.0, 0.5, size.areas)[areas]
    rate = np.exp(2.7 + offset + columns[:, 1:] @ np.log(TRUE) + rng.normal(0.0, 0.3, size.areas)[areas])
    if shocks is not None:
        rate = rate * shocks[periods]
    counts = rng.poisson(rate * rng.gamma(10.0, 0.1, count)) + rng.normal(0.0, SIGMA, count)
    noise, exact = np.full(count, SIGMA**2), np.zeros(columns.shape)
    return Cells(counts.astype(np.float64), columns, offset, noise, exact, areas, periods)


if __name__ == "__main__":
    main()
