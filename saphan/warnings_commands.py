"""``saphan forecast warnings|clock|fairness``: what released files say of areas and hours, and of forecasts.

Everything is computed on this machine from files; nothing is asked and nothing is spent.
"""

from typing import Annotated

import numpy as np
import typer

from forecasting.clock.report import report_of as clock_report
from forecasting.clock.week import clocks_of
from forecasting.enforcement import VICTIMISATION
from forecasting.fairness.assess import assess
from forecasting.fairness.report import report_of as fairness_report
from forecasting.warnings.breaks import Break
from forecasting.warnings.expected import PooledLevel
from forecasting.warnings.find import watch_areas
from forecasting.warnings.limits import Watch
from forecasting.warnings.report import report_of as warnings_report
from forecasting.warnings.simulation import World, false_alarms
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, ReleaseFiles, read_bodies, show_report

Rate = Annotated[float, typer.Option(min=0.01, max=1000, help="False alarms a year, all areas and groups together.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="Only this offence group; may be repeated.")]
Broken = Annotated[
    list[str] | None,
    typer.Option("--recording-break", metavar="YYYY-MM", help="A month whose recording broke; may be repeated."),
]
Runs = Annotated[
    int,
    typer.Option("--simulate", metavar="RUNS", min=0, max=10_000, help="Countries without change to simulate."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the simulation: the same seed gives the same figures.")]


def warnings_command(  # noqa: PLR0913  # options of a command
    files: ReleaseFiles,
    *,
    rate: Rate = 1.0,
    groups: Groups = None,
    broken: Broken = None,
    simulate: Runs = 0,
    seed: Seed = 1,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Areas where more was reported than forecast, by control limits with a stated false-alarm rate."""
    with told_errors(as_json=as_json):
        watch, model = Watch(rate=rate), PooledLevel()
        breaks = [Break(month) for month in broken or ()]
        found = watch_areas(read_bodies(files), model, watch, groups or VICTIMISATION, breaks)
        world = World(series=found.series, months=len(found.months))
        simulated = false_alarms(np.random.default_rng(seed), model, watch, world, simulate) if simulate else None
        show_report(warnings_report(found, simulated), as_json=as_json, as_csv=as_csv)


def clock_command(files: ReleaseFiles, *, groups: Groups = None, as_json: AsJson = False, as_csv: AsCsv = None) -> None:
    """The risk of every hour of the week by police region and group, and one case in how many minutes."""
    with told_errors(as_json=as_json):
        found = clocks_of(read_bodies(files), groups or VICTIMISATION)
        show_report(clock_report(found), as_json=as_json, as_csv=as_csv)


def fairness_command(files: ReleaseFiles, *, as_json: AsJson = False, as_csv: AsCsv = None) -> None:
    """Who is not heard, whom the forecasts serve worse, and whether they follow the police."""
    with told_errors(as_json=as_json):
        show_report(fairness_report(assess(read_bodies(files), PooledLevel())), as_json=as_json, as_csv=as_csv)
