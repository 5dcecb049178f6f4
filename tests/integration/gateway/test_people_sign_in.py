"""Invitations and passkeys over HTTP: what opens an account, and everything that does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.canonical import digest_of
from contracts.people import PersonRole
from contracts.transparency import EventKind
from gateway.exchange import Exchange
from gateway.people import accounts
from gateway.people.roles import Giver
from gateway.store import people
from tests.api_world import problem_in
from tests.authenticator import PRESENT, Authenticator, encode
from tests.factories import ISSUER
from tests.people_world import HOST, PeopleWorld, new_people_world

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PeopleWorld:
    return new_people_world(tmp_path_factory.mktemp("people"))


@pytest.fixture
def world(kept: PeopleWorld) -> Iterator[PeopleWorld]:
    yield kept
    kept.api.later(9 * 3600)  # every window of attempts, and every session, is over


def test_an_invitation_opens_an_account_once(world: PeopleWorld) -> None:
    secret, browser = world.invited(PersonRole.OFFICER), world.browser()

    assert browser.join(secret).status_code == 200
    assert browser.is_signed_in
    assert "สมศรี" in browser.get().text

    again = world.browser().join(secret)
    assert again.status_code == 403
    assert problem_in(again).code == "invitation-invalid"


def test_an_invitation_that_was_never_given_or_has_expired_opens_nothing(world: PeopleWorld) -> None:
    secret = world.invited(PersonRole.OFFICER)

    assert problem_in(world.browser().join(encode(bytes(32)))).code == "invitation-invalid"
    world.api.now += accounts.INVITED_FOR
    assert problem_in(world.browser().join(secret)).code == "invitation-invalid"


def test_a_passkey_made_for_one_invitation_does_not_use_another(world: PeopleWorld) -> None:
    first, second = world.invited(PersonRole.OFFICER), world.invited(PersonRole.STEWARD)
    browser = world.browser()
    made = browser.device.make(browser.post("/join/options", {"secret": first}).json())

    answer = browser.post("/join", {"secret": second, "credential": made, "label": ""})

    assert problem_in(answer).code == "invitation-invalid"


def test_the_secret_of_an_invitation_is_kept_nowhere_and_stands_behind_the_hash_of_its_link(world: PeopleWorld) -> None:
    guest = accounts.Guest("ccib", "ใคร", frozenset({PersonRole.OFFICER}))
    from_steward = Giver("ccib", frozenset({PersonRole.STEWARD}))
    invited = accounts.invite(world.means, from_steward, guest)

    assert invited.link(ISSUER) == f"{ISSUER}/account/join#{invited.secret}"
    assert len(invited.secret) == 43
    files = b"".join(path.read_bytes() for path in world.api.home.iterdir() if path.is_file())
    assert invited.secret.encode() not in files


@pytest.mark.parametrize(
    "device",
    [
        Authenticator("https://evil.example", HOST),
        Authenticator(ISSUER, "evil.example"),
        Authenticator(ISSUER, HOST, flags=PRESENT),
    ],
    ids=["another page", "another site", "nobody verified"],
)
def test_a_passkey_of_another_page_or_without_user_verification_opens_no_account(
    world: PeopleWorld, device: Authenticator
) -> None:
    answer = world.browser(device=device).join(world.invited(PersonRole.OFFICER))

    assert answer.status_code == 422
    assert problem_in(answer).code == "passkey-not-accepted"


def test_a_passkey_signs_in_from_another_browser(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    before = len(world.entries(EventKind.PERSON_SIGNED_IN))

    elsewhere = world.browser(device=person.device)

    assert elsewhere.sign_in().status_code == 200
    assert elsewhere.is_signed_in
    assert len(world.entries(EventKind.PERSON_SIGNED_IN)) == before + 1


def bent(device: Authenticator, **changes: object) -> Authenticator:
    return replace(device, **changes)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"flags": 0},
        {"private": Authenticator("", "").private},
        {"name": b"another passkey"},
        {"user": encode(b"psn-somebody-else")},
        {"count": -1},
    ],
    ids=["phishing page", "another site", "not verified", "not present", "another key", "unknown", "owner", "counter"],
)
def test_a_passkey_that_is_not_quite_right_is_refused_and_always_alike(
    world: PeopleWorld, changes: dict[str, object]
) -> None:
    person = world.person(PersonRole.OFFICER)
    assert world.browser(device=person.device).sign_in().status_code == 200  # the counter stands at 1

    answer = world.browser(device=bent(person.device, **changes)).sign_in()

    assert answer.status_code == 403
    assert problem_in(answer).code == "sign-in-refused"
    assert "set-cookie" not in answer.headers


def test_a_challenge_is_good_once(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    browser = world.browser(device=person.device)
    options = browser.post("/sign-in/options").json()
    cookies = dict(browser.http.cookies)
    assert browser.post("/sign-in", browser.device.answer(options)).status_code == 200

    browser.http.cookies.update(cookies)
    again = browser.post("/sign-in", browser.device.answer(options))

    assert problem_in(again).code == "sign-in-refused"


def test_a_challenge_that_was_answered_wrongly_is_used_up_too(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    browser = world.browser(device=person.device)
    options = browser.post("/sign-in/options").json()
    wrong = replace(browser.device, flags=PRESENT)
    assert browser.post("/sign-in", wrong.answer(options)).status_code == 403

    assert browser.post("/sign-in", browser.device.answer(options)).status_code == 403


def test_a_challenge_of_one_browser_is_not_answered_from_another(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    asked = world.browser().post("/sign-in/options").json()
    other = world.browser(device=person.device)
    other.post("/sign-in/options")

    assert problem_in(other.post("/sign-in", person.device.answer(asked))).code == "sign-in-refused"


def test_a_challenge_for_a_new_passkey_does_not_sign_in(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    options = person.post("/passkeys/options").json()

    assert problem_in(person.post("/sign-in", person.device.answer(options))).code == "sign-in-refused"


def test_a_challenge_is_good_for_five_minutes(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    browser = world.browser(device=person.device)
    options = browser.post("/sign-in/options").json()
    world.api.now += timedelta(minutes=5)

    assert problem_in(browser.post("/sign-in", browser.device.answer(options))).code == "sign-in-refused"


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", encode(b"{}"), encode(b"[]")])
def test_what_is_no_answer_of_an_authenticator_is_refused_as_one(world: PeopleWorld, text: str) -> None:
    credential = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": text}}

    assert problem_in(world.browser().post("/sign-in", credential)).code == "sign-in-refused"


def test_a_person_has_several_passkeys_and_gives_each_up(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    second = Authenticator(ISSUER, HOST)
    made = second.make(person.post("/passkeys/options").json())
    assert person.post("/passkeys", {"credential": made, "label": "โน้ตบุ๊ก"}).status_code == 200
    assert "โน้ตบุ๊ก" in person.get().text
    assert world.browser(device=second).sign_in().status_code == 200

    assert person.give_up(encode(person.device.name)).status_code == 200

    assert not person.is_signed_in
    assert problem_in(world.browser(device=person.device).sign_in()).code == "sign-in-refused"
    assert world.browser(device=second).sign_in().status_code == 200


def test_a_passkey_is_given_up_only_after_its_own_confirmation(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    given_up = {"passkey": encode(person.device.name)}
    assert problem_in(person.post("/passkeys/revoke", given_up)).code == "step-up-missing"
    person.confirm({"digest": digest_of({"passkey": "another"})})
    assert problem_in(person.post("/passkeys/revoke", given_up)).code == "step-up-missing"

    assert world.browser(device=person.device).sign_in().status_code == 200


def test_the_log_tells_of_a_passkey_that_was_added_or_given_up_and_names_nobody(world: PeopleWorld) -> None:
    person, second = world.person(PersonRole.OFFICER), Authenticator(ISSUER, HOST)
    made = second.make(person.post("/passkeys/options").json())
    assert person.post("/passkeys", {"credential": made}).status_code == 200
    assert person.give_up(encode(second.name)).status_code == 200

    added, given_up = world.entries(EventKind.PERSON_ROLE_CHANGED)[-2:]

    assert added.facts == {"change": "passkey-added", "role": "officer", "by": "ccib"}
    assert given_up.facts == {"change": "passkey-revoked", "role": "officer", "by": "ccib"}
    assert set(added.commitments) == {"person", "giver"}


def test_nobody_gives_up_another_s_passkey(world: PeopleWorld) -> None:
    person, other = world.person(PersonRole.OFFICER), world.person(PersonRole.OFFICER)

    answer = other.give_up(encode(person.device.name))

    assert problem_in(answer).code == "unknown-person"
    assert world.browser(device=person.device).sign_in().status_code == 200


def test_one_passkey_opens_one_account_only(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    other = world.browser(device=person.device)

    answer = other.join(world.invited(PersonRole.STEWARD))

    assert problem_in(answer).code == "passkey-not-accepted"
    again = person.device.make(person.post("/passkeys/options").json())
    assert problem_in(person.post("/passkeys", {"credential": again})).code == "passkey-not-accepted"


def test_a_passkey_is_made_for_a_challenge_that_stands(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    options = person.post("/passkeys/options").json()
    for device, code in ((Authenticator(ISSUER, HOST), None), (Authenticator(ISSUER, HOST), "passkey-not-accepted")):
        answer = person.post("/passkeys", {"credential": device.make(options)})
        assert answer.is_success if code is None else problem_in(answer).code == code


def test_an_invitation_of_an_agency_that_left_opens_nothing(world: PeopleWorld) -> None:
    secret = world.invited(PersonRole.OFFICER)
    desk = world.api.desk
    left = tuple(each for each in world.means.federation.members if each.agency != "ccib")
    means = replace(world.means, federation=world.means.federation.model_copy(update={"members": left}))
    world.api.app.state.desk = replace(desk, exchange=Exchange(means, lambda task, *_: task.id))

    answer = world.browser().join(secret)

    world.api.app.state.desk = desk
    assert problem_in(answer).code == "invitation-invalid"


def test_one_more_passkey_needs_a_fresh_sign_in(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    world.api.now += timedelta(minutes=5, seconds=1)

    assert problem_in(person.post("/passkeys/options")).code == "step-up-missing"


def test_a_new_link_lets_somebody_in_anew_and_ends_every_old_way_in(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    with world.means.store.read() as r:
        key = people.passkey(r, encode(person.device.name))
    assert key is not None
    steward = Giver("ccib", frozenset({PersonRole.STEWARD}))
    secret = accounts.invite(world.means, steward, accounts.Guest("ccib", person=key.person)).secret

    second = accounts.invite(world.means, steward, accounts.Guest("ccib", person=key.person)).secret
    with world.means.store.transaction() as t:
        people.add_identity(t, "https://login.example", "somsri", key.person)
    assert person.get().status_code == 200

    fresh = world.browser()
    assert fresh.join(secret).status_code == 200

    assert fresh.is_signed_in
    assert not person.is_signed_in
    assert problem_in(world.browser(device=person.device).sign_in()).code == "sign-in-refused"
    assert problem_in(world.browser().join(second)).code == "invitation-invalid"
    with world.means.store.read() as r:
        assert len(people.passkeys_of(r, key.person)) == 1
        assert people.identified(r, "https://login.example", "somsri") is None
    changes = [each.facts["change"] for each in world.entries(EventKind.PERSON_ROLE_CHANGED)]
    assert changes[-3:] == ["recovery-invited", "recovery-invited", "recovered"]


def test_an_invitation_into_an_account_that_was_closed_is_good_no_more(world: PeopleWorld) -> None:
    person = world.person(PersonRole.ANALYST)
    with world.means.store.read() as r:
        key = people.passkey(r, encode(person.device.name))
    assert key is not None
    steward = Giver("ccib", frozenset({PersonRole.STEWARD}))
    secret = accounts.invite(world.means, steward, accounts.Guest("ccib", person=key.person)).secret
    accounts.close(world.means, steward, "ccib", key.person)

    assert problem_in(world.browser().join(secret)).code == "invitation-invalid"
    assert problem_in(world.browser(device=person.device).sign_in()).code == "sign-in-refused"
    assert not person.is_signed_in
