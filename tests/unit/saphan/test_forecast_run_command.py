"""``saphan forecast run`` on releases in JSON: levels add up, flags and card are told, bad input is refused."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.canonical import digest_of
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import Release, ReleaseBody
from gateway.client import Result
from saphan import forecast_commands
from saphan.forecast_commands import Forecasted
from tests import factories
from tests.forecast_panels import monthly_body
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
CRIMES = bundled("crimes_case")
FIRM = 10**15
"""A price at which the noise is far below one case."""

LEVELS = {"tables": [{"by": ["month", "province"]}, {"by": ["month", "province", "offence_group"]}]}
FEW = {"province": ("10", "11")}
GROUPS = 4


def released(start: str, until: str, number: int = 0, price: int = FIRM) -> ReleaseBody:
    """About thirty cases in every cell."""
    query = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": ("month", "province", "offence_group"),
            "where": FEW,
            "period": factories.period(start, until),
            "family": LEVELS,
        }
    )
    cells = np.random.default_rng(number).poisson(30.0, grid_of(query, CRIMES).size).tolist()
    return made_release(CRIMES, query, {"count": cells}, price, factories.NOW + timedelta(days=number))


def exported(folder: Path, *bodies: ReleaseBody) -> list[str]:
    paths = [folder / f"{number}.json" for number, _ in enumerate(bodies)]
    for path, body in zip(paths, bodies, strict=True):
        path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
    return [str(path) for path in paths]


def refusal(*arguments: str) -> str:
    result = RUNNER.invoke(forecast_commands.app, ("run", *arguments))
    assert result.exit_code == InvalidInput.exit_code
    return result.stderr


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two years in one release, and the next half in another."""
    folder = tmp_path_factory.mktemp("releases")
    return exported(folder, released("2023-10-01", "2025-10-01"), released("2025-10-01", "2026-04-01", 1))


def test_months_of_a_standing_series_are_forecast_together_on_every_level_with_the_card(months: list[str]) -> None:
    result = RUNNER.invoke(forecast_commands.app, ("run", *months, "--horizon", "2", "--json"), catch_exceptions=False)

    made = Forecasted.model_validate_json(result.stdout)
    leaves, upper = np.array([each.mean for each in made.series]), np.array([each.mean for each in made.upper])
    assert made.months == ("2026-04", "2026-05")
    assert [each.labels for each in made.upper] == [{"province": "10"}, {"province": "11"}]
    assert leaves.shape == (2 * GROUPS, 2)
    assert upper == pytest.approx(leaves.reshape(2, GROUPS, 2).sum(axis=1))
    assert (made.card.first, made.card.last) == ("2023-10", "2026-03")


def test_people_read_flags_beside_the_figures_and_what_they_mean(tmp_path: Path) -> None:
    (path,) = exported(tmp_path, released("2023-10-01", "2026-04-01", price=1_000))

    result = RUNNER.invoke(forecast_commands.app, ("run", path, "--horizon", "1"), catch_exceptions=False)

    heading, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert heading == ["province", "offence_group", "month", "mean", "low", "high", "usual", "flags"]
    assert [row[1] for row in rows] == ["G1", "G2", "G3", "G4"] * 2 + ["-", "-"]
    assert any("below-noise" in row[-1].split(",") for row in rows)
    assert "[below-noise]" in result.stderr
    assert "Fewer cases than twice the noise" in result.stderr
    assert "Never to judge a person" in result.stderr


def test_a_question_about_some_labels_alone_is_one_table(tmp_path: Path) -> None:
    query = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": ("month",),
            "where": FEW,
            "period": factories.period("2023-10-01", "2026-04-01"),
        }
    )
    body = made_release(CRIMES, query, {"count": [30] * 30}, FIRM)

    result = RUNNER.invoke(
        forecast_commands.app, ("run", *exported(tmp_path, body), "--horizon", "1", "--json"), catch_exceptions=False
    )

    (series,) = Forecasted.model_validate_json(result.stdout).series
    # Arrests are among the cases, unseen.
    assert "enforcement" in series.flags


def test_weeks_are_forecast_when_they_are_asked_for(tmp_path: Path) -> None:
    query = Query.model_validate(
        {"measures": ("count",), "dimensions": ("week",), "period": factories.period("2023-10-01", "2025-11-01")}
    )
    body = made_release(CRIMES, query, {"count": [30] * grid_of(query, CRIMES).size}, FIRM)

    result = RUNNER.invoke(
        forecast_commands.app,
        ("run", *exported(tmp_path, body), "--weekly", "--horizon", "1", "--json"),
        catch_exceptions=False,
    )

    assert Forecasted.model_validate_json(result.stdout).months == ("2025-10-27/2025-11-02",)
    assert "no count by month" in refusal(*exported(tmp_path, body))


def test_a_missing_file_different_datasets_and_several_tables_are_refused(tmp_path: Path) -> None:
    other = monthly_body(np.full((30, 2, 1), 30.0), derived=())
    table = tmp_path / "release.csv"
    Result(Release(body=other, digest=digest_of(other), signature="s")).export(table)

    assert "file-unreadable" in refusal(str(tmp_path / "none.json"))
    assert "count different things" in refusal(*exported(tmp_path, released("2023-10-01", "2025-10-01"), other))
    assert "JSON alone" in refusal(str(table), str(table))
    assert "JSON alone" in refusal(str(table), "--weekly")
