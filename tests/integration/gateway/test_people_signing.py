"""People sign in the browser with their own keys: the same bytes, checked by the same code as everybody's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from contracts.agreement import Agreement
from contracts.agreement_acts import read_act
from contracts.agreement_signatures import AGREEMENT_KIND
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.key_request import KeyRequest, as_key, read_key_request
from contracts.keys import SoftwareKey, new_key
from contracts.lifecycle import Act, AgreementAct, AgreementState
from contracts.people import PersonRole
from contracts.signing import sign_document, verify_document
from gateway.exchange import Exchange
from gateway.means import Means
from gateway.people import own_keys, sessions
from gateway.store import people_keys
from gateway.store.people_keys import KeptRequest
from gateway.store.people_tables import key_requests
from tests import factories
from tests.api_world import problem_in
from tests.browser_key import signed_in_browser
from tests.people_world import Browser, PeopleWorld, new_people_world

pytestmark = pytest.mark.integration

COOKIE = "__Host-saphan"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PeopleWorld:
    return new_people_world(tmp_path_factory.mktemp("people"))


@pytest.fixture
def world(kept: PeopleWorld) -> Iterator[PeopleWorld]:
    yield kept
    kept.api.later(9 * 3600)


def registered(world: PeopleWorld, key: PublicKey) -> None:
    """What the agency's registrar does: put the key into the federation; the gateway takes the new one up."""
    owner = key.kid.partition("#")[0]
    means = world.means
    members = tuple(
        m.model_copy(update={"keys": (*m.keys, key)}) if m.agency == owner else m for m in means.federation.members
    )
    federation = Federation(gateway=means.federation.gateway, operator=means.federation.operator, members=members)
    new: Means = replace(means, federation=federation)
    desk = world.api.desk
    world.api.app.state.desk = replace(desk, exchange=Exchange(new, lambda task, *_: task.id))


def proposal(world: PeopleWorld, name: str) -> Agreement:
    """An agreement of this name that was submitted and waits for CCIB."""
    agreement = factories.agreement((), id=name)
    world.api.world.register((), agreement, active=False)
    return agreement


def view_of(world: PeopleWorld, browser: Browser, name: str) -> dict[str, Any]:
    """What the page says of an agreement, as its script reads it."""
    page = browser.get(f"/agreements/{name}/1?lang=en")
    assert page.status_code == 200, page.text
    (form,) = [line for line in page.text.splitlines() if 'data-do="act"' in line]
    parts = dict(part.split('="', 1) for part in form.split('" ') if '="' in part)
    return {each: parts[f"data-{each}"].removesuffix('"') for each in ("agreement", "digest", "head", "agency")} | {
        "version": int(parts["data-version"])
    }


def asked_kid(browser: Browser, purpose: str = "officer") -> str:
    answer = browser.post("/keys/name", {"purpose": purpose})
    assert answer.status_code == 200, answer.text
    kid: str = answer.json()["kid"]
    return kid


def milliseconds(world: PeopleWorld) -> int:
    return int(world.api.now.timestamp() * 1000)


def test_an_officer_makes_a_key_in_the_browser_and_approves_with_it(world: PeopleWorld) -> None:
    agreement = proposal(world, "AGR-BROWSER-1")
    officer = world.person(PersonRole.OFFICER)
    kid = asked_kid(officer)
    signed = signed_in_browser(
        kid=kid,
        purpose="officer",
        now=milliseconds(world),
        view=view_of(world, officer, agreement.id),
        act="approve",
        words={},
        text=canonical_bytes(agreement).decode(),
        values=[],
    )
    assert not signed["extractable"]
    assert not signed["exported"]
    assert signed["text_digest"] == digest_of(agreement)
    bundle = {"act": signed["act_document"], "document": signed["text_document"]}

    # Before the registrar has acted, the signature counts for nothing.
    assert officer.ask_for_key(signed["request"]).status_code == 200
    officer.confirm({"digest": signed["digest"]})
    assert problem_in(officer.post(f"/agreements/{agreement.id}/acts", bundle)).code == "key-unknown"

    registered(world, as_key(read_key_request(signed["request"])))
    verified = verify_document(
        signed["text_document"],
        AGREEMENT_KIND,
        lambda each: world.means.federation.key(each, KeyPurpose.OFFICER, world.api.now),
    )
    assert verified.signers == {kid}
    assert read_act(signed["act_document"], world.means.federation, world.api.now).kid == kid
    assert kid in officer.get(f"/agreements/{agreement.id}/1").text

    officer.http.cookies.delete("__Host-saphan-step")
    assert problem_in(officer.post(f"/agreements/{agreement.id}/acts", bundle)).code == "step-up-missing"
    officer.confirm({"digest": f"sha-256:{'0' * 64}"})
    assert problem_in(officer.post(f"/agreements/{agreement.id}/acts", bundle)).code == "step-up-missing"
    officer.confirm({"digest": signed["digest"]})
    done = officer.post(f"/agreements/{agreement.id}/acts", bundle)
    assert done.status_code == 200, done.text
    assert done.json()["state"] == AgreementState.UNDER_REVIEW.value
    assert done.json()["signed_by"] == [kid]


VALUES = [
    {"b": 1, "a": [True, None, "ก", {"é": "\u2028", "A": '"\\\n\u0007'}], "€": "😀"},
    {"peach": "x", "péché": "y", "pêche": "z", "": "", "\U0001f600": 1, "\ufb33": 2},
    [],
    {},
    2**53 - 1,
]


def test_the_browser_s_canonical_form_is_ours() -> None:
    said = signed_in_browser(kid="ccib#officer-9", purpose="officer", now=0, values=VALUES)["canonical"]

    assert said == [canonical_bytes(each).decode() for each in VALUES]  # type: ignore[arg-type]  # lists of JSON


def software(world: PeopleWorld, browser: Browser, purpose: str = "officer") -> SoftwareKey:
    """A registered key of a person, made here; Node is needed only where it is the point."""
    key = new_key(asked_kid(browser, purpose))
    asked = request_of(key, purpose, world)
    assert browser.ask_for_key(sign_document(canonical_bytes(asked), "key-request", key)).status_code == 200
    registered(world, as_key(asked))
    return key


def request_of(key: SoftwareKey, purpose: str, world: PeopleWorld, **changes: object) -> KeyRequest:
    public = key.public_key(KeyPurpose(purpose), world.api.now, world.api.now)
    fields = {"kid": key.kid, "purpose": purpose, "x": public.x, "y": public.y, "at": world.api.now} | changes
    return KeyRequest.model_validate(fields)


def signed_act(world: PeopleWorld, agreement: Agreement, key: SoftwareKey, view: dict[str, Any]) -> tuple[str, str]:
    act = AgreementAct(
        agreement=agreement.id,
        version=1,
        digest=view["digest"],
        act=Act.REVIEW,
        agency="ccib",
        at=world.api.now,
        previous=view["head"],
    )
    return sign_document(canonical_bytes(act), "agreement-act", key), digest_of(act)


def test_nobody_signs_with_a_colleague_s_key_nor_without_the_role(world: PeopleWorld) -> None:
    agreement = proposal(world, "AGR-BROWSER-2")
    officer, colleague, analyst = (
        world.person(role) for role in (PersonRole.OFFICER, PersonRole.OFFICER, PersonRole.ANALYST)
    )
    key = software(world, officer)
    document, digest = signed_act(world, agreement, key, view_of(world, officer, agreement.id))

    for person, code in ((colleague, "key-not-yours"), (analyst, "role-missing")):
        person.confirm({"digest": digest})
        assert problem_in(person.post(f"/agreements/{agreement.id}/acts", {"act": document})).code == code
    officer.confirm({"digest": digest})
    assert officer.post(f"/agreements/{agreement.id}/acts", {"act": document}).status_code == 200


def test_a_key_of_a_role_that_was_taken_signs_no_more_on_the_pages(world: PeopleWorld) -> None:
    agreement = proposal(world, "AGR-BROWSER-3")
    person = world.person(PersonRole.OFFICER, PersonRole.DPO)
    key = software(world, person, "officer")
    steward = world.person(PersonRole.STEWARD)
    name = sessions.who(world.means, person.http.cookies[COOKIE]).person.id
    assert steward.order(act="take", person=name, roles=["officer"]).status_code == 200
    person.sign_in()
    document, digest = signed_act(world, agreement, key, view_of(world, person, agreement.id))
    person.confirm({"digest": digest})

    assert problem_in(person.post(f"/agreements/{agreement.id}/acts", {"act": document})).code == "key-not-yours"


def test_an_agreement_that_is_not_there_is_shown_to_nobody(world: PeopleWorld) -> None:
    officer = world.person(PersonRole.OFFICER)

    assert "unknown-agreement" in officer.get("/agreements/AGR-NOTHING/1").text
    assert "unknown-agreement" in officer.get("/agreements/AGR-2569-001/99").text


def test_the_name_of_a_key_is_the_next_and_of_one_s_own_role(world: PeopleWorld) -> None:
    officer = world.person(PersonRole.OFFICER)
    kid = asked_kid(officer)

    assert kid.startswith("ccib#officer-")
    assert asked_kid(officer) == kid
    software(world, officer)
    assert asked_kid(officer) == f"ccib#officer-{int(kid.rpartition('-')[2]) + 1}"
    assert problem_in(officer.post("/keys/name", {"purpose": "dpo"})).code == "role-missing"
    assert problem_in(officer.post("/keys/name", {"purpose": "gateway"})).code == "role-missing"
    assert (
        problem_in(world.person(PersonRole.ANALYST).post("/keys/name", {"purpose": "officer"})).code == "role-missing"
    )


def test_a_request_for_a_key_is_signed_by_the_key_under_the_name_that_is_free_now(world: PeopleWorld) -> None:
    officer = world.person(PersonRole.OFFICER)
    key, other = new_key(asked_kid(officer)), new_key("ccib#officer-1")
    good = request_of(key, "officer", world)

    def answer(asked: KeyRequest | dict[str, str], by: SoftwareKey, kind: str = "key-request") -> str:
        document = sign_document(canonical_bytes(asked), kind, by)
        return problem_in(officer.ask_for_key(document)).code

    wrong = "key-request-invalid"
    assert answer(good, SoftwareKey(key.kid, other.private)) == wrong
    assert answer(good, key, "agreement") == wrong
    assert (
        answer(request_of(key, "officer", world, kid="ccib#officer-99"), SoftwareKey("ccib#officer-99", key.private))
        == wrong
    )
    assert answer(request_of(key, "dpo", world), key) == wrong
    assert answer({"kid": key.kid}, key) == wrong
    old = world.api.now.replace(year=2020)
    assert answer(request_of(key, "officer", world, at=old), key) == wrong
    assert problem_in(officer.post("/keys", {"document": "no document"})).code == wrong
    spaced = sign_document(good.model_dump_json(indent=1).encode(), "key-request", key)
    assert problem_in(officer.post("/keys", {"document": spaced})).code == wrong
    fine = sign_document(canonical_bytes(good), "key-request", key)
    assert problem_in(officer.post("/keys", {"document": fine})).code == "step-up-missing"
    officer.confirm({"digest": digest_of(request_of(key, "officer", world, at=old))})
    assert problem_in(officer.post("/keys", {"document": fine})).code == "step-up-missing"
    assert officer.ask_for_key(fine).status_code == 200
    assert problem_in(officer.post("/keys", {"document": fine})).code == wrong  # its name is taken
    late = new_key(asked_kid(officer))
    name = sessions.who(world.means, officer.http.cookies[COOKIE]).person.id
    with world.means.store.transaction() as t:  # another process was quicker
        people_keys.add(t, KeptRequest(late.kid, name, "elsewhere", fine), world.api.now)
    assert answer(request_of(late, "officer", world), late) == wrong
    with world.means.store.transaction() as t:
        t.run(delete(key_requests).where(key_requests.c.agency == "elsewhere"))


def test_the_steward_sees_what_is_to_be_registered_and_the_gateway_registers_nothing(world: PeopleWorld) -> None:
    officer, steward = world.person(PersonRole.OFFICER), world.person(PersonRole.STEWARD)
    key = new_key(asked_kid(officer))
    asked = request_of(key, "officer", world)
    officer.ask_for_key(sign_document(canonical_bytes(asked), "key-request", key))

    assert key.kid in steward.get("/people").text
    (shown,) = [each for each in own_keys.asked_of_agency(world.means, "ccib") if each.kid == key.kid]
    assert not shown.registered
    assert world.means.federation.key(key.kid, KeyPurpose.OFFICER, world.api.now) is None
    registered(
        world,
        as_key(asked).model_copy(
            update={"x": new_key(key.kid).public_key(KeyPurpose.OFFICER, world.api.now, world.api.now).x}
        ),
    )
    assert own_keys.registered(world.means.federation, asked) is None  # another key of the same name is not it


def test_a_request_of_a_leap_day_is_a_key_for_a_year() -> None:
    key = new_key("ccib#officer-1")
    leap = factories.NOW.replace(year=2028, month=2, day=29)
    public = key.public_key(KeyPurpose.OFFICER, leap, leap)
    asked = KeyRequest(kid=key.kid, purpose=KeyPurpose.OFFICER, x=public.x, y=public.y or "", at=leap)

    assert as_key(asked).valid_until == leap.replace(year=2029, day=28)


def test_errors_of_requests_are_errors_of_input() -> None:
    with pytest.raises(InvalidInput, match="key-request-invalid"):
        read_key_request("{}")
