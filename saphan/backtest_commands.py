"""``saphan forecast backtest``: how good the forecasts were on months that they had not seen, on every level."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contracts.analysis import Report
from forecasting.backtest_report import MODELS, BacktestOptions, Told, backtest_report
from forecasting.hierarchy import single_level
from forecasting.noise_trials import nano_rho_of, protected, sigma_of
from forecasting.released_levels import BETWEEN, Levels, released_levels
from forecasting.synthetic_thai import LEVELS, Made, thai_set
from gateway.centre.released_file import read_panel
from privacy.mechanisms import draw_gaussian
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, read_bodies, show_report

MONTHS_AHEAD, WEEKS_AHEAD, ORIGINS = 6, 4, 6
SEED = 77_15

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Releases as JSON, or one exported as CSV, Parquet or XLSX."),
]
Synthetic = Annotated[bool, typer.Option("--synthetic", help="A made-up Thai set instead of releases.")]
Provinces = Annotated[int, typer.Option(min=1, max=77, help="Of the made-up set.")]
Offences = Annotated[int, typer.Option(min=1, max=60, help="Of the made-up set.")]
Epsilon = Annotated[
    float, typer.Option(min=0.0, max=100.0, help="Protects the made-up set: of a month at delta 1e-6; 0 is exact.")
]
Horizon = Annotated[
    int | None,
    typer.Option(min=1, max=36, help="Periods ahead: 6 months or 4 weeks, if not given.", show_default=False),
]
Origins = Annotated[int, typer.Option(min=1, max=24, help="Windows, at most; the last one ends with the figures.")]
Weekly = Annotated[bool, typer.Option("--weekly", help="By ISO week instead of by month.")]


def backtest_command(  # noqa: PLR0913  # each is an option of the command line
    files: Files = None,
    *,
    synthetic: Synthetic = False,
    provinces: Provinces = 77,
    offences: Offences = 15,
    epsilon: Epsilon = 0.0,
    horizon: Horizon = None,
    origins: Origins = ORIGINS,
    weekly: Weekly = False,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Score the engine beside seasonal naive and AutoETS: MASE, WAPE, CRPS, coverage and deviance on every level."""
    if bool(files) == synthetic:
        raise typer.BadParameter("give releases, or --synthetic")
    if weekly and synthetic:
        raise typer.BadParameter("the made-up set has months only")
    with told_errors(as_json=as_json), _progress() as progress:
        options = BacktestOptions(horizon or (WEEKS_AHEAD if weekly else MONTHS_AHEAD), origins, _teller(progress))
        if synthetic:
            report = _synthetic(Made(provinces=provinces, offences=offences), epsilon, options)
        else:
            report = backtest_report(_levels(files or [], weekly=weekly), options)
        progress.stop()
        show_report(report, as_json=as_json, as_csv=as_csv)


def _synthetic(made: Made, epsilon: float, options: BacktestOptions) -> Report:
    """The made-up set, exact or protected by the real mechanism; always compared with the exact counts."""
    exact = thai_set(np.random.default_rng(SEED), made)
    given = exact
    if epsilon > 0:
        given = protected(exact, sigma_of(nano_rho_of(epsilon), len(exact.levels)), draw_gaussian)
    return backtest_report(Levels(given, LEVELS), options, exact)


def _levels(files: list[Path], *, weekly: bool) -> Levels:
    [first, *more] = files
    if more or weekly or first.suffix == ".json":
        return released_levels(read_bodies(files), weekly=weekly)
    panel = read_panel(first)
    return Levels(single_level(panel), (BETWEEN.join(panel.dimensions),))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _teller(progress: Progress) -> Told:
    """Moves the bar on by one model."""
    task = progress.add_task("", total=MODELS)

    def tell(name: str) -> None:
        started = progress.tasks[0].description != ""
        progress.update(task, description=name, advance=1 if started else 0)

    return tell
