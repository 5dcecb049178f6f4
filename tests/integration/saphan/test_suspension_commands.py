"""``saphan suspension`` against a served gateway: order, list, lift; and what a lying gateway shows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import update
from typer.testing import CliRunner, Result

from contracts.errors import IntegrityError, InvalidInput
from contracts.suspension import Order, SuspensionView
from gateway import suspension_calls
from gateway.store.notice_tables import suspensions
from saphan.suspension_commands import app
from tests.api_world import ApiWorld, running
from tests.gateway_world import AGREEMENT, CONTRACT
from tests.served_world import Served, served_gateway
from tests.suspension_orders import signed_order, suspension

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Desk:
    served: Served
    oja: Path
    ccib: Path

    def run(self, *arguments: str, home: Path | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(home or self.oja)])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("cli")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREEMENT)
        yield Desk(served, served.member_home(folder / "oja", "oja"), served.member_home(folder / "ccib", "ccib"))


def views(answer: Result) -> list[SuspensionView]:
    assert answer.exit_code == 0, answer.stderr
    return [SuspensionView.model_validate(each) for each in json.loads(answer.stdout)]


def test_the_operator_suspends_an_agencys_dataset_and_two_of_its_officers_lift(desk: Desk) -> None:
    ordered = desk.run("order", "ccib", CONTRACT.id, "--reason", "an incident")
    assert ordered.exit_code == 0, ordered.stderr
    view = SuspensionView.model_validate_json(ordered.stdout)
    assert (view.by, view.agency, view.dataset, view.lifted_at) == ("oja", "ccib", CONTRACT.id, None)
    assert [each.id for each in views(desk.run("list", "--standing", home=desk.ccib))] == [view.id]

    alone = desk.run("lift", view.id, "--reason", "over", "--key", "officer-1")
    assert (alone.exit_code, "suspension-signers-wrong" in alone.stderr) == (3, True)
    others = desk.run("lift", view.id, "--reason", "over", "--key", "officer-1", "--key", "dpo-1", home=desk.ccib)
    assert others.exit_code == 3
    lifted = desk.run("lift", view.id, "--reason", "over", "--key", "officer-1", "--key", "officer-2")
    assert lifted.exit_code == 0, lifted.stderr
    assert views(desk.run("list", "--standing")) == []
    assert [each.lift_reason for each in views(desk.run("list"))] == ["over"]


def test_an_agency_suspends_itself_from_its_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = desk.run("order", "ccib", "--reason", "stolen keys", "--key", "steward-1", home=desk.ccib)
    view = SuspensionView.model_validate_json(ordered.stdout)
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setattr("saphan.output.Console", lambda: Console(width=300))

    assert "stolen keys" in desk.run("list").stdout
    pair = ("--key", "officer-1", "--key", "steward-1")
    assert "it is over" in desk.run("lift", view.id, "--reason", "it is over", *pair, home=desk.ccib).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("order", "ccib", "--reason", "x", "--key", "officer-9"), 2, "key-not-held"),
        (("order", "ccib", "no_such_dataset", "--reason", "x"), 2, "unknown-contract"),
        (("lift", "SUS-0009", "--reason", "x", "--key", "officer-1"), 2, "unknown-suspension"),
    ],
)
def test_what_is_wrong_is_said(desk: Desk, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = desk.run(*arguments)

    assert (done.exit_code, says in done.stderr) == (code, True)


# ------------------------------------------------------------------ a gateway that shows something else


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    with running(tmp_path / "home") as made:
        yield made


def tampered(world: ApiWorld, **columns: object) -> None:
    """Somebody at the gateway writes something else over what was signed."""
    with world.desk.exchange.means.store.transaction() as t:
        t.run(update(suspensions).values(**columns))


@pytest.mark.parametrize(
    "columns",
    [
        {"reason": "nothing of importance"},
        {"dataset": None},
        {"agency": "rtp"},
        {"ordered_by": "oja"},
        {"document": "not a document"},
        {"lift_reason": "another"},
        {"lift_document": "not a document"},
        {"id": "SUS-0009"},
    ],
    ids=str,
)
def test_what_was_not_signed_is_not_shown(world: ApiWorld, columns: dict[str, object]) -> None:
    line = world.gateway("ccib#connector-1")
    given = suspension(dataset=CONTRACT.id)
    suspension_calls.order(line, given, world.keys["ccib#officer-1"])
    suspension_calls.lift(line, given.id, "over", world.keys["ccib#officer-1"], world.keys["ccib#dpo-1"])
    assert [each.id for each in suspension_calls.all_suspensions(line)] == [given.id]

    tampered(world, **columns)

    with pytest.raises(IntegrityError, match="suspension-altered"):
        suspension_calls.all_suspensions(line)


def test_a_lift_that_is_shown_for_the_order_is_noticed(world: ApiWorld) -> None:
    line = world.gateway("ccib#connector-1")
    suspension_calls.order(line, suspension(), world.keys["ccib#officer-1"])

    tampered(world, document=signed_order(world.keys, suspension(order=Order.LIFT)))

    with pytest.raises(IntegrityError, match="suspension-altered"):
        suspension_calls.all_suspensions(line)


def test_what_the_gateway_does_not_know_is_not_lifted(world: ApiWorld) -> None:
    with pytest.raises(InvalidInput, match="unknown-suspension"):
        suspension_calls.lift(world.gateway("ccib#connector-1"), "SUS-0009", "over", world.keys["ccib#officer-1"])
