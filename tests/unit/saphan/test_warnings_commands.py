"""``saphan forecast warnings``, ``clock`` and ``fairness`` as a person types them, on exported releases."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.analysis import AnalysisKind, Report
from contracts.canonical import digest_of
from contracts.release import Release, ReleaseBody, ReleaseState, Withdrawal
from saphan import forecast_commands
from tests.clock_releases import clock_release
from tests.watched_months import MONTHS, PLANTED, month_release

pytestmark = pytest.mark.unit

RUNNER = CliRunner()


def exported(folder: Path, body: ReleaseBody, withdrawal: Withdrawal | None = None) -> str:
    path = folder / f"{body.id}.json"
    release = Release(body=body, digest=digest_of(body), signature="signed", withdrawal=withdrawal)
    path.write_text(release.model_dump_json(by_alias=True))
    return str(path)


def forecast(*arguments: str, code: int = 0) -> str:
    result = RUNNER.invoke(forecast_commands.app, arguments, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> str:
    return exported(tmp_path_factory.mktemp("months"), month_release(MONTHS[44], first=MONTHS[2]))


def test_warnings_are_told_as_one_report_in_json(months: str) -> None:
    report = Report.model_validate_json(forecast("warnings", months, "--group", "G2", "--simulate", "1", "--json"))

    assert report.kind is AnalysisKind.WARNINGS
    rows = {(row[0], row[1], row[4]) for row in report.tables[0].rows}
    assert ("province", PLANTED.province, "G2") in rows
    limits = {row[0]: row[1] for row in next(each for each in report.tables if each.name == "limits").rows}
    assert limits["false_alarms_a_year"] == 1.0
    assert "simulated_false_alarms_a_year" in limits


def test_one_table_is_told_as_csv(months: str) -> None:
    lines = forecast("warnings", months, "--group", "G2", "--csv", "limits").splitlines()

    assert lines[0] == "name,value"
    assert "population_floor,200000" in lines


def test_a_group_that_counts_arrests_is_refused_with_its_code(months: str) -> None:
    problem = json.loads(forecast("warnings", months, "--group", "G4", "--json", code=2))

    assert (problem["code"], problem["number"]) == ("enforcement-is-not-risk", 1169)


def test_a_withdrawn_release_is_no_source(tmp_path: Path) -> None:
    body = clock_release(dimensions=("offence_group", "hour"))
    gone = Withdrawal(release=body.id, state=ReleaseState.WITHDRAWN, reason="imported twice")

    problem = json.loads(forecast("clock", exported(tmp_path, body, gone), "--json", code=2))

    assert problem["code"] == "release-not-a-series"


def test_the_clock_is_told(tmp_path: Path) -> None:
    release = exported(tmp_path, clock_release(dimensions=("offence_group", "hour")))

    report = Report.model_validate_json(forecast("clock", release, "--json"))

    assert report.kind is AnalysisKind.CLOCK
    assert forecast("clock", release, "--csv", "pace").startswith("region,group,cases")


def test_fairness_is_told(months: str) -> None:
    report = Report.model_validate_json(forecast("fairness", months, "--json"))

    assert report.kind is AnalysisKind.FAIRNESS


def test_a_known_break_is_told_by_its_month(months: str) -> None:
    told = forecast("warnings", months, "--group", "G2", "--recording-break", MONTHS[44], "--json")

    report = Report.model_validate_json(told)
    assert report.tables[0].rows == ()
    assert {row[3] for row in next(each for each in report.tables if each.name == "not_judged").rows} == {
        "recording-break"
    }
