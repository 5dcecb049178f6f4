"""``saphan forecast flow``, ``caseload`` and ``reoffending`` as a person types them."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.analysis import Report
from contracts.canonical import digest_of
from contracts.errors import Problem
from contracts.release import Release, ReleaseBody
from saphan import forecast_commands
from tests import factories
from tests.justice_world import by_state, lives, release_of

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
BANDS = {"R0_12": 3000, "R13_24": 2000, "R25_36": 1200, "R37P": 800, "NONE": 13000}


def exported(folder: Path, body: ReleaseBody) -> str:
    """An exported release on disk."""
    path = folder / f"{body.id}.json"
    path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> str:
    """Prosecutors' files of three years by month and order."""
    world = lives(np.random.default_rng(4), "2022-10", 36, 200.0, 4.0, {"IND": 0.9, "NON": 0.1})
    return exported(tmp_path, by_state("oag_case", world, ("2022-10-01", "2025-10-01"), "2025-10-05"))


@pytest.fixture
def cohort(tmp_path: Path) -> str:
    """People released in fiscal year 2564, by when they were imprisoned again."""
    asked = {"dimensions": ("returned_within",), "period": factories.period("2020-10-01", "2021-10-01")}
    body = release_of("doc_release_cohort", asked, lambda cell: BANDS[cell["returned_within"]], "2023-10-05")
    return exported(tmp_path, body)


def run(*arguments: str) -> str:
    """What a command that works prints."""
    result = RUNNER.invoke(forecast_commands.app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> tuple[int, Problem]:
    """The exit code and the problem of a command that does not."""
    result = RUNNER.invoke(forecast_commands.app, [*arguments, "--json"])
    return result.exit_code, Problem.model_validate_json(result.stdout)


def test_flow_prints_its_report_and_the_same_seed_gives_the_same(files: str) -> None:
    first, second = (run("flow", files, "--json") for _ in range(2))
    other = run("flow", files, "--json", "--seed", "7")

    assert Report.model_validate_json(first).kind == "justice-flow"
    assert first == second
    assert other != first


def test_flow_prints_one_table_as_csv(files: str) -> None:
    lines = run("flow", files, "--csv", "backlog").splitlines()

    assert lines[0] == "stage,day,quarter,open,low,high,signed,flags"
    assert [line.split(",")[2] for line in lines[2:]] == ["FY2569Q1", "FY2569Q2", "FY2569Q3", "FY2569Q4"]


def test_a_narrower_level_gives_narrower_intervals(files: str) -> None:
    def width(level: str) -> float:
        last = run("flow", files, "--csv", "backlog", "--level", level).splitlines()[-1].split(",")
        return float(last[5]) - float(last[4])

    assert width("50") < width("95")


def test_caseload_prints_the_coming_twelve_months(tmp_path: Path) -> None:
    asked = {"dimensions": ("month", "basis"), "period": factories.period("2022-10-01", "2025-10-01")}
    em = exported(tmp_path, release_of("dop_em", asked, lambda cell: 300, "2025-10-05"))

    lines = run("caseload", em, "--csv", "entries").splitlines()

    assert sum(line.startswith("dop_em,BAIL,") for line in lines) == 12


def test_reoffending_takes_the_day_that_the_data_reach(cohort: str) -> None:
    told = run("reoffending", cohort, "--csv", "curve", "--data-as-of", "2023-10-05").splitlines()[1:4]

    # Two years after the end of the fiscal year: the first year is told, and month 24 not yet.
    assert [line.split(",")[3] == "" for line in told] == [False, True, True]


def test_cohorts_that_were_never_followed_are_refused_with_the_next_step(cohort: str) -> None:
    code, problem = refused("reoffending", cohort)

    assert (code, problem.code) == (3, "cohorts-too-young")
    assert "--data-as-of" in problem.advice


def test_a_data_day_before_the_months_counted_is_refused(cohort: str) -> None:
    code, problem = refused("reoffending", cohort, "--data-as-of", "2021-01-01")

    assert (code, problem.code) == (3, "data-day-too-early")


@pytest.mark.parametrize("command", ["flow", "caseload"])
def test_releases_of_something_else_are_refused(command: str, cohort: str) -> None:
    code, problem = refused(command, cohort)

    assert (code, problem.code) == (2, "release-not-a-series")
