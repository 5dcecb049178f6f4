"""``saphan forecast evaluate`` as a person types it, and the files that it reads."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.analysis import Report
from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.interventions.plan_file import read_neighbours, read_plans
from forecasting.interventions.plans import Plan
from saphan import forecast_commands
from tests.intervention_world import (
    TREATED,
    exported,
    provinces_release,
    table,
    zone_releases,
)

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
FORBIDDEN = re.compile(r"\bcaus(e|es|ed|al|ing)\b|because of|due to", re.IGNORECASE)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def fallen() -> ReleaseBody:
    return provinces_release(-0.25)


@pytest.fixture(scope="module")
def zones() -> list[ReleaseBody]:
    return zone_releases(generator(3), -0.3)


# ---------------------------------------------------------------- files and the command


def test_plans_are_read_from_a_table() -> None:
    text = "\ufeffid,province,start,end,target,owner\np1,30,2022-10-01,2023-10-01,-10,me\np2,31,2022-10-01,,,\n"

    assert read_plans(text, "plans.csv") == (
        Plan("p1", "30", date(2022, 10, 1), date(2023, 10, 1), -0.1),
        Plan("p2", "31", date(2022, 10, 1)),
    )
    assert read_neighbours("a,b\nX,Y\nX,Z\n", "n.csv")["X"] == {"Y", "Z"}


@pytest.mark.parametrize(
    "text",
    [
        "id,start\np,2022-10-01\n",
        "id,province,start\np,30,\n",
        "id,province,start\np,30,1/10/2565\n",
        "id,province,start,target\np,30,2022-10-01,ten\n",
        "id,province,start,target\np,30,2022-10-01,nan\n",
    ],
)
def test_a_table_that_is_no_list_of_plans_is_refused_by_line(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_plans(text, "plans.csv")

    assert caught.value.code == "plan-unusable"


def test_the_command_evaluates_plans_of_a_file(tmp_path: Path, fallen: ReleaseBody) -> None:
    plans = tmp_path / "plans.csv"
    plans.write_text("id,province,start,target\n" + "".join(f"p{each},{each},2022-10-01,-10\n" for each in TREATED))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b\n30,36\n")
    options = ["--plans", str(plans), "--neighbours", str(pairs), "--window", "12", "--runs", "100", "--json"]
    result = RUNNER.invoke(forecast_commands.app, ["evaluate", exported(tmp_path, fallen), *options])

    assert result.exit_code == 0, result.output
    report = Report.model_validate_json(result.stdout)
    assert {row["on"] for row in table(report, "effects")} == {"treated"}
    again = RUNNER.invoke(forecast_commands.app, ["evaluate", exported(tmp_path, fallen), *options])
    assert again.stdout == result.stdout


def test_the_command_evaluates_zones(tmp_path: Path, zones: list[ReleaseBody]) -> None:
    files = [exported(tmp_path, each) for each in zones]
    options = ["--zones", "--window", "12", "--runs", "100", "--csv", "effects"]
    result = RUNNER.invoke(forecast_commands.app, ["evaluate", *files, *options])

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("window,on,effect,low,high")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], "plan-unusable"),
        (["--zones", "--holidays"], "plan-unusable"),
        (["--plans", "missing.csv"], "plan-unusable"),
        (["--zones", "--window", "1"], "effect-window"),
        (["--zones", "--group", "G4"], "enforcement-is-not-risk"),
        (["--zones", "--dataset", "crimes_arrest"], "enforcement-is-not-risk"),
    ],
)
def test_the_command_says_what_is_wrong(
    options: list[str], code: str, tmp_path: Path, zones: list[ReleaseBody]
) -> None:
    files = [exported(tmp_path, each) for each in zones]
    result = RUNNER.invoke(forecast_commands.app, ["evaluate", *files, *options, "--json"])

    assert result.exit_code == 2
    assert code in result.output
