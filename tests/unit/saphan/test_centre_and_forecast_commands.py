"""``saphan centre`` and ``saphan forecast`` as a person types them."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Unavailable
from contracts.federation import Federation, Member
from contracts.periods import Period
from contracts.release import Release
from gateway.centre.feed import Stage, Step, Told
from gateway.centre.home import Revision, Span
from gateway.centre.round import Round
from gateway.centre.run import Centre
from gateway.centre.settings import CentreSettings
from gateway.client import Result
from saphan import centre_commands, forecast_commands
from saphan.forecast_commands import Forecasted
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
    member = Member.model_validate_json((made / "public.json").read_bytes())
    federation = Federation(gateway="http://127.0.0.1:9", operator="oja", members=(member,))
    (made / "federation.json").write_text(federation.model_dump_json())
    return made


@pytest.fixture
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Centre, "round", lambda _, told: ROUND)


def test_init_names_the_keys_it_made(tmp_path: Path) -> None:
    assert init(tmp_path / "a").split() == ["oja#client-1", "oja#officer-1", "oja#officer-2", "oja#registrar-1"]
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


def test_a_round_that_fails_is_told_with_the_exit_code_of_its_error(home: Path) -> None:
    result = RUNNER.invoke(centre_commands.app, ("run", "--once", "--home", str(home)))

    assert result.exit_code == Unavailable.exit_code
    assert "gateway-unreachable" in result.stderr


@pytest.mark.parametrize("command", ["run", "serve"])
def test_without_once_the_centre_serves_on_its_schedule(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    served: list[CentreSettings] = []
    monkeypatch.setattr(centre_commands, "main", served.append)

    centre(command, "--home", str(home), "--engine", "dask")

    assert [(each.agreement, each.engine) for each in served] == [("oja-forecasting", "dask")]


@pytest.mark.usefixtures("one_round")
def test_a_terminal_shows_how_far_a_round_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = StringIO()

    def one_round(_: Centre, told: Told) -> Round:
        told(Step(Stage.ASK, 1, 4))
        told(Step(Stage.ASK, 4, 4))
        return ROUND

    monkeypatch.setattr(Centre, "round", one_round)
    monkeypatch.setattr(
        centre_commands, "Console", lambda **_: Console(file=said, force_terminal=True, width=100, height=20)
    )

    centre("run", "--once", "--home", str(home))
    shown = said.getvalue()
    centre("run", "--once", "--home", str(home), "--json")

    assert "asking and waiting" in shown
    assert said.getvalue() == shown


def test_a_revision_is_declared_with_its_months_and_reason(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def revise(_: Centre, activity: str, period: Period, reason: str) -> Revision:
        return Revision(span=Span(activity=activity, revision=1, period=period), reason=reason, declared=factories.NOW)

    monkeypatch.setattr(Centre, "revise", revise)
    wish = ("--activity", "crimes-monthly", "--from", "2026-03-01", "--reason", "stations reported late")

    made = Revision.model_validate_json(centre("revise", *wish, "--until", "2026-05-01", "--home", str(home), "--json"))

    assert made.span.period.months() == ("2026-03", "2026-04")
    assert made.reason == "stations reported late"


@pytest.mark.parametrize(("until", "reason"), [("2026-02-01", "late"), ("2026-05-01", "x")])
def test_a_revision_without_months_or_reason_is_refused(home: Path, until: str, reason: str) -> None:
    wish = ("--activity", "crimes-monthly", "--from", "2026-03-01", "--until", until, "--reason", reason)

    result = RUNNER.invoke(centre_commands.app, ("revise", *wish, "--home", str(home)))

    assert result.exit_code == InvalidInput.exit_code
    assert "malformed-body" in result.stderr


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

    assert lines[0].split("\t") == ["province", "offence_group", "month", "mean", "low", "high", "usual", "flags"]
    assert lines[1].split("\t")[:3] == ["10", "G1", "2026-01"]
    assert len(lines) == 1 + 2 * 2
