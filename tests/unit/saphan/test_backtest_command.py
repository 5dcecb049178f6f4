"""``saphan forecast backtest`` as a person types it."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.analysis import Report
from contracts.canonical import digest_of
from contracts.release import Release, ReleaseBody
from gateway.client import Result
from saphan import forecast_commands
from tests.forecast_panels import monthly_body, season

pytestmark = pytest.mark.unit

RUNNER = CliRunner()


def backtest(*arguments: str) -> Report:
    result = RUNNER.invoke(forecast_commands.app, ("backtest", *arguments, "--json"), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return Report.model_validate_json(result.stdout)


def rows(report: Report) -> list[dict[str, object]]:
    [table] = report.tables
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]


def exported(folder: Path, body: ReleaseBody) -> str:
    path = folder / f"{body.id}.json"
    path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
    return str(path)


def body(months: int = 48, seed: int = 1) -> ReleaseBody:
    return monthly_body(np.tile((season(months) * 60)[:, None, None], (1, 3, 1)), seed, derived=())


def test_a_release_is_scored_by_every_model(tmp_path: Path) -> None:
    report = backtest(exported(tmp_path, body()), "--horizon", "3", "--origins", "2")

    assert [row["model"] for row in rows(report)] == ["engine", "seasonal-naive", "autoets"]
    assert {row["level"] for row in rows(report)} == {"province x offence_group"}
    assert all(isinstance(row["coverage80"], float) for row in rows(report))
    assert "Released figures" in report.card.data.en


def test_the_same_figures_give_the_same_scores_as_a_table(tmp_path: Path) -> None:
    made = body()
    path = tmp_path / "release.csv"
    Result(Release(body=made, digest=digest_of(made), signature="s")).export(path)

    from_table = rows(backtest(str(path), "--horizon", "3", "--origins", "2"))
    from_json = rows(backtest(exported(tmp_path, made), "--horizon", "3", "--origins", "2"))

    assert [row["wape"] for row in from_table] == pytest.approx([row["wape"] for row in from_json])


def test_the_error_of_the_noise_alone_stands_beside(tmp_path: Path) -> None:
    [engine, *_] = rows(backtest(exported(tmp_path, body()), "--horizon", "3", "--origins", "2"))

    # Sigma 4 of about 60 cases: 4 x 0.798 / 60.
    assert engine["noise_wape"] == pytest.approx(100 * 4 * 0.798 / 60, rel=0.25)
    assert isinstance(engine["wape"], float)
    assert engine["wape"] > 100 * 4 * 0.798 / 60
    assert engine["deviance"] is None


def test_a_history_that_is_short_for_what_was_asked_is_flagged(tmp_path: Path) -> None:
    report = backtest(exported(tmp_path, body(33)), "--horizon", "3", "--origins", "6")

    assert report.statements[-1].flags == ("few-origins",)
    assert "3 of the 6" in report.statements[-1].text.en


def test_too_short_a_history_is_an_error(tmp_path: Path) -> None:
    result = RUNNER.invoke(forecast_commands.app, ["backtest", exported(tmp_path, body(26)), "--json"])

    assert result.exit_code != 0
    assert "not-enough-history" in result.output


@pytest.mark.parametrize("arguments", [[], ["--synthetic", "x.json"], ["--synthetic", "--weekly"]])
def test_what_is_to_be_tested_must_be_told_once(arguments: list[str]) -> None:
    assert RUNNER.invoke(forecast_commands.app, ["backtest", *arguments]).exit_code == 2


def test_the_made_up_set_needs_no_release() -> None:
    small = ("--provinces", "4", "--offences", "2", "--origins", "2", "--horizon", "3")
    exact, protected = backtest("--synthetic", *small), backtest("--synthetic", *small, "--epsilon", "0.05")

    assert [row["level"] for row in rows(exact)[:3]] == ["nation", "region", "province"]
    assert rows(exact)[-1]["model"] == "poisson-oracle"
    # Both are compared with the exact counts, and noise as large as this doubles the error whatever it draws.
    assert rows(exact)[0]["noise_wape"] == rows(protected)[0]["noise_wape"] == 0.0
    assert worse(rows(protected)[2], rows(exact)[2])


def worse(first: dict[str, object], second: dict[str, object]) -> bool:
    one, other = first["wape"], second["wape"]
    assert isinstance(one, float)
    assert isinstance(other, float)
    return one > other


def test_people_watch_the_models_run(tmp_path: Path) -> None:
    result = RUNNER.invoke(
        forecast_commands.app, ["backtest", exported(tmp_path, body()), "--csv", "scores"], catch_exceptions=False
    )

    assert result.stdout.splitlines()[0].startswith("model,level,series,mase,wape")
