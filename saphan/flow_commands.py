"""``saphan forecast flow``, ``caseload`` and ``reoffending``: where cases wait, who comes, who returns to prison."""

from datetime import date, datetime
from typing import Annotated

import numpy as np
import typer

from forecasting.flow.caseload_report import caseload_report
from forecasting.flow.report import LEVEL, flow_report
from forecasting.reoffending.report import reoffending_report
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, ReleaseFiles, read_bodies, show_report

SEED = 2569
Level = Annotated[int, typer.Option("--level", min=50, max=99, help="Intervals hold the figure so many times in 100.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the simulated intervals: the same seed, the same report.")]
DataAsOf = Annotated[
    datetime | None,
    typer.Option(
        "--data-as-of", formats=["%Y-%m-%d"], help="The day up to which the agency's data reach, if before the release."
    ),
]


def flow_command(
    files: ReleaseFiles,
    *,
    level: Level = LEVEL,
    data_as_of: DataAsOf = None,
    seed: Seed = SEED,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Show the funnel from complaint to the end of a case, and open cases in the next four quarters."""
    with told_errors(as_json=as_json):
        report = flow_report(read_bodies(files), np.random.default_rng(seed), level, _day(data_as_of))
        show_report(report, as_json=as_json, as_csv=as_csv)


def caseload_command(
    files: ReleaseFiles,
    *,
    level: Level = LEVEL,
    data_as_of: DataAsOf = None,
    seed: Seed = SEED,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Forecast probation cases and electronic monitoring for the coming twelve months."""
    with told_errors(as_json=as_json):
        report = caseload_report(read_bodies(files), np.random.default_rng(seed), level, _day(data_as_of))
        show_report(report, as_json=as_json, as_csv=as_csv)


def reoffending_command(
    files: ReleaseFiles,
    *,
    level: Level = LEVEL,
    data_as_of: DataAsOf = None,
    seed: Seed = SEED,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Show who was imprisoned again within 12, 24 and 36 months of release, and who reoffended after probation."""
    with told_errors(as_json=as_json):
        report = reoffending_report(read_bodies(files), np.random.default_rng(seed), level, _day(data_as_of))
        show_report(report, as_json=as_json, as_csv=as_csv)


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()
