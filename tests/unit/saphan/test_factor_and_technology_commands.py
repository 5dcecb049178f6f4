"""``saphan forecast factors`` and ``saphan forecast technology`` as a person types them."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.analysis import Report
from contracts.canonical import digest_of
from contracts.errors import Problem
from contracts.release import Release, ReleaseBody
from saphan import forecast_commands
from tests.factor_world import cases_release, covariate_csv, incomes, months_from_october
from tests.technology_world import complaints, holds, span

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
PERIOD = months_from_october(24)
SERIES = incomes(np.random.default_rng(1), 24)


def exported(folder: Path, *bodies: ReleaseBody) -> list[str]:
    paths = []
    for number, body in enumerate(bodies):
        path = folder / f"release-{number}.json"
        path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
        paths.append(str(path))
    return paths


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "income.csv").write_text(covariate_csv(SERIES, PERIOD.months()), encoding="utf-8")
    return [*exported(tmp_path, cases_release(SERIES, PERIOD)), "--covariates", str(tmp_path / "income.csv")]


def run(*arguments: str) -> str:
    result = RUNNER.invoke(forecast_commands.app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_factors_print_the_ratio_of_a_loaded_series(files: list[str]) -> None:
    told = Report.model_validate_json(run("factors", *files, "--where", "offence_group=G2", "--json"))

    assert told.kind == "factors"
    assert any("income_index" in statement.text.en for statement in told.statements)


def test_factors_as_csv_without_what_is_not_wanted(files: list[str]) -> None:
    given = ("--where", "offence_group=G2", "--without", "years", "--family", "poisson", "--csv", "ratios")

    lines = run("factors", *files, *given).splitlines()

    assert lines[0] == "factor,rate_ratio,low,high,p_adjusted,clear,uncorrected"
    assert [line.split(",")[0] for line in lines[1:]] == [
        "season_hot",
        "season_cool",
        "new_year_days",
        "songkran_days",
        "income_index",
    ]


def test_factors_by_fiscal_year_take_a_file_of_people(files: list[str], tmp_path: Path) -> None:
    people = "\n".join(
        [
            "province,year,sex,age_band,population",
            *(f"{row.split(',')[0]},2567,F,A60P,1000" for row in _provinces(files)),
        ]
    )
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")

    given = ("--where", "offence_group=G2", "--by-year", "--population", str(tmp_path / "people.csv"))
    told = Report.model_validate_json(run("factors", *files, *given, "--json"))

    assert any("fiscal year 2567" in statement.text.en for statement in told.statements)
    assert "from the file given" in told.card.data.en


def _provinces(files: list[str]) -> list[str]:
    lines = Path(files[-1]).read_text(encoding="utf-8").splitlines()[1:]
    return [line for line in lines if ",2023-10," in line]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--where", "offence_group"), "it is not DIMENSION=CODE"),
        (("--covariates", "missing.csv"), "it cannot be read as UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_code(files: list[str], given: tuple[str, ...], told: str) -> None:
    result = RUNNER.invoke(forecast_commands.app, ["factors", *files, *given, "--json"])

    problem = Problem.model_validate_json(result.stdout)
    assert result.exit_code == 2
    assert problem.code == "covariates-invalid"
    assert told in problem.detail


def test_technology_prints_the_ranks_and_the_share_frozen(tmp_path: Path) -> None:
    files = exported(tmp_path, complaints(span(12)), holds(span(12)))

    told = Report.model_validate_json(run("technology", *files, "--json"))
    lines = run("technology", *files, "--latest", "0", "--csv", "ranks_cases").splitlines()

    assert told.kind == "technology-crime"
    assert any("Definition: the sum of frozen_thb" in statement.text.en for statement in told.statements)
    assert lines[1].startswith("1,SHOP,")


def test_technology_without_complaints_says_what_is_missing(tmp_path: Path) -> None:
    result = RUNNER.invoke(forecast_commands.app, ["technology", *exported(tmp_path, holds(span(12))), "--json"])

    assert result.exit_code == 2
    assert Problem.model_validate_json(result.stdout).code == "release-not-a-series"
