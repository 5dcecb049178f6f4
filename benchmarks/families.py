"""How well a family of tables is measured: ``./run bench families [--json]``.

Provinces x months x offences, 77 x 60 x 20 cells, in the 18 tables {nation, region, province} x {all, year, month} x
{all, each offence}, on two trees: the actual one, 77 provinces in 10 police commands of 1 to 12, and one of 77
provinces in 9 regions of 8 or 9. Errors are root mean variances in units of L2 / sqrt(2 rho): what one table would have
that got the whole budget, if a person moves every table by the same L2. Side by side at the same budget:

* naive: every table measured alone with an equal share;
* leaf only: the finest table gets all, the others are its sums;
* equal: equal shares and least squares;
* ours: the weights that ``privacy.families.weights`` puts in a contract, and least squares;
* oracle: the residual planner's closed form.

Then the actual tree is drawn once through the real mechanism at rho = 0.1 over invented figures, nine cells in ten of
them empty, and the errors that are found stand beside those that were expected, with those of the whole numbers.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.report import print_report
from contracts.code_lists import code_list, crosswalk
from privacy.families.axes import Axis, Floats, Level, Table, cells_of, roll_up_integers
from privacy.families.family import ConsistentTable, consistent, expected_sigmas
from privacy.families.weights import (
    integer_weights,
    least_variance,
    mean_variances,
    naive_variances,
    optimal_shares,
    oracle_variances,
)
from privacy.mechanisms import NANO, draw_gaussian, gaussian_scale

NANO_RHO = NANO // 10
YEARS = 5
OFFENCES = 20
FILLED = 0.1
NAMES = (
    {Level.ALL: "nation", Level.GROUP: "region", Level.LEAF: "province"},
    {Level.ALL: "all", Level.GROUP: "year", Level.LEAF: "month"},
    {Level.ALL: "all", Level.LEAF: "offence"},
)
TABLES: tuple[Table, ...] = tuple(product(*NAMES))


@dataclass(frozen=True, slots=True)
class Errors:
    """Standard deviations of each table, root mean square over its cells, in units of L2 / sqrt(2 rho)."""

    naive: Floats
    leaf_only: Floats
    equal: Floats
    ours: Floats
    oracle: Floats

    def columns(self) -> dict[str, Floats]:
        """By name."""
        return {
            "naive": self.naive,
            "leaf only": self.leaf_only,
            "equal": self.equal,
            "ours": self.ours,
            "oracle": self.oracle,
        }


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: errors found and expected of each table, and those of the whole numbers, in counts; and seconds."""

    expected: Floats
    found: Floats
    integers: Floats
    draw_seconds: float
    consistent_seconds: float


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    trial_axes, actual_axes = _axes(_nine_regions()), _axes(_police_commands())
    trial, actual, drawn = _errors(trial_axes), _errors(actual_axes), _draw(actual_axes)
    if not as_json:
        _print_table("77 provinces in 9 regions, units of L2 / sqrt(2 rho)", trial.columns())
        _print_table("77 provinces in 10 police commands, units of L2 / sqrt(2 rho)", actual.columns())
        measured = {"expected": drawn.expected, "found": drawn.found, "integers": drawn.integers}
        _print_table("10 police commands, one draw at rho 0.1, counts", measured)
    print_report(
        "families", _figures(trial, actual, drawn, actual_axes), _ratios(trial, actual, drawn), as_json=as_json
    )


def _figures(trial: Errors, actual: Errors, drawn: Drawn, axes: Sequence[Axis]) -> dict[str, float]:
    return {
        "root_mean_variance": _root_mean(trial.ours),
        "leaf": float(trial.ours[-1]),
        "actual_root_mean_variance": _root_mean(actual.ours),
        "actual_leaf": float(actual.ours[-1]),
        "actual_oracle": _root_mean(actual.oracle),
        "actual_least_possible": float(np.sqrt(least_variance(axes, TABLES))),
        "draw_seconds": drawn.draw_seconds,
        "consistent_seconds": drawn.consistent_seconds,
    }


def _ratios(trial: Errors, actual: Errors, drawn: Drawn) -> dict[str, float]:
    return {
        "family_vs_oracle": _root_mean(actual.ours) / _root_mean(actual.oracle),
        "leaf_vs_naive": float(actual.ours[-1] / actual.naive[-1]),
        "trial_vs_oracle": _root_mean(trial.ours) / _root_mean(trial.oracle),
        "trial_leaf_vs_naive": float(trial.ours[-1] / trial.naive[-1]),
        "leaf_found_vs_expected": float(drawn.found[-1] / drawn.expected[-1]),
    }


def _police_commands() -> Axis:
    commands = code_list("police_commands").values
    led = crosswalk("provinces", "police_commands")
    return Axis.of([commands.index(led[province]) for province in code_list("provinces").values])


def _nine_regions() -> Axis:
    return Axis.of(np.repeat(np.arange(9), [9, 9, 9, 9, 9, 8, 8, 8, 8]))


def _axes(provinces: Axis) -> tuple[Axis, ...]:
    return (provinces, Axis.of(np.repeat(np.arange(YEARS), 12)), Axis.flat(OFFENCES))


def _errors(axes: Sequence[Axis]) -> Errors:
    """Every column but the yardsticks is what ``expected_sigmas`` says, for a person who moves each table by 1."""
    cells = np.array([cells_of(axes, table) for table in TABLES])
    return Errors(
        naive=np.sqrt(naive_variances(TABLES)),
        leaf_only=np.sqrt(cells[-1] / cells),
        equal=np.sqrt(mean_variances(axes, TABLES, [1 / len(TABLES)] * len(TABLES))),
        ours=_root_means(axes, 1 / np.sqrt(_shares(axes))),
        oracle=np.sqrt(oracle_variances(axes, TABLES)),
    )


def _shares(axes: Sequence[Axis]) -> Floats:
    weights = np.array(integer_weights(optimal_shares(axes, TABLES)))
    return np.asarray(weights / weights.sum())


def _root_means(axes: Sequence[Axis], sigmas: Floats) -> Floats:
    return np.array([each.root_mean for each in expected_sigmas(axes, TABLES, list(sigmas))])


def _draw(axes: Sequence[Axis]) -> Drawn:
    """Protect invented figures once, as production does: one scale and one draw for each table."""
    rng = np.random.default_rng(77)
    shape = tuple(axis.cells(Level.LEAF) for axis in axes)
    leaves = (rng.poisson(5.0, shape) * (rng.random(shape) < FILLED)).astype(np.int64)
    exact = [roll_up_integers(axes, table, leaves).ravel() for table in TABLES]
    sigmas = [gaussian_scale(1, int(share * NANO_RHO)) for share in _shares(axes)]
    started = time.perf_counter()
    pairs = zip(exact, sigmas, strict=True)
    noisy = [np.array(draw_gaussian(cells.tolist(), sigma), dtype=np.float64) for cells, sigma in pairs]
    drawn = time.perf_counter()
    answers = consistent(axes, TABLES, noisy, sigmas, integers=True)
    finished = time.perf_counter()
    return Drawn(
        expected=_root_means(axes, np.array(sigmas)),
        found=np.array([_rmse(a.estimates, e) for a, e in zip(answers, exact, strict=True)]),
        integers=np.array([_rmse(_whole(a), e) for a, e in zip(answers, exact, strict=True)]),
        draw_seconds=drawn - started,
        consistent_seconds=finished - drawn,
    )


def _whole(table: ConsistentTable) -> Floats:
    if table.integers is None:
        sys.exit("no whole numbers came back")
    return table.integers.astype(np.float64)


def _rmse(figures: Floats, exact: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    return float(np.sqrt(((figures - exact) ** 2).mean()))


def _root_mean(sigmas: Floats) -> float:
    """The root of the mean variance over the tables."""
    return float(np.sqrt((sigmas**2).mean()))


def _print_table(title: str, columns: Mapping[str, Floats]) -> None:
    print(title)
    print(f"  {'':<28}" + "".join(f"{name:>11}" for name in columns))
    for number, table in enumerate(TABLES):
        name = " x ".join(names[level] for names, level in zip(NAMES, table, strict=True))
        print(f"  {name:<28}" + "".join(f"{column[number]:>11.2f}" for column in columns.values()))
    print(f"  {'root mean variance':<28}" + "".join(f"{_root_mean(column):>11.3f}" for column in columns.values()))


if __name__ == "__main__":
    main()
