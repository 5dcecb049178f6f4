"""``saphan centre`` and ``saphan forecast`` as a person types them."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.canonical import digest_of
from contracts.errors import Unavailable
from contracts.federation import Member
from contracts.release import Release
from gateway.centre.run import Centre, Round
from gateway.centre.settings import CentreSettings
from gateway.client import Result
from saphan import centre_commands, forecast_commands
from saphan.forecast_commands import Forecasted, Scores
from tests import factories
from tests.forecast_panels import monthly_body

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
ROUND = Round(
    releases={"crimes-monthly": ("rel-1", "rel-2"), "tpo-monthly": ()},
    gaps={"tpo-monthly": ("2026-10",)},
    problems={"tpo-monthly": ("waiting-for-agency",)},
    skipped=("dop-monthly",),
    forecast="forecast-1",
    published=True,
    series=308,
    horizon=12,
    exchange_seconds=1.0,
    forecast_seconds=2.0,
)


def centre(*arguments: str) -> str:
    result = RUNNER.invoke(centre_commands.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def forecast(*arguments: str) -> str:
    result = RUNNER.invoke(forecast_commands.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def init(home: Path, *more: str) -> str:
    given = ("--agency", "oja", "--gateway", "http://127.0.0.1:9", "--agreement", "oja-forecasting")
    return centre("init", *given, "--home", str(home), *more)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "centre"
    init(made)
    (made / "federation.json").write_text(factories.federation().federation.model_dump_json())
    return made


@pytest.fixture
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Centre, "round", lambda _: ROUND)


def test_init_names_the_keys_it_made(tmp_path: Path) -> None:
    assert init(tmp_path / "a").split() == ["oja#client-1", "oja#officer-1", "oja#officer-2"]
    member = Member.model_validate_json(init(tmp_path / "b", "--json", "--title-en", "Office"))
    assert (member.agency, member.title.en, member.title.th) == ("oja", "Office", "oja")


@pytest.mark.usefixtures("one_round")
def test_one_round_prints_one_json_object(home: Path) -> None:
    assert Round.model_validate_json(centre("run", "--once", "--home", str(home), "--json")) == ROUND


@pytest.mark.usefixtures("one_round")
def test_one_round_tells_people_what_was_done(home: Path) -> None:
    assert centre("run", "--once", "--home", str(home)).splitlines() == [
        "crimes-monthly: 2 releases",
        "tpo-monthly: 0 releases, nothing of 2026-10",
        "forecast forecast-1: 308 series, 12 months",
    ]


def test_a_round_that_fails_raises_its_error(home: Path) -> None:
    with pytest.raises(Unavailable, match="gateway-unreachable"):
        centre("run", "--once", "--home", str(home))


def test_without_once_the_centre_serves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[CentreSettings] = []
    monkeypatch.setattr(centre_commands, "main", served.append)

    centre("run", "--home", str(home))

    assert [each.agreement for each in served] == ["oja-forecasting"]


@pytest.fixture
def exported(tmp_path: Path) -> str:
    body = monthly_body(np.full((60, 2, 1), 30.0), derived=())
    path = tmp_path / "release.csv"
    Result(Release(body=body, digest=digest_of(body), signature="s")).export(path)
    return str(path)


def test_a_release_is_forecast_without_a_gateway(exported: str) -> None:
    made = Forecasted.model_validate_json(forecast("run", exported, "--horizon", "3", "--level", "80", "--json"))

    assert made.months == ("2026-01", "2026-02", "2026-03")
    assert [each.labels["province"] for each in made.series] == ["10", "11"]
    assert made.level == 80


def test_a_forecast_prints_as_a_table(exported: str) -> None:
    lines = forecast("run", exported, "--horizon", "2").splitlines()

    assert lines[0].split("\t") == ["province", "offence_group", "month", "mean", "low", "high", "usual"]
    assert lines[1].split("\t")[:3] == ["10", "G1", "2026-01"]
    assert len(lines) == 1 + 2 * 2


def test_a_backtest_shows_every_model(exported: str) -> None:
    made = Scores.model_validate_json(forecast("backtest", exported, "--json"))
    lines = forecast("backtest", exported).splitlines()

    assert [each.model for each in made.scores] == ["seasonal-naive", "seasonal-baseline", "autoets"]
    assert lines[1].split("\t") == ["seasonal-naive", *(f"{figure:.3f}" for figure in figures(made))]


def test_what_cannot_be_scored_is_a_dash(tmp_path: Path) -> None:
    body = monthly_body(np.full((30, 1, 1), 30.0), derived=())
    path = tmp_path / "release.json"
    path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))

    lines = forecast("backtest", str(path)).splitlines()

    assert lines[1] == "seasonal-naive\t-\t-\t-"


def figures(made: Scores) -> tuple[float, ...]:
    first = made.scores[0]
    assert first.mase is not None
    assert first.wape is not None
    assert first.coverage is not None
    return first.mase, first.wape, first.coverage
