"""``saphan forecast evaluate``: did cases change after a measure, from exported releases; nothing is spent."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from contracts.errors import InvalidInput
from forecasting.interventions.areas import GROUP, PROVINCE, Counted
from forecasting.interventions.design import WINDOWS
from forecasting.interventions.evaluation import Setting, evaluate_plans, evaluate_zones
from forecasting.interventions.holidays_report import evaluate_holidays
from forecasting.interventions.plan_file import read_neighbours, read_plans
from forecasting.interventions.simulation import FEWEST_RUNS, RUNS
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, ReleaseFiles, read_bodies, show_report

GROUPED = ("crimes_case",)
"""Datasets with offence groups, of which those that count arrests are left out."""

Plans = Annotated[
    Path | None,
    typer.Option("--plans", metavar="CSV", help="Plans: id, province, start, and if known end and target (per cent)."),
]
Zones = Annotated[
    bool, typer.Option("--zones", help="The Smart Safety Zones; --plans then adds areas of the second phase.")
]
Holidays = Annotated[bool, typer.Option("--holidays", help="New Year and Songkran instead of a measure.")]
Neighbours = Annotated[
    Path | None, typer.Option("--neighbours", metavar="CSV", help="Pairs a, b of areas side by side; else provinces.")
]
Dataset = Annotated[str, typer.Option("--dataset", help="Whose counts are compared.")]
Area = Annotated[str, typer.Option("--area", help="The dimension of the areas, of plans and of holidays.")]
Groups = Annotated[
    list[str] | None, typer.Option("--group", metavar="CODE", help="Only this offence group; repeat it.")
]
Windows = Annotated[
    list[int] | None, typer.Option("--window", metavar="MONTHS", help="3 or 12; repeat it. Both if left out.")
]
Runs = Annotated[int, typer.Option(min=FEWEST_RUNS, help="Simulations of each effect, on these series.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same simulations.")]


def evaluate_command(  # noqa: PLR0913  # each is an option of the command line
    files: ReleaseFiles,
    *,
    plans: Plans = None,
    zones: Zones = False,
    holidays: Holidays = False,
    neighbours: Neighbours = None,
    dataset: Dataset = "crimes_case",
    area: Area = PROVINCE,
    group: Groups = None,
    window: Windows = None,
    runs: Runs = RUNS,
    seed: Seed = 1,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Compare cases after a measure or over holidays with what was expected; check the method on the same series."""
    with told_errors(as_json=as_json):
        if (plans is not None or zones) == holidays:
            raise InvalidInput("plan-unusable", plan="-", why="choose one of --plans, --zones and --holidays")
        counted = _counted(dataset, group)
        generator = np.random.default_rng(seed)
        bodies = read_bodies(files)
        if holidays:
            report = evaluate_holidays(bodies, generator, counted, area, runs)
        else:
            setting = Setting(counted, tuple(window or WINDOWS), runs, area)
            given = read_plans(_text(plans), plans.name) if plans else ()
            beside = read_neighbours(_text(neighbours), neighbours.name) if neighbours else None
            report = (
                evaluate_zones(bodies, generator, setting, given)
                if zones
                else evaluate_plans(bodies, given, generator, setting, beside)
            )
        show_report(report, as_json=as_json, as_csv=as_csv)


def _counted(dataset: str, groups: list[str] | None) -> Counted:
    if dataset not in GROUPED:
        return Counted(dataset, {GROUP: tuple(groups)} if groups else {})
    return Counted(dataset, {GROUP: tuple(groups)}) if groups else Counted(dataset)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("plan-unusable", plan=path.name, why="it cannot be read as UTF-8 text") from error
