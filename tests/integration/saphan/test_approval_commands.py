"""``saphan connector`` suspend, lift, suspensions, requests and decide, on an agency's own home."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from connectors.answer import answer
from connectors.home import Home
from connectors.journal import notices
from connectors.pending import PendingRequest
from contracts.agreement import Approval
from contracts.canonical import digest_of
from contracts.suspension import Suspension
from gateway.main import system_clock
from saphan.connector_commands import app
from tests import factories
from tests.connector_world import PRICE, World, case

pytestmark = pytest.mark.integration


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """CCIB's home, whose gateway is at an address where nobody answers."""
    world = World(tmp_path, factories.federation(), system_clock())
    home = Home(tmp_path)
    home.make()
    for kid, key in world.keys.signing.items():
        if kid.startswith("ccib#"):
            home.save_key(key)
    home.pin(world.keys.federation)
    settings = 'agency = "ccib"\ngateway = "http://127.0.0.1:1"\nsource = "sqlite:///agency.db"\n'
    home.write(home.settings, settings.encode())
    world.approve()
    yield world
    world.journal.close()


def run(world: World, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(world.folder)])


def wait_for_officer(world: World) -> str:
    """A request that was made just now waits; its identifier."""
    asked = case(created=world.now, deliver_until=world.now + timedelta(days=1))
    activity = asked.agreement.activities[0].model_copy(update={"approval": Approval.EACH})
    period = factories.period("2025-10-01", "2056-10-01")
    agreement = asked.agreement.model_copy(update={"activities": (activity,), "period": period})
    asked = replace(asked, agreement=agreement, signed_at=world.now).asking(agreement_digest=digest_of(agreement))
    answer(asked.leased(now=world.now), world.desk(), world.clock)
    return asked.request.id


def test_a_dataset_is_suspended_at_once_though_the_gateway_is_away_and_lifted_by_two(world: World) -> None:
    ordered = run(world, "suspend", "tpo_complaint", "--reason", "keys may be stolen", "--json")
    assert ordered.exit_code == 0, ordered.output
    told = json.loads(ordered.stdout)
    assert told["at_gateway"] is False
    assert "gateway was not reached (gateway-unreachable)" in ordered.stderr
    assert world.guard().situation.suspended().covers("ccib", "tpo_complaint")
    assert len(notices.unsent(world.journal)) == 1

    listed = [Suspension.model_validate(each) for each in json.loads(run(world, "suspensions", "--json").stdout)]
    assert [(each.id, each.reason) for each in listed] == [(told["order"]["id"], "keys may be stolen")]

    alone = run(world, "lift", told["order"]["id"], "--reason", "over", "--key", "officer-1")
    assert alone.exit_code == 3
    assert world.guard().situation.suspended().covers("ccib", "tpo_complaint")
    lifted = run(world, "lift", told["order"]["id"], "--reason", "keys were changed")
    assert lifted.exit_code == 0, lifted.output
    assert not world.guard().situation.suspended().covers("ccib", "tpo_complaint")
    assert json.loads(run(world, "suspensions", "--json").stdout) == []


def test_the_whole_agency_is_suspended_by_any_of_its_people(world: World) -> None:
    assert run(world, "suspend", "--reason", "an incident", "--key", "steward-1").exit_code == 0

    assert world.guard().situation.suspended().covers("ccib")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("suspend", "tpo_complain", "--reason", "x"), 2, "unknown-contract"),
        (("suspend", "--reason", "x", "--key", "officer-9"), 2, "key-not-held"),
        (("suspend", "--reason", "x", "--key", "connector-1"), 3, "key-unknown"),
        (("lift", "SUS-0001", "--reason", "x"), 2, "unknown-suspension"),
        (("decide", "REQ-0001", "--approve", "--reason", "x"), 2, "no-pending-request"),
        (("decide", "REQ-0001", "--reason", "x"), 2, "setting-invalid"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    world: World, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = run(world, *arguments)

    assert (done.exit_code, says in done.stderr) == (code, True)
    assert notices.orders(world.journal) == ()


def test_a_waiting_request_is_listed_with_its_price_and_approved(world: World) -> None:
    name = wait_for_officer(world)

    listed = json.loads(run(world, "requests", "--json").stdout)
    shown = PendingRequest.model_validate(listed[0])
    assert (len(listed), shown.request, shown.windows[0].nano_rho) == (1, name, PRICE)
    assert shown.measures[0].expected_error_95 > 0
    decided = run(world, "decide", name, "--approve", "--reason", "it serves the case")
    assert decided.exit_code == 0, decided.output
    assert json.loads(decided.stdout)["approved"] is True
    assert json.loads(run(world, "requests", "--json").stdout) == []


def test_people_read_tables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setattr("saphan.output.Console", lambda: Console(width=300))
    name = wait_for_officer(world)

    listed = run(world, "requests").stdout
    decided = run(world, "decide", name, "--refuse", "--reason", "too fine").stdout
    run(world, "suspend", "--reason", "an incident")
    suspended = run(world, "suspensions").stdout

    assert name in listed
    assert "count ±" in listed
    assert f"{PRICE:,} nano-rho" in listed
    assert "refused" in decided
    assert "an incident" in suspended
