"""``saphan forecast factors``: which circumstances go with a higher or lower rate, from exported releases."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import InvalidInput
from contracts.identifiers import Code, Name
from contracts.values import Value
from forecasting.cells import YEAR
from forecasting.factors.covariate_file import read_covariates
from forecasting.factors.estimation import Family
from forecasting.factors.outcome import CASES, Question
from forecasting.factors.population import read_population
from forecasting.factors.report import Wanted, factors_report
from forecasting.panel import MONTH
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, ReleaseFiles, read_bodies, show_report

Covariates = Annotated[
    list[Path] | None,
    typer.Option(
        "--covariates", metavar="CSV", help="Your series: province, month or fiscal_year, and one column each."
    ),
]
PopulationFile = Annotated[
    Path | None, typer.Option("--population", metavar="CSV", help="Registered people as in the dataset ref_population.")
]
Dataset = Annotated[str, typer.Option("--dataset", help="The counts whose rates are compared.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="DIMENSION=CODE", help="Only these, as offence_group=G2; repeat it."),
]
ByYear = Annotated[bool, typer.Option("--by-year", help="Compare fiscal years instead of months.")]
Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="FACTOR", help="Leave this factor out; repeat it.")
]
Weights = Annotated[Family, typer.Option("--family", help="How counts vary around their mean: decides the weights.")]
Explored = Annotated[bool, typer.Option("--contributions", help="Add LightGBM's exploratory view (an extra).")]


class Filter(Value):
    """One label that is wanted."""

    dimension: Name
    code: Code


def factors_command(  # noqa: PLR0913  # each is an option of the command line
    files: ReleaseFiles,
    *,
    covariates: Covariates = None,
    population: PopulationFile = None,
    dataset: Dataset = CASES,
    where: Where = None,
    by_year: ByYear = False,
    without: Without = None,
    family: Weights = Family.NEGATIVE_BINOMIAL,
    contributions: Explored = False,
    as_json: AsJson = False,
    as_csv: AsCsv = None,
) -> None:
    """Show which factors go with a higher or lower rate of recorded cases, with rate ratios and their intervals."""
    with told_errors(as_json=as_json):
        wanted = Wanted(
            question=Question(dataset, _filters(where or []), YEAR if by_year else MONTH),
            files=tuple(read_covariates(_text(path), path.name) for path in covariates or []),
            population=read_population(_text(population), population.name) if population else None,
            without=tuple(without or ()),
            family=family,
            explored=contributions,
        )
        show_report(factors_report(read_bodies(files), wanted), as_json=as_json, as_csv=as_csv)


def _filters(given: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in given:
        name, _, code = each.partition("=")
        try:
            label = Filter(dimension=name, code=code)
        except ValueError as error:
            raise InvalidInput("covariates-invalid", where="--where", why="it is not DIMENSION=CODE") from error
        found[label.dimension] = (*found.get(label.dimension, ()), label.code)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("covariates-invalid", where=path.name, why="it cannot be read as UTF-8 text") from error
