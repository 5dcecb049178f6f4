"""``saphan forecast``: forecast exported releases on one's own machine; nothing is asked and nothing is spent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import InvalidInput
from contracts.forecast import ForecastSeries, ModelCard, Score
from contracts.odcs import bundled_ids
from contracts.release import ReleaseBody
from contracts.values import Value
from forecasting.flags import meaning_of
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.panel import panel_of
from forecasting.released_levels import released_levels
from forecasting.run import HORIZON, LEVEL, NOTHING_GIVEN, Given, Outlook, look_ahead_hierarchy
from gateway.centre.released_file import read_panel
from saphan.backtest_commands import backtest_command
from saphan.evaluation_commands import evaluate_command
from saphan.factors_commands import factors_command
from saphan.flow_commands import caseload_command, flow_command, reoffending_command
from saphan.output import say, told_errors
from saphan.publication_commands import list_forecasts, show_forecast
from saphan.report_output import read_bodies
from saphan.technology_commands import technology_command
from saphan.warnings_commands import clock_command, fairness_command, warnings_command
from saphan.weekly_commands import weekly_command

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
app.command("weekly")(weekly_command)

Exported = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Releases in JSON, months of one standing series: all levels. One CSV, Parquet or XLSX: its finest table.",
    ),
]
Horizon = Annotated[int, typer.Option(min=1, max=36, help="Months ahead.")]
Level = Annotated[int, typer.Option(min=50, max=99, help="The intervals hold the count so many times in 100.")]
Weekly = Annotated[bool, typer.Option("--weekly", help="By ISO week instead of by month; of releases in JSON.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

JSON, NOTHING = ".json", "-"

app.command("list")(list_forecasts)
app.command("show")(show_forecast)


class Forecasted(Value):
    """A forecast that nobody has signed; fields as of ``contracts.forecast.Forecast``."""

    model: str
    level: int
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[ForecastSeries, ...]
    upper: tuple[ForecastSeries, ...]
    scores: tuple[Score, ...]
    card: ModelCard


@app.command("run")
def run_command(
    files: Exported,
    *,
    horizon: Horizon = HORIZON,
    level: Level = LEVEL,
    weekly: Weekly = False,
    as_json: AsJson = False,
) -> None:
    """Forecast every series of releases on every level that they tell."""
    with told_errors(as_json=as_json):
        hierarchy, given = _read(files, weekly=weekly)
        outlook = look_ahead_hierarchy(hierarchy, horizon, level, given=given)
        if as_json:
            typer.echo(_forecasted(outlook).model_dump_json())
            return
        for line in _lines(outlook):
            typer.echo("\t".join(line))
        for flag in sorted({flag for each in (*outlook.upper, *outlook.series) for flag in each.flags}):
            meaning = meaning_of(flag)
            say(f"[{flag}] {meaning.th} · {meaning.en}")
        say(f"{outlook.card.limits.th} · {outlook.card.limits.en}")


def _read(files: Sequence[Path], *, weekly: bool) -> tuple[Hierarchy, Given]:
    """All levels of releases in JSON and what they count, or the one table of a file of another form."""
    if all(path.suffix == JSON for path in files):
        bodies = read_bodies(files)
        given = _one_dataset(bodies)
        if len(bodies) == 1 and not weekly and _is_narrowed(bodies[0]):
            return single_level(panel_of(bodies[0])), given
        return released_levels(bodies, weekly=weekly).hierarchy, given
    if len(files) > 1 or weekly:
        raise InvalidInput("release-not-a-series", why="several files, and weeks, are read from releases in JSON alone")
    return single_level(read_panel(files[0])), NOTHING_GIVEN


def _is_narrowed(body: ReleaseBody) -> bool:
    """Whether the question was about some labels alone that its finest table does not name."""
    return not set(body.query.where) <= {axis.name for axis in body.grid.axes}


def _one_dataset(bodies: Sequence[ReleaseBody]) -> Given:
    """What the releases count; a contract of an agency's own says nothing here of enforcement.

    Raises:
        InvalidInput: ``release-not-a-series`` for releases of several datasets.
    """
    datasets = sorted({promise.contract.id for body in bodies for promise in body.promises})
    if len(datasets) > 1:
        raise InvalidInput("release-not-a-series", why=f"the files count different things: {', '.join(datasets)}")
    return Given(dataset=datasets[0]) if datasets[0] in bundled_ids() else NOTHING_GIVEN


def _forecasted(outlook: Outlook) -> Forecasted:
    return Forecasted(
        model=outlook.model,
        level=outlook.level,
        months=outlook.months,
        dimensions=outlook.dimensions,
        series=outlook.series,
        upper=outlook.upper,
        scores=outlook.scores,
        card=outlook.card,
    )


def _lines(outlook: Outlook) -> list[tuple[str, ...]]:
    """A heading, then each month of each series, the finest first; ``-`` where a coarser one lacks a label."""
    every = (*outlook.series, *outlook.upper)
    names = tuple(dict.fromkeys(name for each in every for name in each.labels))
    lines = [(*names, "month", "mean", "low", "high", "usual", "flags")]
    for each in every:
        labels = tuple(each.labels.get(name, NOTHING) for name in names)
        told = ",".join(each.flags) or NOTHING
        for month, *figures in zip(outlook.months, each.mean, each.low, each.high, each.usual, strict=True):
            lines.append((*labels, month, *(f"{figure:.2f}" for figure in figures), told))
    return lines
