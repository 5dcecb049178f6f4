"""``saphan agreement`` against a served gateway: people act by their own keys, and anybody verifies what was done."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.agreement import Agreement
from contracts.views import AgreementView
from saphan.agreement_commands import app
from saphan.agreement_tables import agreement_table, agreements_table, history_table
from tests import factories
from tests.gateway_world import CONTRACT
from tests.registry_world import registry_of
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

LONG = factories.period("2025-10-01", "2056-10-01")
AGREED = factories.agreement((CONTRACT,), period=LONG)
SCAM = ("--because", "privacy-risk", "--reason", "ขอบเขตกว้างเกินไป")


@dataclass(frozen=True)
class Desk:
    served: Served
    folder: Path
    oja: Path
    ccib: Path

    def run(self, *arguments: str, by: str = "oja") -> Result:
        home = self.oja if by == "oja" else self.ccib
        return CliRunner().invoke(app, [*arguments, "--home", str(home), "--json"])

    def does(self, *arguments: str, by: str = "oja") -> AgreementView:
        """What a command that must work prints."""
        done = self.run(*arguments, by=by)
        assert done.exit_code == 0, done.stderr
        return AgreementView.model_validate_json(done.stdout)

    def file(self, agreed: Agreement) -> str:
        path = self.folder / f"{agreed.id}-{agreed.version}.json"
        path.write_text(agreed.model_dump_json(by_alias=True))
        return str(path)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("agreements")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREED)
        homes = (served.member_home(folder / each, each) for each in ("oja", "ccib"))
        yield Desk(served, folder, *homes)


def agreed(name: str, **changes: object) -> Agreement:
    return factories.agreement((CONTRACT,), **({"id": name, "period": LONG} | changes))


def in_force(desk: Desk, name: str) -> AgreementView:
    desk.does("propose", desk.file(agreed(name)))
    for who in ("officer", "dpo"):
        desk.does("approve", name, "--as", who, by="ccib")
    return desk.does("sign", name)


def test_drafted_proposed_reviewed_approved_and_signed_by_who_must(desk: Desk) -> None:
    name = "AGR-2569-101"
    states = [
        desk.does("draft", desk.file(agreed(name))),
        desk.does("propose", name, "--key", "oja#officer-2"),
        desk.does("review", name, by="ccib"),
        desk.does("approve", name, by="ccib"),
        desk.does("approve", name, "--as", "dpo", by="ccib"),
        desk.does("sign", name),
    ]

    assert [each.state.value for each in states] == [
        *("draft", "submitted", "under_review", "under_review", "approved", "active"),
    ]
    assert states[-1].signed_by == ("ccib#dpo-1", "ccib#officer-1", "oja#officer-2")


def test_the_drafter_is_not_the_signer_even_if_asked_to_be(desk: Desk) -> None:
    name = "AGR-2569-102"
    desk.does("propose", desk.file(agreed(name)))
    for who in ("officer", "dpo"):
        desk.does("approve", name, "--as", who, by="ccib")

    refused = desk.run("sign", name, "--key", "oja#officer-1")

    assert refused.exit_code == 3
    assert "approves-own-draft" in refused.stderr


def test_a_counter_offer_is_accepted(desk: Desk) -> None:
    name = "AGR-2569-103"
    first = desk.does("propose", desk.file(agreed(name)))
    offer = agreed(name, version=2, supersedes=first.digest, drafted_by="ccib#officer-1", retention_days=7)
    assert desk.does("counter", desk.file(offer), by="ccib").state.value == "countered"
    assert desk.does("accept", name).state.value == "under_review"
    desk.does("approve", name, by="ccib")  # its officer drafted: the second one signs by itself
    desk.does("approve", name, "--as", "dpo", by="ccib")

    assert desk.does("sign", name).signed_by == ("ccib#dpo-1", "ccib#officer-2", "oja#officer-2")


def test_rejected_withdrawn_suspended_resumed_revoked(desk: Desk) -> None:
    desk.does("propose", desk.file(agreed("AGR-2569-104")))
    assert desk.does("reject", "AGR-2569-104", *SCAM, by="ccib").state.value == "rejected"
    desk.does("propose", desk.file(agreed("AGR-2569-105")))
    assert desk.does("withdraw", "AGR-2569-105").state.value == "withdrawn"
    in_force(desk, "AGR-2569-106")
    assert desk.does("suspend", "AGR-2569-106", *SCAM, by="ccib").state.value == "suspended"
    assert "suspended-by-another" in desk.run("resume", "AGR-2569-106").stderr
    assert desk.does("resume", "AGR-2569-106", by="ccib").active
    assert desk.does("revoke", "AGR-2569-106", *SCAM).state.value == "revoked"


def test_a_history_is_verified_without_the_gateway_and_a_bent_one_is_found_out(desk: Desk) -> None:
    in_force(desk, "AGR-2569-107")
    told = desk.run("history", "AGR-2569-107", by="ccib").stdout
    file = desk.folder / "history.json"
    file.write_text(told)

    verified = desk.run("verify", str(file))
    assert verified.exit_code == 0, verified.stderr
    assert json.loads(verified.stdout)[0]["state"] == "active"
    file.write_text(told.replace('"state":"active"', '"state":"suspended"'))
    bent = desk.run("verify", str(file))
    assert bent.exit_code == 5
    assert "agreement-history-wrong" in bent.stderr


def test_a_history_is_verified_from_a_copy_of_the_registry_and_the_officers_root_alone(desk: Desk) -> None:
    in_force(desk, "AGR-2569-109")
    file = desk.folder / "history-109.json"
    file.write_text(desk.run("history", "AGR-2569-109").stdout)
    at = datetime.now(UTC)
    lying = registry_of(desk.served.keys, at)
    copy = lying.write(desk.folder / "registry")
    root = copy / "metadata" / "1.root.json"

    def verify(*more: str) -> Result:
        words = ["verify", str(file), "--registry", str(copy), "--root", str(root), "--json", *more]
        return CliRunner().invoke(app, words)

    done = verify()
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["agreement"]["id"] == "AGR-2569-109"
    # The copy has its time: later it proves nothing, unless that time is named.
    assert "registry-expired" in verify("--at", f"{at + timedelta(days=3):%Y-%m-%d}").stderr
    # By another federation's root it is nobody's word.
    root.write_bytes(registry_of(factories.federation(), at).signers.root())
    assert "registry-forged" in verify().stderr
    assert verify("--root", "/nonexistent").exit_code == 2
    assert CliRunner().invoke(app, ["verify", str(file), "--registry", str(copy)]).exit_code == 2


def test_versions_are_listed_and_shown(desk: Desk) -> None:
    listed = json.loads(desk.run("list").stdout)

    assert AGREED.id in {each["agreement"]["id"] for each in listed}
    assert desk.does("show", AGREED.id) == desk.does("show", AGREED.id, "--version", "1")


def test_agreements_are_tables_for_people(desk: Desk) -> None:
    from saphan.agreement_commands import _histories  # noqa: PLC0415

    in_force(desk, "AGR-2569-108")
    desk.does("suspend", "AGR-2569-108", *SCAM, by="ccib")
    (history,) = _histories.validate_json(desk.run("history", "AGR-2569-108").stdout)
    waiting = history.view.model_copy(update={"blocked": ("contract-retired",), "signed_by": ()})

    console = Console(width=80)
    with console.capture() as capture:
        console.print(agreement_table(waiting))
    text = capture.get()
    for activity in waiting.agreement.activities:
        assert all(name in text for name in (activity.id, *activity.measures, *activity.dimensions))
        assert all(contract.id in text for contract in activity.contracts)
    assert "contract-retired" in text
    assert agreements_table([waiting]).row_count == 1
    assert history_table([history]).row_count == len(history.acts)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("show", "AGR-NONE"), 2, "unknown-agreement"),
        (("propose", "/nonexistent.json"), 2, "unknown"),
        (("draft", "/nonexistent.json"), 2, "file-unreadable"),
        (("verify", "/nonexistent.json"), 2, "file-unreadable"),
        (("reject", AGREED.id), 2, "reason-missing"),
        (("sign", AGREED.id, "--key", "oja#officer-9"), 2, "key-not-held"),
        (("sign", AGREED.id), 3, "act-not-allowed"),
    ],
)
def test_an_error_is_told_with_its_exit_code(desk: Desk, arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    told = desk.run(*arguments)

    assert told.exit_code == exit_code, told.stderr
    assert said in told.stderr


def test_a_period_that_ends_before_it_starts_is_refused_where_it_stands(desk: Desk, tmp_path: Path) -> None:
    fields = json.loads(agreed("AGR-2569-109").model_dump_json(by_alias=True))
    file = tmp_path / "reversed.json"
    file.write_text(json.dumps(fields | {"period": {"from": "2027-10-01", "until": "2026-10-01"}}))

    told = desk.run("propose", str(file))

    assert told.exit_code == 2
    assert "period" in told.stderr
