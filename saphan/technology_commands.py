"""``saphan forecast technology``: online crime from exported releases."""

from typing import Annotated

import typer

from forecasting.technology.findings import Options
from forecasting.technology.report import technology_report
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, ReleaseFiles, read_bodies, show_report

DEFAULTS = Options()

Latest = Annotated[int, typer.Option("--latest", min=0, help="Newest months for ranks and shares; 0 for all.")]
Horizon = Annotated[int, typer.Option(min=1, max=12, help="Months ahead.")]
Level = Annotated[int, typer.Option(min=50, max=99, help="The intervals hold the figure so many times in 100.")]


def technology_command(  # each is an option of the command line
    files: ReleaseFiles,
    *,
    latest: Latest = DEFAULTS.latest or 0,
    horizon: Horizon = DEFAULTS.horizon,
    level: Level = DEFAULTS.level,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Show ranks of types, the share frozen, cases a day, what is coming, and the trail of the money."""
    with told_errors(as_json=as_json):
        options = Options(latest=latest or None, horizon=horizon, level=level)
        show_report(technology_report(read_bodies(files), options), as_json=as_json, as_csv=as_csv)
