"""Accounts and step-ups: what is changed on a page is confirmed anew, for exactly that, within five minutes, once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.errors import InvalidInput, Refused
from contracts.people import PersonRole
from contracts.transparency import EventKind
from gateway.people import accounts, open_invitations, sessions, step_up, visible_entries
from gateway.people.accounts import Guest
from gateway.people.roles import MAY, Giver, May
from gateway.store import people
from tests.api_world import problem_in
from tests.people_world import OPERATOR, STEWARD, Browser, PeopleWorld, new_people_world

pytestmark = pytest.mark.integration

COOKIE, STEP = "__Host-saphan", "__Host-saphan-step"
DIGEST = f"sha-256:{'a' * 64}"
BOTH = Giver("oja", frozenset({PersonRole.OPERATOR, PersonRole.STEWARD}))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PeopleWorld:
    return new_people_world(tmp_path_factory.mktemp("people"))


@pytest.fixture
def world(kept: PeopleWorld) -> Iterator[PeopleWorld]:
    yield kept
    kept.api.later(9 * 3600)


def name_of(world: PeopleWorld, browser: Browser) -> str:
    return sessions.who(world.means, browser.http.cookies[COOKIE]).person.id


def roles_of(world: PeopleWorld, name: str) -> frozenset[PersonRole]:
    with world.means.store.read() as r:
        found = people.person(r, name)
    return found.roles if found else frozenset()


def test_a_steward_invites_gives_takes_signs_out_and_closes_each_confirmed(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    link = steward.order(act="invite", roles=["analyst"], name="นักวิเคราะห์").json()["link"]
    guest = world.browser()
    assert guest.join(link.partition("#")[2]).status_code == 200
    name = name_of(world, guest)

    assert steward.order(act="give", person=name, roles=["reviewer"]).status_code == 200
    assert roles_of(world, name) == {PersonRole.ANALYST, PersonRole.REVIEWER}
    assert steward.order(act="take", person=name, roles=["analyst"]).status_code == 200
    assert roles_of(world, name) == {PersonRole.REVIEWER}
    assert guest.sign_in().status_code == 200
    assert steward.order(act="end", person=name).status_code == 200
    assert not guest.is_signed_in
    assert steward.order(act="close", person=name).status_code == 200
    assert problem_in(guest.sign_in()).code == "sign-in-refused"
    shown = next(each for each in accounts.everybody(world.means, "ccib") if each.id == name)
    assert (shown.closed, shown.name, shown.roles, shown.passkeys, shown.sessions) == (True, "", (), 0, 0)
    assert problem_in(steward.order(act="give", person=name, roles=["analyst"])).code == "unknown-person"


def test_an_order_without_its_own_confirmation_is_refused(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    order = {"act": "invite", "agency": "ccib", "person": None, "roles": ["analyst"], "name": "ก"}
    assert problem_in(steward.post("/people", order)).code == "step-up-missing"

    assert steward.confirm({"order": order}).status_code == 200
    other = order | {"roles": ["officer"]}
    assert problem_in(steward.post("/people", other)).code == "step-up-missing"

    assert steward.post("/people", order).status_code == 200
    assert problem_in(steward.post("/people", order)).code == "step-up-missing"


def test_a_confirmation_is_good_for_five_minutes(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    order = {"act": "invite", "agency": "ccib", "person": None, "roles": ["analyst"], "name": "ก"}
    steward.confirm({"order": order})
    world.api.now += step_up.FRESH
    assert steward.post("/people", order).status_code == 200

    steward.confirm({"order": order})
    world.api.now += step_up.FRESH + timedelta(seconds=1)
    assert problem_in(steward.post("/people", order)).code == "step-up-missing"


def test_a_confirmation_belongs_to_its_session_and_its_own_cookie(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    order = {"act": "invite", "agency": "ccib", "person": None, "roles": ["analyst"], "name": "ก"}
    confirmed = steward.confirm({"order": order})
    (cookie,) = [each for each in confirmed.headers.get_list("set-cookie") if each.startswith(f"{STEP}=")]
    assert {"samesite=strict", "secure", "httponly", "path=/"} <= {each.strip().lower() for each in cookie.split(";")}

    elsewhere = world.browser(device=steward.device)
    elsewhere.sign_in()
    elsewhere.http.cookies.set(STEP, steward.http.cookies[STEP])
    assert problem_in(elsewhere.post("/people", order)).code == "step-up-missing"

    step = steward.http.cookies[STEP]
    steward.http.cookies.delete(STEP)
    assert problem_in(steward.post("/people", order)).code == "step-up-missing"
    steward.http.cookies.set(STEP, step)
    assert steward.post("/people", order).status_code == 200


def test_nobody_confirms_with_another_s_passkey(world: PeopleWorld) -> None:
    steward, officer = world.person(PersonRole.STEWARD), world.person(PersonRole.OFFICER)
    options = steward.post("/step-up/options", {"digest": DIGEST}).json()
    assert [each["id"] for each in options["allowCredentials"]] == [
        steward.device.make({"user": {"id": ""}, "challenge": ""})["id"]
    ]

    assert problem_in(steward.post("/step-up", officer.device.answer(options))).code == "sign-in-refused"


def test_a_challenge_of_a_sign_in_confirms_nothing(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    options = steward.post("/sign-in/options").json()

    assert problem_in(steward.post("/step-up", steward.device.answer(options))).code == "sign-in-refused"


def test_one_thing_is_confirmed_at_a_time(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)

    assert steward.post("/step-up/options", {}).status_code == 422
    order = {"act": "list", "agency": "ccib"}
    assert steward.post("/step-up/options", {"order": order, "digest": DIGEST}).status_code == 422


@pytest.mark.parametrize("role", sorted(set(PersonRole) - {PersonRole.STEWARD, PersonRole.OPERATOR}))
def test_nobody_else_sees_or_changes_people(world: PeopleWorld, role: PersonRole) -> None:
    browser = world.person(role)

    assert browser.get("/people").status_code == 403
    assert problem_in(browser.order(act="invite", roles=["analyst"], name="ก")).code == "role-missing"


PAGES = {
    "": May.OWN_ACCOUNT,
    "/people": May.MANAGE_PEOPLE,
    "/keys": May.REQUEST_KEYS,
    "/agreements": May.READ_AGREEMENTS,
    "/agreements/AGR-2569-001/1": May.READ_AGREEMENTS,
    "/sign-ins": May.READ_SIGN_INS,
    "/registers": May.READ_REGISTERS,
}


@pytest.mark.parametrize("role", list(PersonRole))
def test_each_role_opens_the_pages_of_its_table_and_no_other(world: PeopleWorld, role: PersonRole) -> None:
    at_operator = role is PersonRole.OPERATOR
    browser = world.person(role, agency="oja", giver=OPERATOR) if at_operator else world.person(role)

    opened = {path: browser.get(path).status_code for path in PAGES}

    assert opened == {path: 200 if what in MAY[role] else 403 for path, what in PAGES.items()}


def test_a_steward_changes_neither_himself_nor_other_agencies(world: PeopleWorld) -> None:
    steward, stranger = world.person(PersonRole.STEWARD), world.person(PersonRole.OFFICER, agency="rtp")
    own, other = name_of(world, steward), name_of(world, stranger)

    assert problem_in(steward.order(act="give", person=own, roles=["officer"])).code == "role-not-given"
    assert problem_in(steward.order(act="take", person=own, roles=["steward"])).code == "role-not-given"
    assert problem_in(steward.order(act="end", person=own)).code == "role-not-given"
    assert problem_in(steward.order(act="close", person=own)).code == "role-not-given"
    assert problem_in(steward.order(act="give", person=other, roles=["officer"])).code == "unknown-person"
    assert problem_in(steward.order(act="end", person=other)).code == "unknown-person"
    assert problem_in(steward.order(act="close", agency="rtp", person=other)).code == "role-not-given"
    assert problem_in(steward.order(act="invite", agency="rtp", roles=["officer"], name="ก")).code == "role-not-given"
    assert stranger.is_signed_in


def test_steward_and_dpo_are_two_people(world: PeopleWorld) -> None:
    steward, dpo = world.person(PersonRole.STEWARD), world.person(PersonRole.DPO)

    assert problem_in(steward.order(act="give", person=name_of(world, dpo), roles=["steward"])).code == "role-not-given"
    with pytest.raises(Refused, match="role-not-given"):
        world.invited(PersonRole.STEWARD, PersonRole.DPO)


def test_one_role_is_given_at_a_time_and_a_guest_has_a_name_and_a_role(world: PeopleWorld) -> None:
    steward, officer = world.person(PersonRole.STEWARD), world.person(PersonRole.OFFICER)

    answer = steward.order(act="give", person=name_of(world, officer), roles=["analyst", "reviewer"])
    assert problem_in(answer).code == "malformed-body"
    assert problem_in(steward.order(act="invite", roles=["analyst"], name=" ")).code == "malformed-body"
    assert problem_in(steward.order(act="invite", name="ก")).code == "malformed-body"


def test_the_operator_invites_the_first_steward_of_an_agency_and_only_the_first(world: PeopleWorld) -> None:
    first = world.invited(PersonRole.STEWARD, agency="dop", giver=OPERATOR)
    second = world.invited(PersonRole.STEWARD, agency="dop", giver=OPERATOR)
    assert world.browser().join(first).status_code == 200

    assert problem_in(world.browser().join(second)).code == "invitation-invalid"
    with pytest.raises(Refused, match="role-not-given"):
        world.invited(PersonRole.STEWARD, agency="dop", giver=OPERATOR)
    with pytest.raises(InvalidInput, match="unknown-agency"):
        world.invited(PersonRole.STEWARD, agency="nobody", giver=OPERATOR)


@pytest.mark.parametrize("how", ["take", "close"])
def test_the_operator_puts_no_steward_of_his_own_in_place_of_those_he_removed(tmp_path: Path, how: str) -> None:
    world, agency = new_people_world(tmp_path), "dop"
    waiting = world.invited(PersonRole.STEWARD, agency=agency, giver=OPERATOR)
    world.browser().join(world.invited(PersonRole.STEWARD, agency=agency, giver=OPERATOR))
    (steward,) = accounts.everybody(world.means, agency)
    if how == "take":
        accounts.take(world.means, OPERATOR, agency, steward.id, PersonRole.STEWARD)
    else:
        accounts.close(world.means, OPERATOR, agency, steward.id)

    with pytest.raises(Refused, match="role-not-given"):
        world.invited(PersonRole.STEWARD, agency=agency, giver=OPERATOR)
    assert problem_in(world.browser().join(waiting)).code == "invitation-invalid"
    by_key_of_the_agency = Giver(agency, frozenset({PersonRole.STEWARD}))
    again = world.invited(PersonRole.STEWARD, agency=agency, giver=by_key_of_the_agency)
    assert world.browser().join(again).status_code == 200


def test_somebody_without_a_role_is_still_closed_by_a_steward_and_by_nobody_else(world: PeopleWorld) -> None:
    browser = world.person(PersonRole.ANALYST)
    name = name_of(world, browser)
    accounts.take(world.means, STEWARD, "ccib", name, PersonRole.ANALYST)

    with pytest.raises(Refused, match="role-not-given"):
        accounts.close(world.means, Giver("ccib", frozenset({PersonRole.OFFICER})), "ccib", name)
    accounts.close(world.means, STEWARD, "ccib", name)


def test_sign_ins_of_the_own_agency_are_opened_and_others_are_not_shown(world: PeopleWorld) -> None:
    world.person(PersonRole.OFFICER, agency="rtp")
    officer, dpo = world.person(PersonRole.OFFICER), world.person(PersonRole.DPO)
    with world.means.store.read() as r:
        reader = people.person(r, name_of(world, dpo))
    assert reader is not None

    seen = visible_entries.of_people(world.means, reader)

    assert {each.entry.agency for each in seen} == {"ccib"}
    assert {each.name for each in seen if each.entry.kind is EventKind.PERSON_SIGNED_IN} >= {"สมศรี ใจดี"}
    assert "สมศรี" in dpo.get("/sign-ins").text
    assert officer.get("/sign-ins").status_code == 403
    assert dpo.get("/registers").status_code == 200
    assert officer.get("/registers").status_code == 403


def test_a_supervisor_s_auditor_sees_every_agency_s_sign_ins_and_no_name(world: PeopleWorld) -> None:
    world.person(PersonRole.OFFICER)
    auditor = people.Person("psn-auditor", "oja", "ผู้ตรวจ", frozenset({PersonRole.AUDITOR}))

    seen = visible_entries.of_people(world.means, auditor)

    assert "ccib" in {each.entry.agency for each in seen}
    assert {each.name for each in seen if each.entry.agency != "oja"} == {None}
    with pytest.raises(Refused, match="role-missing"):
        visible_entries.of_people(world.means, people.Person("psn-x", "ccib", "", frozenset({PersonRole.ANALYST})))
    with pytest.raises(Refused, match="role-missing"):
        visible_entries.disclosures_for(world.means, people.Person("psn-x", "ccib", "", frozenset()))


def test_an_operator_s_page_invites_first_stewards(world: PeopleWorld) -> None:
    operator = world.browser()
    operator.join(world.invited(PersonRole.OPERATOR, agency="oja", giver=OPERATOR))

    assert "rtp" in operator.get("/people").text
    answer = operator.order(act="invite", agency="rtp", roles=["steward"], name="ผู้ดูแล")
    assert answer.status_code == 200
    assert problem_in(operator.order(act="invite", agency="rtp", roles=["officer"], name="ก")).code == "role-not-given"


@pytest.mark.parametrize("lang", ["th", "en"])
@pytest.mark.parametrize(
    "path", ["", "/people", "/keys", "/agreements", "/sign-ins", "/join", "/sign-in", "/confirmed"]
)
def test_every_page_speaks_both_languages(world: PeopleWorld, path: str, lang: str) -> None:
    page = world.person(PersonRole.STEWARD).get(f"{path}?lang={lang}")

    assert page.status_code == 200
    assert f'<html lang="{lang}">' in page.text


def test_a_refusal_is_told_on_a_page_to_people(world: PeopleWorld) -> None:
    page = world.person(PersonRole.ANALYST).get("/people?lang=en")

    assert page.status_code == 403
    assert "None of your roles may do this." in page.text


def test_an_invitation_for_a_guest_of_no_account_here_is_refused(world: PeopleWorld) -> None:
    with pytest.raises(InvalidInput, match="unknown-person"):
        accounts.invite(world.means, STEWARD, Guest("ccib", person="psn-nobody"))


def test_an_invitation_is_good_no_more_when_its_giver_lost_the_role(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    by = Giver("ccib", frozenset({PersonRole.STEWARD}), name_of(world, steward))
    before, after = world.invited(PersonRole.OFFICER, giver=by), world.invited(PersonRole.OFFICER, giver=by)
    assert world.browser().join(before).status_code == 200

    accounts.take(world.means, STEWARD, "ccib", name_of(world, steward), PersonRole.STEWARD)

    assert problem_in(world.browser().join(after)).code == "invitation-invalid"


def test_open_invitations_end_with_the_account_that_gave_them(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    by = Giver("ccib", frozenset({PersonRole.STEWARD}), name_of(world, steward))
    left = world.invited(PersonRole.OFFICER, giver=by)

    accounts.close(world.means, STEWARD, "ccib", by.person or "")

    assert problem_in(world.browser().join(left)).code == "invitation-invalid"
    with pytest.raises(Refused, match="invitation-invalid"):
        accounts.invitation(world.means, left)


@pytest.mark.parametrize("signed_by", ["ccib#steward-1", "ccib#steward-99", "ccib#officer-1"])
def test_an_invitation_by_a_key_is_good_while_the_key_may_order(world: PeopleWorld, signed_by: str) -> None:
    secret = world.invited(PersonRole.OFFICER, giver=Giver("ccib", frozenset({PersonRole.STEWARD}), key=signed_by))

    joined = world.browser().join(secret)

    assert joined.status_code == (200 if signed_by == "ccib#steward-1" else 403)


def test_a_new_way_into_an_account_is_judged_by_the_roles_that_it_has_when_it_is_used(world: PeopleWorld) -> None:
    officer = world.person(PersonRole.OFFICER)
    name = name_of(world, officer)
    link = accounts.invite(world.means, STEWARD, Guest("ccib", person=name)).secret

    accounts.give(world.means, STEWARD, "ccib", name, PersonRole.DPO)
    assert problem_in(world.browser().join(link)).code == "invitation-invalid"
    officer.sign_in()
    assert officer.is_signed_in
    for role in (PersonRole.DPO, PersonRole.OFFICER):
        accounts.take(world.means, STEWARD, "ccib", name, role)
    assert problem_in(world.browser().join(link)).code == "invitation-invalid"


def test_a_steward_lets_nobody_into_the_account_of_a_dpo_or_of_an_operator(world: PeopleWorld) -> None:
    steward, dpo = world.person(PersonRole.STEWARD), world.person(PersonRole.DPO, PersonRole.OFFICER)
    operator = world.person(PersonRole.OPERATOR, PersonRole.ANALYST, agency="oja", giver=BOTH)

    assert problem_in(steward.order(act="invite", person=name_of(world, dpo))).code == "role-not-given"
    at_oja = Giver("oja", frozenset({PersonRole.STEWARD}))
    with pytest.raises(Refused, match="role-not-given"):
        accounts.invite(world.means, at_oja, Guest("oja", person=name_of(world, operator)))
    assert dpo.is_signed_in


def test_a_steward_sees_open_invitations_and_cancels_them(world: PeopleWorld) -> None:
    steward = world.person(PersonRole.STEWARD)
    secret = world.invited(PersonRole.OFFICER, name="แขก")
    (shown,) = [each for each in open_invitations.everything(world.means, STEWARD, "ccib") if each.name == "แขก"]
    assert shown.id in steward.get("/people").text
    assert secret not in shown.model_dump_json()

    assert steward.order(act="cancel", invitation=shown.id).status_code == 200

    assert problem_in(world.browser().join(secret)).code == "invitation-invalid"
    assert shown.id not in steward.get("/people").text
    assert problem_in(steward.order(act="cancel", invitation=shown.id)).code == "invitation-invalid"
    changes = [each.facts["change"] for each in world.entries(EventKind.PERSON_ROLE_CHANGED)]
    assert changes[-1] == "invitation-cancelled"


def test_nobody_cancels_or_sees_another_agency_s_invitations(world: PeopleWorld) -> None:
    secret = world.invited(PersonRole.OFFICER, name="แขก")
    (shown,) = [each for each in open_invitations.everything(world.means, STEWARD, "ccib") if each.name == "แขก"]
    rtp, officer = Giver("rtp", frozenset({PersonRole.STEWARD})), Giver("ccib", frozenset({PersonRole.OFFICER}))

    assert open_invitations.everything(world.means, OPERATOR, "ccib") == ()
    for giver, code in ((rtp, "invitation-invalid"), (OPERATOR, "invitation-invalid"), (officer, "role-not-given")):
        with pytest.raises(Refused, match=code):
            open_invitations.cancel(world.means, giver, "ccib", shown.id)
    assert world.browser().join(secret).status_code == 200
