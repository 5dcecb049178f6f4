"""Forecasts from protected aggregates beside forecasts from exact counts: ``./run bench forecast [--data DIR]``.

Rolling origin on the last 36 whole months of each set, six origins of six months; on weeks the last 32, eight of four.
At every epsilon each level of the hierarchy gets its own noise by the real mechanism, and the engine sees nothing else;
scores are always against the exact counts. The unit is the incident: epsilon is that of one month (or week) at delta
1e-6, its price split equally over the levels. A person who may stand in every month of a year loses what is printed
beside. The noise is the operating system's, so three runs are three independent draws and no run can be repeated.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.forecast_goals import print_goals
from benchmarks.forecast_interventions import intervention_figures
from benchmarks.forecast_jobs import FROM_DATA, RAW, THAI, Job, Noise, run_all
from benchmarks.forecast_sets import CITY_FILE, STATE_FILE
from benchmarks.forecast_speed import speed_figures
from benchmarks.forecast_tables import Found, lines_of, losses, print_lines, print_prices, print_ranges
from benchmarks.report import print_report
from forecasting.noise_trials import person_year_epsilon, sigma_of
from forecasting.synthetic_thai import Made

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DATA_IS_MISSING = 2
MONTHLY = (0.5, 1.0, 2.0, 5.0)
YEARLY = (1.0, 2.0, 4.0)
RUNS = 3
WEEKLY = "city_week"
SPEED, INTERVENTIONS = "speed", "interventions"
FILES: Mapping[str, Path] = {"state": STATE_FILE, "city": CITY_FILE, WEEKLY: CITY_FILE}
"""The file that each real set is read from."""

TARGETS: Mapping[str, str] = {"state": "aisp", "city": "district", THAI: "province", WEEKLY: "area"}
"""The level of each set that stands for a province (of the weeks: the sparse one)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to run."""

    parts: tuple[str, ...]
    data: Path | None
    processes: int
    runs: int
    noises: tuple[Noise, ...]
    made: Made
    slow: bool


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, by default on the command line, and print it."""
    options = _options(arguments)
    asked = _asked(options)
    figures: dict[str, float] = {}
    if SPEED in asked.parts:
        figures |= speed_figures(asked.processes)
    found = Found(lines_of(run_all(jobs_of(asked), asked.processes)))
    if INTERVENTIONS in asked.parts:
        has_state = asked.data is not None and (asked.data / STATE_FILE).is_file()
        figures |= intervention_figures(asked.data if has_state else None)
    figures |= _named(found) | _prices(asked.noises)
    ratios = _ratios(found, asked.noises)
    if not options.json:
        print_lines(found.lines)
        print_ranges(found.lines)
        print_prices(_price_rows(asked.noises))
        print_goals(figures, ratios)
    every_line = found.figures() if options.json else {}  # people have them in the tables
    print_report("forecast", figures | every_line, ratios, as_json=options.json)


def jobs_of(asked: Asked) -> list[Job]:
    """Every set raw and at every noise: the largest first, so that no process waits for one at the end."""
    jobs = []
    for name in asked.parts:
        if name not in TARGETS:
            continue
        of_set = Job(name, asked.data, made=asked.made)
        jobs.append(of_set)
        jobs.extend(
            replace(of_set, noise=noise, run=run) for noise in asked.noises for run in range(_runs(name, noise, asked))
        )
        if name != WEEKLY:
            jobs.extend([replace(of_set, slow=True)] if asked.slow else [])
    return jobs


def _runs(name: str, noise: Noise, asked: Asked) -> int:
    """One draw is enough for a person's year, which is near a month's, and for weeks, which have no goal."""
    if name == WEEKLY:
        return 0 if noise.year else 1
    return 1 if noise.year else asked.runs


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with state_monthly and city_incidents")
    parser.add_argument("--synthetic", action="store_true", help="the made-up Thai set instead; needs no data")
    parser.add_argument("--provinces", type=int, default=77, help="of the made-up set")
    parser.add_argument("--offences", type=int, default=15, help="of the made-up set")
    parser.add_argument("--only", default="", help="some parts: state,city,city_week,thai,speed,interventions")
    parser.add_argument("--runs", type=int, default=RUNS, help="independent draws of the noise at each epsilon")
    parser.add_argument("--epsilons", type=_numbers, default=MONTHLY, help="of a month; 0.5,1,2,5 if not given")
    parser.add_argument("--years", type=_numbers, default=YEARLY, help="of a person's year; 1,2,4 if not given")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--slow", action="store_true", help="also statsforecast's own AutoETS: minutes more")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(",") if each)


def parts_of(options: argparse.Namespace) -> tuple[str, ...]:
    """The parts to run; ends the program where there is no such part."""
    sets = (THAI,) if options.synthetic else tuple(FROM_DATA)
    parts = tuple(options.only.split(",")) if options.only else (*sets, SPEED, INTERVENTIONS)
    if unknown := set(parts) - {*FROM_DATA, THAI, SPEED, INTERVENTIONS}:
        print(f"There is no part {', '.join(sorted(unknown))}.", file=sys.stderr)
        raise SystemExit(DATA_IS_MISSING)
    return parts


def _asked(options: argparse.Namespace) -> Asked:
    parts = parts_of(options)
    missing = sorted({FILES[part] for part in parts if part in FILES and not (options.data / FILES[part]).is_file()})
    if missing:
        print(
            f"Not in {options.data}: {', '.join(map(str, missing))}. Give the folder of the real sets with --data, "
            "or take the made-up Thai set with --synthetic.",
            file=sys.stderr,
        )
        raise SystemExit(DATA_IS_MISSING)
    has_state = (options.data / STATE_FILE).is_file()
    if INTERVENTIONS in parts and not (options.synthetic or has_state):
        print(f"Not in {options.data}: {STATE_FILE}. Interventions run on the generator alone.", file=sys.stderr)
    data = None if options.synthetic or not (has_state or {*FILES} & {*parts}) else options.data
    made = Made(provinces=options.provinces, offences=options.offences)
    noises = (*map(Noise, options.epsilons), *(Noise(epsilon, year=True) for epsilon in options.years))
    return Asked(parts, data, options.processes, options.runs, noises, made, options.slow)


def _named(found: Found) -> dict[str, float]:
    """The figures that targets are about, under short names."""
    wanted = {
        "state_mase": ("state/raw/aisp/engine", "mase"),
        "state_cov80": ("state/raw/aisp/engine", "cov80"),
        "state_cov95": ("state/raw/aisp/engine", "cov95"),
        "state_eps1_cov80": ("state/eps1/aisp/engine", "cov80"),
        "city_mase": ("city/raw/district/engine", "mase"),
        "thai_mase": ("thai/raw/province/engine", "mase"),
    }
    values = {name: found.value(*where) for name, where in wanted.items()}
    return {name: value for name, value in values.items() if value is not None}


def _ratios(found: Found, noises: Sequence[Noise]) -> dict[str, float]:
    made: dict[str, float] = {}
    for name, level in TARGETS.items():
        engine, naive = (f"{name}/{RAW}/{level}/{model}" for model in ("engine", "seasonal-naive"))
        against, skill = found.ratio(engine, naive, "mase"), found.ratio(engine, naive, "crps")
        if against is not None and skill is not None:
            made |= {f"{name}_vs_snaive": against, f"{name}_crps_skill": 1.0 - skill}
        floor = found.ratio(engine, f"{name}/{RAW}/{level}/poisson-oracle", "mase")
        if floor is not None:
            made[f"{name}_vs_floor"] = floor
        made |= losses(found, f"{name}/{level}", noises)
    return made


def _prices(noises: Sequence[Noise]) -> dict[str, float]:
    return {f"{noise.name}_person_year_epsilon": person_year_epsilon(noise.nano_rho) for noise in noises}


def _price_rows(noises: Sequence[Noise]) -> list[tuple[str, str, str, str]]:
    return [
        (
            noise.name,
            f"{noise.month_epsilon:.3f}",
            ", ".join(f"{sigma_of(noise.nano_rho, levels):.2f}" for levels in (1, 3, 4)),
            f"{person_year_epsilon(noise.nano_rho):.3f}",
        )
        for noise in noises
    ]


if __name__ == "__main__":
    main()
