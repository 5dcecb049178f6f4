"""``saphan forecast list|show``, ``saphan analysis`` and ``saphan plan`` against a served gateway."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import openpyxl
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.analysis import AnalysisKind, PublishedAnalysis
from contracts.forecast import PublishedForecast
from contracts.release import Release
from saphan import analysis_commands, forecast_commands, plan_commands
from tests import factories
from tests.gateway_world import CONTRACT
from tests.publication_world import (
    TABLE,
    analysis_from,
    cites,
    forecast_of,
    publish_analysis,
    publish_forecast,
    released,
    withdraw,
)
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

PLAN = (
    *("--province", "50", "--title-th", "ลดเหตุลักทรัพย์", "--title-en", "Fewer thefts", "--group", "G2"),
    *("--forecast", "forecast-0001", "--start", "2026-02-01", "--end", "2026-07-31", "--percent", "-15"),
    *("--target-th", "ลดลงร้อยละ 15", "--target-en", "15 % fewer"),
)
LASTING = factories.agreement((CONTRACT,), period=factories.period("2025-10-01", "2056-10-01"))
WALK = ("--activity", "2026-02-14|เดินตรวจตลาด|Market walk|ตลาดวโรรส")


@dataclass(frozen=True)
class Desk:
    served: Served
    home: Path
    release: Release

    def run(self, app: typer.Typer, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(self.home)])

    def plan(self, *arguments: str) -> Result:
        return self.run(plan_commands.app, *arguments)

    def analysis(self, *arguments: str) -> Result:
        return self.run(analysis_commands.app, *arguments)

    def forecast(self, *arguments: str) -> Result:
        return self.run(forecast_commands.app, *arguments)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("cli")
    with served_gateway(folder / "gateway") as served:
        world = served.world()
        # The world's clock takes steps and must not run ahead of the program's: nothing is published in the future.
        world.now -= timedelta(minutes=1)
        world.register((CONTRACT,), LASTING)
        asked = factories.request(LASTING, created=world.now, deliver_until=world.now + timedelta(days=1))
        release = released(world, asked)
        publish_forecast(world, forecast_of(cites(release)))
        publish_analysis(world, analysis_from(cites(release)))
        clock = analysis_from(
            cites(release),
            name="clock-1",
            kind=AnalysisKind.CLOCK,
            tables=(TABLE, TABLE.model_copy(update={"name": "hours"})),
        )
        publish_analysis(world, clock)
        yield Desk(served, served.member_home(folder / "oja", "oja"), release)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let results be printed for people."""
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setattr("saphan.output.Console", lambda **kinds: Console(width=400, **kinds))


def ids(answer: Result) -> list[str]:
    assert answer.exit_code == 0, answer.stderr
    return [each.get("id") or each["plan"]["id"] for each in json.loads(answer.stdout)]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def write(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]), restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text("\ufeff" + out.getvalue(), encoding="utf-8")
    return path


# ---------------------------------------------------------------- forecasts and analyses
def test_forecasts_are_listed_and_shown_with_who_signed_them(desk: Desk) -> None:
    assert ids(desk.forecast("list")) == ["forecast-0001"]
    for name in ((), ("forecast-0001",)):
        shown = PublishedForecast.model_validate_json(desk.forecast("show", *name).stdout)
        assert shown.forecast.id == "forecast-0001"
    missing = desk.forecast("show", "forecast-9999")
    assert (missing.exit_code, "unknown-publication" in missing.stderr) == (2, True)


def test_what_stood_on_a_day_is_asked_for_by_the_day(desk: Desk) -> None:
    (published,) = [datetime.fromisoformat(each["published_at"]) for each in json.loads(desk.forecast("list").stdout)]
    bangkok = published.astimezone(timezone(timedelta(hours=7)))
    for then in (f"{bangkok:%Y-%m-%d}", bangkok.isoformat(), f"{bangkok:%Y-%m-%dT%H:%M:%S.%f}", published.isoformat()):
        assert ids(desk.forecast("list", "--as-of", then)) == ["forecast-0001"]
    for then in (f"{bangkok - timedelta(days=1):%Y-%m-%d}", f"{bangkok - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"):
        assert ids(desk.forecast("list", "--as-of", then)) == []
    for wrong in ("yesterday", "2199-01-01"):
        answer = desk.forecast("list", "--as-of", wrong)
        assert (answer.exit_code, "as-of" in answer.stderr) == (2, True)


@pytest.mark.usefixtures("people")
def test_people_see_forecasts_and_analyses_in_words(desk: Desk) -> None:
    assert "valid" in desk.forecast("list").stdout
    shown = desk.forecast("show").stdout
    assert "signed by oja#client-1, checked" in shown
    assert "1.0 (0-2)" in shown
    listed = desk.analysis("list", "--kind", "warnings").stdout
    assert ("analysis-0001" in listed, "clock-1" in listed) == (True, False)
    analysis = desk.analysis("show", "warnings").stdout
    assert "signed by oja#client-1, checked" in analysis
    assert "More than usual" in analysis
    assert "below-noise" in analysis


def test_analyses_are_listed_by_kind_and_shown_by_kind_or_name(desk: Desk) -> None:
    assert ids(desk.analysis("list")) == ["clock-1", "analysis-0001"]
    assert ids(desk.analysis("list", "--kind", "crime-clock")) == ["clock-1"]
    for name in ("crime-clock", "clock-1"):
        shown = PublishedAnalysis.model_validate_json(desk.analysis("show", name).stdout)
        assert shown.analysis.id == "clock-1"
    assert desk.analysis("show", "caseload").exit_code == 4
    assert rows_of(desk.analysis("show", "warnings", "--csv", "provinces").stdout)[0]["province"] == "10"


def test_an_analysis_is_written_as_workbook_table_or_json(desk: Desk, tmp_path: Path) -> None:
    for name in ("all.xlsx", "all.json"):
        assert desk.analysis("export", "clock-1", str(tmp_path / name)).exit_code == 0
    assert PublishedAnalysis.model_validate_json((tmp_path / "all.json").read_bytes()).analysis.id == "clock-1"
    book = openpyxl.load_workbook(tmp_path / "all.xlsx", read_only=True)
    assert book.sheetnames == ["1 provinces", "2 hours", "about"]
    about = list(book["about"].iter_rows(values_only=True))
    assert ("analysis", "clock-1") in about
    assert any(row[0] == "finding" and "below-noise" in str(row[1]) for row in about)
    book.close()
    for arguments in (("clock-1", "--table", "hours"), ("warnings",)):
        name, *more = arguments
        assert desk.analysis("export", name, str(tmp_path / "one.csv"), *more).exit_code == 0
        assert rows_of((tmp_path / "one.csv").read_text())[1]["excess"] == "-3"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("clock-1", "x.csv"), "unknown-publication"), (("clock-1", "x.pdf"), "unknown-format")],
)
def test_an_export_that_cannot_be_is_told(desk: Desk, tmp_path: Path, arguments: tuple[str, str], code: str) -> None:
    answer = desk.analysis("export", arguments[0], str(tmp_path / arguments[1]))
    assert (answer.exit_code, code in answer.stderr) == (2, True)


# ---------------------------------------------------------------- plans
def test_a_plan_is_added_changed_shown_and_exported(desk: Desk, tmp_path: Path) -> None:
    check = desk.plan("add", "CNX-1", *PLAN, *WALK, "--check")
    assert json.loads(check.stdout)["new"] == ["CNX-1"]
    assert ids(desk.plan("list", "--province", "50")) == []
    assert json.loads(desk.plan("add", "CNX-1", *PLAN, *WALK).stdout)["new"] == ["CNX-1"]
    assert json.loads(desk.plan("add", "CNX-1", *PLAN, *WALK).stdout)["unchanged"] == ["CNX-1"]
    assert json.loads(desk.plan("add", "CNX-1", *PLAN).stdout)["changed"] == ["CNX-1"]
    assert [each["plan"]["version"] for each in json.loads(desk.plan("show", "CNX-1").stdout)] == [2, 1]
    assert ids(desk.plan("list", "--owner", "rtp")) == []
    assert desk.plan("export", str(tmp_path / "plans.csv")).exit_code == 0
    (row,) = [each for each in rows_of((tmp_path / "plans.csv").read_text()) if each["id"] == "CNX-1"]
    assert (row["owner"], row["version"], row["target_percent"]) == ("oja", "2", "-15.0")
    assert row in rows_of(desk.plan("export", "-", "--province", "50").stdout)
    assert {"id": "CNX-1", "end": "2026-08-01", "target": "-15.0"}.items() <= rows_of(
        desk.plan("export", "-", "--for-evaluation").stdout
    )[0].items()


def good_row(desk: Desk, name: str) -> dict[str, str]:
    desk.plan("add", "CNX-MODEL", *PLAN, *WALK)
    text = desk.plan("export", "-", "--province", "50").stdout
    return next(each for each in rows_of(text) if each["id"] == "CNX-MODEL") | {"id": name}


def test_a_file_with_one_bad_row_registers_nothing_and_names_every_row(desk: Desk, tmp_path: Path) -> None:
    good = good_row(desk, "CNX-10")
    bad = [
        good,
        good | {"id": "CNX-11", "province": "99", "target_percent": ""},
        good | {"id": "CNX-12", "forecast": "forecast-9999"},
        good | {"id": "CNX-13", "start": "2569-02-01", "activity_place": "บ้านนายสมชาย ใจดี"},
    ]
    answer = desk.plan("import", str(write(tmp_path / "bad.csv", bad)))
    assert (answer.exit_code, "plans-not-registered" in answer.stderr) == (3, True)
    for told in (
        "3: province: unknown-province",
        "3: target: target-not-one",
        "4: forecast: unknown-forecast",
        "5: start: not-common-era",
        "5: activity_place: names-a-person",
        "ทะเบียนนี้ไม่ระบุตัวบุคคล",
    ):
        assert told in answer.stderr
    assert "2: " not in answer.stderr.replace("12: ", "")
    assert "CNX-10" not in ids(desk.plan("list"))


def test_a_good_file_is_registered_whole_and_again_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    rows = [good_row(desk, f"CNX-2{place}") for place in range(3)]
    path = str(write(tmp_path / "good.csv", rows))
    assert json.loads(desk.plan("import", path, "--check").stdout)["new"] == ["CNX-20", "CNX-21", "CNX-22"]
    assert json.loads(desk.plan("import", path).stdout)["new"] == ["CNX-20", "CNX-21", "CNX-22"]
    write(Path(path), [rows[0], rows[1] | {"end": "2026-12-31"}])
    done = json.loads(desk.plan("import", path).stdout)
    assert (done["changed"], done["unchanged"]) == (["CNX-21"], ["CNX-20"])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", "CNX-3", *PLAN, "--activity", "2026-02-14|one"), 2, "--activity"),
        (("add", "CNX-3", *PLAN, "--count", "5"), 3, "target-not-one"),
        (("import", "missing.csv"), 2, "file-unreadable"),
        (("show", "CNX-NONE"), 2, "unknown-publication"),
        (("list", "--province", "99"), 2, "province"),
    ],
)
def test_what_makes_no_sense_is_told(desk: Desk, arguments: tuple[str, ...], code: int, says: str) -> None:
    answer = desk.plan(*arguments)
    assert (answer.exit_code, says in answer.stderr) == (code, True)


@pytest.mark.usefixtures("people")
def test_people_see_plans_in_words(desk: Desk, tmp_path: Path) -> None:
    desk.plan("add", "CNX-4", *PLAN, *WALK, "--group", "G4")
    listed = desk.plan("list").stdout
    assert "เชียงใหม่" in listed
    shown = desk.plan("show", "CNX-4").stdout
    assert "Market walk" in shown
    assert "enforcement" in shown
    assert "never read it as risk" in shown
    assert "CNX-40" in desk.plan("import", str(write(tmp_path / "p.csv", [good_row(desk, "CNX-40")]))).stdout


# ---------------------------------------------------------------- and what is flagged
def test_what_cites_a_withdrawn_release_is_flagged_wherever_it_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.plan("add", "CNX-5", *PLAN)
    world = desk.served.world()
    before = world.now.isoformat()
    world = desk.served.world()
    withdraw(world, desk.release)
    name = desk.release.body.id
    for answer in (desk.forecast("show"), desk.analysis("show", "warnings")):
        assert (answer.exit_code, name in answer.stderr) == (0, True)
    then = desk.forecast("show", "--as-of", before)
    assert "since" in then.stderr
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setattr("saphan.output.Console", lambda **kinds: Console(width=400, **kinds))
    assert f"FLAGGED · {name}" in desk.forecast("list").stdout
    assert "flagged since" in desk.analysis("list", "--as-of", before).stdout
    assert "forecast-flagged" in desk.plan("list").stdout
    assert "flagged since" in desk.plan("list", "--as-of", before).stdout
