"""The command line against a served gateway: data on standard output, words on standard error, exit codes by family."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.registry import TIMESTAMP_LIFE
from contracts.release import Release
from contracts.views import Preview
from saphan.__main__ import command_line
from tests import factories
from tests.gateway_world import CONTRACT
from tests.registry_world import home_with, registry_of
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

AGREED = factories.agreement((CONTRACT,), period=factories.period("2025-10-01", "2056-10-01"))
QUESTION = (
    *("--agreement", AGREED.id, "--activity", factories.ACTIVITY, "--measure", "count"),
    *("--by", "month", "--by", "province", "--where", "province=10,50"),
    *("--from", "2025-10-01", "--until", "2026-01-01", "--nano-rho", "10000000"),
)


@dataclass(frozen=True)
class Desk:
    served: Served
    oja: Path
    ccib: Path

    def run(self, *arguments: str, home: Path | None = None) -> Result:
        return CliRunner().invoke(command_line(arguments), [*arguments, "--home", str(home or self.oja)])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("cli")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREED)
        yield Desk(served, served.member_home(folder / "oja", "oja"), served.member_home(folder / "ccib", "ccib"))


@pytest.fixture(scope="module")
def released(desk: Desk) -> Release:
    waiting = desk.run("ask", *QUESTION, "--wait", "0")
    assert waiting.exit_code == 4, waiting.stderr
    assert "CCIB" in waiting.stderr
    assert "waiting-for-agency (1301)" in waiting.stderr
    assert "at most the request's price is reserved" in waiting.stderr
    assert "no budget was spent" not in waiting.stderr
    desk.served.world().answer()
    answered = desk.run("ask", *QUESTION, "--wait", "20", "--json")
    assert answered.exit_code == 0, answered.stderr
    return Release.model_validate_json(answered.stdout)


def test_a_preview_is_printed_as_json_when_piped(desk: Desk) -> None:
    shown = desk.run("preview", *QUESTION)
    assert shown.exit_code == 0, shown.stderr
    assert Preview.model_validate_json(shown.stdout).cells == 6


def test_a_release_is_shown_listed_and_exported(desk: Desk, released: Release, tmp_path: Path) -> None:
    shown = desk.run("release", "show", released.body.id)
    assert Release.model_validate_json(shown.stdout).digest == released.digest
    listed = json.loads(desk.run("release", "list").stdout)
    assert [each["id"] for each in listed] == [released.body.id]
    file = tmp_path / "answer.csv"
    exported = desk.run("release", "export", released.body.id, str(file))
    assert (exported.exit_code, exported.stdout) == (0, "")
    assert pd.read_csv(file)["count"].to_list() == list(released.body.released[0].cells)


@pytest.mark.parametrize("verb", ["run", "warnings", "backtest", "factors", "flow", "evaluate --holidays"])
def test_what_show_prints_as_json_is_what_the_forecasts_read(
    desk: Desk, released: Release, tmp_path: Path, verb: str
) -> None:
    file = tmp_path / "crimes.json"
    file.write_text(desk.run("release", "show", released.body.id, "--json").stdout, encoding="utf-8")
    words = ["forecast", *verb.split(), str(file), "--json"]
    refused = json.loads(CliRunner().invoke(command_line(words), words).stdout)
    # It was read as a release, and three months are too few.
    assert refused["code"] not in {"malformed-body", "unknown-format"}, refused


def test_on_a_terminal_show_tells_the_terms_and_asking_stays_short(
    desk: Desk, released: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    shown, asked = desk.run("release", "show", released.body.id), desk.run("ask", *QUESTION)
    for answer in (shown, asked):
        assert released.body.id in [line.strip() for line in answer.stdout.splitlines()]
    for wanted in ("protects", "of the log, checked", "10,000,000 nano-rho"):
        assert wanted in shown.stdout
        assert wanted not in asked.stdout


def test_asking_may_write_a_file_at_once(desk: Desk, released: Release, tmp_path: Path) -> None:
    file = tmp_path / "answer.xlsx"
    asked = desk.run("ask", *QUESTION, "--export", str(file))
    assert Release.model_validate_json(asked.stdout).body == released.body
    assert file.stat().st_size > 0


def test_the_budget_shows_what_was_spent(desk: Desk, released: Release) -> None:
    view = json.loads(desk.run("budget").stdout)
    assert {each["loss"]["spent"] for each in view["windows"]} == {0, 10_000_000}
    assert view["sources"][0]["loss"]["spent"] == view["federation"]["loss"]["spent"] == 10_000_000


def test_a_log_is_exported_and_verified_without_the_gateway(desk: Desk, released: Release, tmp_path: Path) -> None:
    folder, table = tmp_path / "log", tmp_path / "requests.csv"
    assert desk.run("audit", "export", str(folder)).exit_code == 0
    found = json.loads(desk.run("audit", "verify", str(folder), "--csv", str(table)).stdout)
    live = json.loads(desk.run("audit", "verify").stdout)
    assert (found["verified"], found["size"]) == (True, live["size"])
    (use,) = found["uses"]
    assert (use["requester"], use["agreement"], use["activity"]) == ("oja", released.body.agreement, "monthly-risk")
    assert use["requests"] >= use["released"] >= 1
    assert use["charged"] >= sum(each.nano_rho for each in released.body.charges)
    rows = {row["request"]: row for row in csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines())}
    row = rows[released.body.request_id]
    assert (row["release"], row["outcome"], row["agencies"]) == (released.body.id, "released", "ccib")

    bundle = next((folder / "tile" / "entries").rglob("*.p")) / str(live["size"])
    bundle.write_bytes(bundle.read_bytes().replace(b"data.requested", b"data.withheld!", 1))
    changed = desk.run("audit", "verify", str(folder), "--json")
    assert changed.exit_code == 5
    assert "log-entry-changed" in changed.stdout


def test_on_a_terminal_the_checks_read_as_tables_in_both_languages(
    desk: Desk, released: Release, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, file = tmp_path / "log", tmp_path / "release.json"
    file.write_text(desk.run("release", "show", released.body.id, "--json").stdout, encoding="utf-8")
    desk.run("audit", "export", str(folder))
    size = json.loads(desk.run("audit", "verify", str(folder)).stdout)["size"]
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setenv("COLUMNS", "160")
    log = desk.run("audit", "verify", str(folder), "--since", str(folder)).stdout
    one = desk.run("audit", "prove", str(file)).stdout
    for shown in (log, one):
        assert "ถูกต้อง · verified" in shown
        assert "ไม่มีหน่วยงานใด · no agency" in shown
        for unread in ("[", "True", "None", "keys known until"):
            assert unread not in shown
    for wanted in ("millions of nano-rho", "ล้าน nano-rho", "ผู้ขอ", "requester", "monthly-risk", f"{size:,}"):
        assert wanted in log
    assert "only grown since" in log
    assert released.digest in one


def test_an_auditor_without_a_home_brings_the_pinned_keys_along(desk: Desk, released: Release, tmp_path: Path) -> None:
    folder, pinned = tmp_path / "log", desk.oja / "federation.json"
    desk.run("audit", "export", str(folder))
    assert (folder / "federation.json").is_file()
    arguments = ("audit", "verify", str(folder), "--federation", str(pinned))

    assert desk.run(*arguments).exit_code == 0
    short = desk.run(*arguments, "--quorum", "1", "--json")
    assert (short.exit_code, "log-quorum-missing" in short.stdout) == (5, True)
    assert desk.run("audit", "verify", str(folder), "--federation", str(folder / "checkpoint")).exit_code == 2


def test_most_of_those_that_witness_must_stand_by_a_log_unless_the_auditor_says_otherwise(
    desk: Desk, released: Release, tmp_path: Path
) -> None:
    folder, file, pinned = tmp_path / "log", tmp_path / "release.json", tmp_path / "federation.json"
    desk.run("audit", "export", str(folder))
    file.write_text(desk.run("release", "show", released.body.id, "--json").stdout, encoding="utf-8")
    federation = desk.served.keys.federation
    ccib = federation.member("ccib")
    assert ccib is not None
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    witness = new_key("ccib#witness-1").public_key(KeyPurpose.WITNESS, start, start + timedelta(days=9))
    others = [each for each in federation.members if each.agency != "ccib"]
    members = (*others, ccib.model_copy(update={"keys": (*ccib.keys, witness)}))
    pinned.write_text(federation.model_copy(update={"members": members}).model_dump_json())

    assert "nobody but the gateway" in desk.run("audit", "verify", str(folder)).stderr
    for command in (("audit", "verify", str(folder)), ("audit", "prove", str(file))):
        short = desk.run(*command, "--federation", str(pinned), "--json")
        assert (short.exit_code, "log-quorum-missing" in short.stdout) == (5, True)
        assert desk.run(*command, "--federation", str(pinned), "--quorum", "0").exit_code == 0


def test_a_home_that_pins_a_root_verifies_files_by_what_it_knows_and_asks_no_gateway(
    desk: Desk, released: Release, tmp_path: Path
) -> None:
    folder, file, home = tmp_path / "log", tmp_path / "release.json", tmp_path / "home"
    desk.run("audit", "export", str(folder))
    file.write_text(desk.run("release", "show", released.body.id, "--json").stdout, encoding="utf-8")
    looked = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    registry = registry_of(desk.served.keys, looked)
    home_with(home, registry.served["metadata/1.root.json"])
    registry.read(home, looked)
    (home / "saphan.toml").write_text('agency = "oja"\ngateway = "http://127.0.0.1:1"\n')

    found = desk.run("audit", "verify", str(folder), home=home)
    younger = desk.run("audit", "prove", str(file), "--json", home=home)

    assert found.exit_code == 0, found.stderr
    assert datetime.fromisoformat(json.loads(found.stdout)["keys_known_until"]) == looked + TIMESTAMP_LIFE
    assert (younger.exit_code, "registry-expired" in younger.stdout) == (4, True)


def test_an_auditor_without_a_home_brings_a_copy_of_the_registry_and_its_root(
    desk: Desk, released: Release, tmp_path: Path
) -> None:
    folder, file = tmp_path / "log", tmp_path / "release.json"
    desk.run("audit", "export", str(folder))
    file.write_text(desk.run("release", "show", released.body.id, "--json").stdout, encoding="utf-8")
    now = datetime.now(UTC).replace(microsecond=0)
    copy = registry_of(desk.served.keys, now).write(tmp_path / "registry")
    root, nowhere = tmp_path / "root.json", tmp_path / "nowhere"
    root.write_bytes((copy / "metadata" / "1.root.json").read_bytes())
    words = ("--registry", str(copy), "--root", str(root), "--json")
    checks = (("audit", "verify", str(folder)), ("audit", "prove", str(file)))

    for check in checks:
        found = desk.run(*check, *words, home=nowhere)
        assert found.exit_code == 0, found.output
        assert datetime.fromisoformat(json.loads(found.stdout)["keys_known_until"]) == now + TIMESTAMP_LIFE
        # The copy has its time, and of what came later it says nothing.
        assert "registry-expired" in desk.run(*check, *words, "--at", f"{now + timedelta(days=3):%Y-%m-%d}").stdout
        root.write_bytes(registry_of(factories.federation(), now).signers.root())
        assert "registry-forged" in desk.run(*check, *words).stdout
        root.write_bytes((copy / "metadata" / "1.root.json").read_bytes())


@pytest.mark.parametrize(
    "words", [("verify", "--federation", "f.json"), ("verify", "log", "--federation", "f.json", "--registry", "r")]
)
def test_keys_that_would_not_be_used_are_refused_and_not_left_unsaid(desk: Desk, words: tuple[str, ...]) -> None:
    (folder := desk.oja / "odd-log").mkdir(exist_ok=True)
    (folder / "checkpoint").touch()
    refused = desk.run("audit", *(str(folder) if each == "log" else each for each in words))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--federation" in refused.stderr


def test_a_log_that_grew_is_proved_to_have_grown(desk: Desk, released: Release, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    desk.run("audit", "export", str(before))
    desk.run("ask", *QUESTION[:-1], "1000000", "--wait", "0")
    desk.run("audit", "export", str(after))

    grown = json.loads(desk.run("audit", "verify", str(after), "--since", str(before)).stdout)
    shrunk = desk.run("audit", "verify", str(before), "--since", str(after / "checkpoint"), "--json")

    assert grown["since"] < grown["size"]
    assert (shrunk.exit_code, "log-checkpoint-wrong" in shrunk.stdout) == (5, True)


def test_one_release_is_proved_without_the_gateway(desk: Desk, released: Release, tmp_path: Path) -> None:
    file = tmp_path / "release.json"
    file.write_text(desk.run("release", "show", released.body.id, "--json").stdout, encoding="utf-8")

    found = json.loads(desk.run("audit", "prove", str(file)).stdout)
    bare = tmp_path / "bare.json"
    bare.write_text(released.model_copy(update={"receipt": None}).model_dump_json(by_alias=True), encoding="utf-8")

    assert (found["release"], found["verified"], found["witnesses"]) == (released.body.id, True, [])
    assert desk.run("audit", "prove", str(bare)).exit_code == 5
    assert desk.run("audit", "prove", str(file), "--quorum", "1").exit_code == 5
    assert desk.run("audit", "prove", str(tmp_path / "none")).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("release", "show", "REL-NONE"), 2, "unknown-release"),
        (("audit", "verify", "nonexistent"), 2, "ไม่พบไฟล์ nonexistent/checkpoint"),
        (("audit", "prove", "none.json"), 2, "The file none.json is not there"),
        (("audit", "prove", "none.json", "--federation", "f.json"), 2, "The file f.json is not there"),
        (("audit", "prove", "none.json", "--registry", "copy"), 2, "registry-copy-half (1553)"),
        (("audit", "prove", "none.json", "--registry", "copy", "--root", "r.json"), 2, "The file r.json is not there"),
        (("release", "verify", "none.json"), 2, "file-unreadable (1152)"),
        (("preview", *QUESTION, "--from", "2568-10-01", "--until", "2569-10-01"), 2, "write 2025 for 2568"),
        (("preview", *QUESTION, "--from", "2568-10-01"), 2, "year-of-buddhist-era (1552)"),
        (("preview", *QUESTION, "--from", "abc"), 2, "From abc until 2026-01-01 is no period"),
        (("preview", *QUESTION, "--from", "2026-01-01"), 2, "period-unclear (1551)"),
        (("release", "withdraw", "REL-NONE", "--reason", "no"), 2, "malformed-body"),
        (("ask", *QUESTION[:-1], "900000000"), 3, "price-above-activity"),
        (("preview", *QUESTION, "--where", "nonsense"), 2, "malformed-body"),
        (("preview", *QUESTION, "--where", "province=90"), 2, "malformed-body"),
        (("preview", *QUESTION, "--contract", "nothing"), 2, "unknown-contract"),
        (("preview", *QUESTION, "--agreement", "oja"), 2, "unknown-agreement"),
        (("preview", *QUESTION, "--agreement", "ข้อตกลง"), 2, "unknown-agreement"),
        (("release", "show", "x"), 2, "unknown-release"),
        (("preview", *QUESTION, "--by", "nonsense"), 2, "Choose from: month, province, case_type, hour."),
        (("preview", *QUESTION, "--measure", "nonsense:sum"), 2, "Choose one of: count, damage_thb:sum"),
        (("ask", *QUESTION, "--by", "nonsense"), 2, "no budget was spent"),
    ],
)
def test_an_error_is_told_in_both_languages_with_its_exit_code(
    desk: Desk, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    answer = desk.run(*arguments)
    assert answer.exit_code == exit_code, answer.stderr
    assert said in answer.stderr
    assert any("\u0e01" <= letter <= "\u0e5b" for letter in answer.stderr)
    assert answer.stdout == ""


def test_an_error_is_a_problem_for_programs(desk: Desk) -> None:
    answer = desk.run("release", "show", "REL-NONE", "--json")
    assert json.loads(answer.stdout)["code"] == "unknown-release"


def test_a_home_without_keys_or_settings_is_said_to_be_wrong(desk: Desk, tmp_path: Path) -> None:
    empty = desk.run("budget", home=tmp_path)
    assert (empty.exit_code, "setting-invalid" in empty.stderr) == (2, False)
    assert "pass --home DIR or set SAPHAN_HOME" in empty.stderr
    assert str(tmp_path) not in empty.stderr
    (tmp_path / "saphan.toml").write_text(f'agency = "oja"\ngateway = "{desk.served.url}"\n')
    assert "members-unknown (1555)" in desk.run("budget", home=tmp_path).stderr
    (tmp_path / "federation.json").write_bytes((desk.oja / "federation.json").read_bytes())
    assert "oja#connector" in desk.run("budget", home=tmp_path).stderr


def test_a_withdrawn_release_is_still_exported_but_said_to_be_withdrawn(
    desk: Desk, released: Release, tmp_path: Path
) -> None:
    withdrawn = desk.run("release", "withdraw", released.body.id, "--reason", "wrong code list")
    assert Release.model_validate_json(withdrawn.stdout).withdrawal is not None
    exported = desk.run("release", "export", released.body.id, str(tmp_path / "answer.parquet"))
    assert "no longer to be relied on" in exported.stderr
