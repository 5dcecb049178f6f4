"""``saphan people`` for a steward over HTTP and for the operator at the gateway's home."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.canonical import canonical_bytes
from contracts.federation import KeyPurpose, PublicKey
from contracts.key_request import KEY_REQUEST_KIND, KeyRequest
from contracts.keys import new_key
from contracts.people import KeyRequestView, PeopleAnswer, PersonRole
from contracts.signing import sign_document
from gateway.store import people, people_keys
from gateway.store.people import Person
from gateway.store.people_keys import KeptRequest
from saphan.people_commands import _keys_table, _people_table, app
from tests.factories import NOW
from tests.gateway_world import AGREEMENT, CONTRACT
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Desk:
    served: Served
    ccib: Path

    def steward(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(self.ccib)])

    def operator(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--gateway-home", str(self.served.home)])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("cli")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREEMENT)
        yield Desk(served, served.member_home(folder / "ccib", "ccib"))


def answer_of(result: Result) -> PeopleAnswer:
    assert result.exit_code == 0, result.stderr
    return PeopleAnswer.model_validate_json(result.stdout)


def joined(desk: Desk, name: str, *roles: PersonRole) -> str:
    """Somebody who accepted an invitation."""
    store = desk.served.world().store
    person = f"psn-{name.encode().hex()[:16]}"
    with store.transaction() as t:
        people.add_person(t, Person(person, "ccib", name, frozenset(roles)), NOW)
    return person


def test_the_operator_invites_the_first_steward_and_no_other_agencys_people(desk: Desk) -> None:
    invited = answer_of(desk.operator("invite", "--agency", "rtp", "--role", "steward", "--name", "ผู้ดูแล"))
    assert invited.invitation is not None
    assert invited.invitation.link.startswith("https://gateway.example/account/join#")
    assert invited.people == ()  # nobody's names but the own agency's

    refused = desk.operator("invite", "--agency", "rtp", "--role", "officer", "--name", "ใคร")
    assert (refused.exit_code, "role-not-given" in refused.stderr) == (3, True)
    assert "budget" not in refused.stderr
    own = answer_of(desk.operator("invite", "--role", "operator", "--name", "ผู้ดูแลระบบ"))
    assert own.invitation is not None
    assert answer_of(desk.operator("list")).people == ()


def test_a_steward_invites_gives_takes_signs_out_and_closes(desk: Desk) -> None:
    invited = answer_of(desk.steward("invite", "--role", "officer", "--role", "analyst", "--name", "เจ้าหน้าที่"))
    assert invited.invitation is not None
    (waiting,) = invited.invitations
    assert answer_of(desk.steward("list")).invitations == (waiting,)
    assert answer_of(desk.steward("cancel", waiting.id)).invitations == ()
    person = joined(desk, "somsri", PersonRole.OFFICER)

    given = answer_of(desk.steward("role", person, "--give", "reviewer"))
    assert next(each for each in given.people if each.id == person).roles == (PersonRole.OFFICER, PersonRole.REVIEWER)
    taken = answer_of(desk.steward("role", person, "--take", "officer"))
    assert next(each for each in taken.people if each.id == person).roles == (PersonRole.REVIEWER,)
    assert answer_of(desk.steward("sessions", person)).people
    again = answer_of(desk.steward("invite", "--person", person))
    assert again.invitation is not None
    closed = answer_of(desk.steward("revoke", person))
    assert next(each for each in closed.people if each.id == person).closed
    unknown = desk.steward("role", person, "--give", "analyst")
    assert (unknown.exit_code, "unknown-person" in unknown.stderr) == (2, True)


def test_a_steward_orders_nothing_in_another_agency(desk: Desk) -> None:
    for command in (("list",), ("invite", "--role", "officer", "--name", "ก")):
        answer = desk.steward(*command, "--agency", "rtp")
        assert (answer.exit_code, "people-order-refused" in answer.stderr) == (3, True)


def test_an_officer_of_an_agency_orders_nothing(desk: Desk) -> None:
    answer = desk.steward("list", "--key", "officer-1")

    assert (answer.exit_code, "key-unknown" in answer.stderr) == (3, True)


def test_a_role_is_either_given_or_taken(desk: Desk) -> None:
    assert desk.steward("role", "psn-1234", "--give", "officer", "--take", "dpo").exit_code == 2
    assert desk.steward("role", "psn-1234").exit_code == 2


def test_the_keys_that_people_ask_for_are_shown_as_the_registrar_needs_them(desk: Desk) -> None:
    person, key = joined(desk, "keeper", PersonRole.OFFICER), new_key("ccib#officer-7")
    public = key.public_key(KeyPurpose.OFFICER, NOW, NOW)
    asked = KeyRequest(kid=key.kid, purpose=KeyPurpose.OFFICER, x=public.x, y=public.y or "", at=NOW)
    document = sign_document(canonical_bytes(asked), KEY_REQUEST_KIND, key)
    with desk.served.world().store.transaction() as t:
        people_keys.add(t, KeptRequest(key.kid, person, "ccib", document), NOW)

    result = desk.steward("keys")

    assert result.exit_code == 0, result.stderr
    (shown,) = [PublicKey.model_validate(each) for each in json.loads(result.stdout)]
    assert (shown.kid, shown.x, shown.y) == (key.kid, public.x, public.y)
    console = Console(width=160, record=True, file=None, quiet=True)
    console.print(_keys_table([shown]))
    view = KeyRequestView(kid=key.kid, person=person, document=document, registered=False)
    assert PeopleAnswer(people=(), keys=(view,)).keys[0].kid == key.kid


def test_the_gateway_s_key_at_a_login_provider_is_made_once(desk: Desk) -> None:
    first, second = desk.operator("provider-key"), desk.operator("provider-key")

    assert first.exit_code == 0, first.stderr
    assert first.stdout == second.stdout
    (key,) = json.loads(first.stdout)["keys"]
    assert (key["kty"], key["crv"], key["kid"], "d" in key) == ("EC", "P-256", "oja#login-1", False)


def test_people_read_accounts_and_the_link_as_a_table(desk: Desk) -> None:
    joined(desk, "shown", PersonRole.ANALYST)
    answer = answer_of(desk.steward("invite", "--role", "analyst", "--name", "ก"))
    console = Console(width=200, record=True)
    with console.capture() as printed:
        console.print(_people_table(answer))

    assert "analyst" in printed.get()
    assert answer.invitation is not None
    assert answer.invitation.link in printed.get()
