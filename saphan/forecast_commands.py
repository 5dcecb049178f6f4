"""``saphan forecast``: forecast an exported release on one's own machine; nothing is asked and nothing is spent."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.forecast import ForecastSeries, Score
from contracts.values import Value
from forecasting.run import HORIZON, LEVEL, look_ahead
from gateway.centre.released_file import read_panel
from saphan.backtest_commands import backtest_command
from saphan.evaluation_commands import evaluate_command
from saphan.factors_commands import factors_command
from saphan.flow_commands import caseload_command, flow_command, reoffending_command
from saphan.publication_commands import list_forecasts, show_forecast
from saphan.technology_commands import technology_command
from saphan.warnings_commands import clock_command, fairness_command, warnings_command

app = typer.Typer(help="Forecasts from released figures.", no_args_is_help=True)
app.command("backtest")(backtest_command)
app.command("factors")(factors_command)
app.command("technology")(technology_command)
app.command("evaluate")(evaluate_command)
app.command("warnings")(warnings_command)
app.command("clock")(clock_command)
app.command("fairness")(fairness_command)
app.command("flow")(flow_command)
app.command("caseload")(caseload_command)
app.command("reoffending")(reoffending_command)

ReleaseFile = Annotated[Path, typer.Argument(metavar="FILE", help="An exported release: CSV, Parquet, XLSX or JSON.")]
Horizon = Annotated[int, typer.Option(min=1, max=36, help="Months ahead.")]
Level = Annotated[int, typer.Option(min=50, max=99, help="The intervals hold the count so many times in 100.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

app.command("list")(list_forecasts)
app.command("show")(show_forecast)


class Forecasted(Value):
    """A forecast that nobody has signed."""

    model: str
    level: int
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[ForecastSeries, ...]
    scores: tuple[Score, ...]


@app.command("run")
def run_command(
    file: ReleaseFile, *, horizon: Horizon = HORIZON, level: Level = LEVEL, as_json: AsJson = False
) -> None:
    """Forecast every series of a release."""
    outlook = look_ahead(read_panel(file), horizon, level)
    if as_json:
        typer.echo(
            Forecasted(
                model=outlook.model,
                level=outlook.level,
                months=outlook.months,
                dimensions=outlook.dimensions,
                series=outlook.series,
                scores=outlook.scores,
            ).model_dump_json()
        )
        return
    typer.echo("\t".join((*outlook.dimensions, "month", "mean", "low", "high", "usual")))
    for each in outlook.series:
        for month, *figures in zip(outlook.months, each.mean, each.low, each.high, each.usual, strict=True):
            typer.echo("\t".join((*each.labels.values(), month, *(f"{figure:g}" for figure in figures))))
