"""``saphan contract diff | publish | retire`` of an agency against a served gateway."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from contracts.canonical import canonical_bytes
from contracts.contract_diff import Version
from contracts.dataset import ContractRef
from contracts.odcs import bundled_text
from contracts.signing import sign_document
from contracts.views import PublishedContract
from gateway import events
from gateway.store import registry
from saphan import connector_commands
from saphan.contract_changes_commands import Contracts, Difference
from saphan.contract_commands import app
from tests.contract_texts import breaking, tighter, version, weaker
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Desk:
    served: Served
    home: Path
    folder: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(self.home)])

    def connector(self, *arguments: str) -> Result:
        return CliRunner().invoke(connector_commands.app, [*arguments, "--home", str(self.home)])

    def file(self, each: Version) -> str:
        path = self.folder / f"{each.contract.digest[-12:]}.yaml"
        path.write_text(yaml.safe_dump(dict(each.document), allow_unicode=True), encoding="utf-8")
        return str(path)

    def published(self) -> dict[str, PublishedContract]:
        return {each.reference.version: each for each in self.served.world().exchange.contracts()}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Probation's home, whose contract stands on the gateway and on its own list."""
    folder = tmp_path_factory.mktemp("contracts")
    with served_gateway(folder / "gateway") as served:
        home = served.member_home(folder / "dop", "dop")
        (home / "secrets").mkdir()
        (home / "secrets" / "saphan_source").write_text("sqlite:///nowhere.db")
        (home / "contracts").mkdir()
        (home / "contracts" / "dop_case.odcs.yaml").write_text(bundled_text("dop_case"), encoding="utf-8")
        desk = Desk(served, home, folder)
        assert references(desk.connector("publish", "--json")) == [version().contract.reference]
        assert desk.connector("approve").exit_code == 0
        yield desk


def references(result: Result) -> list[ContractRef]:
    assert result.exit_code == 0, result.output
    return list(Contracts.model_validate_json(result.stdout).contracts)


def difference(result: Result, exit_code: int = 0) -> Difference:
    assert result.exit_code == exit_code, result.output
    return Difference.model_validate_json(result.stdout)


def test_a_file_is_compared_with_what_the_gateway_publishes(desk: Desk) -> None:
    by_name = difference(desk.run("diff", "dop_case@1.0.0", desk.file(tighter("1.1.0")), "--json"))
    by_digest = desk.run("diff", version().contract.digest, desk.file(tighter("1.1.0")), "--json")

    assert difference(by_digest) == by_name
    assert [each.rule for each in by_name.changes] == ["budget-lowered"]
    assert (by_name.weakens, by_name.breaks, by_name.needs, by_name.least) == (False, False, "minor", "1.1.0")


def test_a_version_that_is_too_low_is_told_in_both_languages_and_ends_with_3(desk: Desk) -> None:
    shown = desk.run("diff", "dop_case", desk.file(weaker("1.1.0")))

    assert shown.exit_code == 3
    assert "coverage.firstMonth: 2020-01 -> 2019-01" in shown.stdout
    assert "ลดการคุ้มครอง/weakens privacy" in shown.stdout
    assert "Earlier months may be asked." in shown.stdout
    assert "เปิดให้ถามเดือนย้อนหลังมากขึ้น" in shown.stdout
    assert "needs version 2.0.0 or higher (major), which it is not" in shown.stdout
    assert "contract-weaker-than-version (1241)" in shown.stdout
    told = difference(desk.run("diff", "dop_case", desk.file(breaking("1.1.0")), "--json"), 3)
    assert ([each.code for each in told.refused], told.enough) == (["contract-breaks-under-version"], False)


def test_a_version_that_rises_enough_and_one_that_is_the_same_end_with_0(desk: Desk) -> None:
    assert "which it is\n" in desk.run("diff", "dop_case", desk.file(weaker("2.0.0"))).stdout
    assert "no difference" in desk.run("diff", "dop_case", "dop_case").stdout
    assert difference(desk.run("diff", "dop_case", "dop_case", "--json")).enough


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("no_such_thing", "unknown-contract"),
        ("dop_case@7.0.0", "unknown-contract"),
        (f"sha-256:{'0' * 64}", "unknown-contract"),
        ("crimes_case", "contracts-of-two-datasets"),
    ],
)
def test_what_cannot_be_compared_is_invalid_input(desk: Desk, wanted: str, code: str) -> None:
    shown = desk.run("diff", "dop_case", wanted)

    assert shown.exit_code == 2
    assert shown.stderr.startswith(code)


@pytest.mark.parametrize(("content", "code"), [(b"\xff", "file-unreadable"), (b" " * 1_000_001, "contract-invalid")])
def test_a_file_that_is_no_contract_is_invalid_input(desk: Desk, content: bytes, code: str) -> None:
    file = desk.folder / "odd.yaml"
    file.write_bytes(content)

    assert desk.run("diff", "dop_case", str(file)).stderr.startswith(code)


def test_a_contract_that_the_gateway_altered_is_not_believed(desk: Desk) -> None:
    def smuggle(number: str, *kids: str, kind: str = "contract") -> str:
        each = weaker(number)
        document = sign_document(canonical_bytes(each.document), kind, *(desk.served.keys[kid] for kid in kids))
        shown = version(number).contract.model_copy(update={"id": "dop_shown"})
        world = desk.served.world()
        with world.store.transaction() as t:
            registry.add_contract(t, shown, document, world.now, events.contract_published(shown, world.now))
        return shown.digest

    digest = smuggle("8.0.0", "dop#steward-1", "dop#dpo-1")
    smuggle("8.1.0", "dop#steward-1", "rtp#dpo-1")
    smuggle("8.2.0", "dop#steward-1")
    smuggle("8.3.0", "dop#steward-1", "dop#dpo-1", kind="contract-retirement")

    for wanted in ("dop_shown@8.0.0", digest, "dop_shown@8.1.0", "dop_shown@8.2.0"):
        shown = desk.run("diff", "dop_case", wanted)
        assert (shown.exit_code, shown.stderr.partition(" ")[0]) == (5, "contract-altered")
    assert desk.run("diff", "dop_case", "dop_shown@8.3.0").stderr.startswith("signature-wrong")


def test_a_new_version_is_published_and_kept_approved_and_the_old_one_retired_for_good(desk: Desk) -> None:
    low = desk.run("publish", desk.file(weaker("1.1.0")))
    assert (low.exit_code, low.stderr.partition(" ")[0]) == (3, "contract-weaker-than-version")
    file = desk.file(weaker("2.0.0"))
    assert references(desk.run("publish", file, "--json")) == [weaker("2.0.0").contract.reference]
    assert (desk.home / "contracts" / "dop_case.odcs.yaml").read_text() == Path(file).read_text()
    assert (desk.home / "contracts" / "earlier" / "dop_case-1.0.0.odcs.yaml").is_file()
    assert desk.connector("approve").exit_code == 0

    old = version().contract
    assert references(desk.run("retire", old.digest, "--reason", "replaced by 2.0.0", "--json")) == [old.reference]
    again = desk.connector("retire", old.digest, "--reason", "once more")
    assert (again.exit_code, again.stdout) == (0, f"dop_case 1.0.0 {old.digest}\n")

    published = desk.published()
    assert published["2.0.0"].retired is None
    assert published["1.0.0"].retired is not None
    assert published["1.0.0"].retired.retirement.reason == "replaced by 2.0.0"
    journal = json.loads(desk.connector("journal", "--json").stdout)
    assert [each["contract"]["version"] for each in journal["approved"]] == ["2.0.0"]


def test_what_the_agency_does_not_know_is_not_retired(desk: Desk) -> None:
    unknown = desk.run("retire", f"sha-256:{'0' * 64}", "--reason", "x")

    assert (unknown.exit_code, unknown.stderr.partition(" ")[0]) == (2, "unknown-contract")


def test_a_retirement_stands_on_the_own_list_even_while_the_gateway_is_away(desk: Desk) -> None:
    settings = desk.home / "saphan.toml"
    before = settings.read_text()
    settings.write_text('agency = "dop"\ngateway = "http://127.0.0.1:9"\n')
    newest = weaker("2.0.0").contract.digest
    desk.connector("approve", desk.file(weaker("2.0.0")))

    away = desk.run("retire", newest, "--reason", "a mistake", "--json")
    settings.write_text(before)

    assert (away.exit_code, json.loads(away.stdout)["code"]) == (4, "gateway-unreachable")
    assert json.loads(desk.connector("journal", "--json").stdout)["approved"] == []
