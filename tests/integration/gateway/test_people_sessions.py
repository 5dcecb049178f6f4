"""Sessions: cookies, ends, rotation; calls of other sites; and how often somebody may try."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.routing import Route

from contracts.errors import Refused
from contracts.people import PersonRole
from contracts.transparency import EventKind
from gateway.people import accounts, attempts, sessions
from gateway.people.attempts import AttemptStorage, Trying, check_attempt
from gateway.people.roles import Giver
from gateway.store import people, people_sessions
from gateway.web.account import ROUTERS
from tests.api_world import problem_in
from tests.authenticator import PRESENT
from tests.people_world import STEWARD, Browser, PeopleWorld, new_people_world

pytestmark = pytest.mark.integration

COOKIE = "__Host-saphan"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PeopleWorld:
    return new_people_world(tmp_path_factory.mktemp("people"))


@pytest.fixture
def world(kept: PeopleWorld) -> Iterator[PeopleWorld]:
    yield kept
    kept.api.later(9 * 3600)


def person_of(world: PeopleWorld, browser: Browser) -> str:
    return sessions.who(world.means, browser.http.cookies[COOKIE]).person.id


def test_the_session_s_cookie_goes_to_this_host_alone_and_no_script_reads_it(world: PeopleWorld) -> None:
    browser = world.browser()
    answer = browser.join(world.invited(PersonRole.OFFICER))

    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{COOKIE}=")]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=lax", "secure"}
    assert len(browser.http.cookies[COOKIE]) == 43
    files = b"".join(path.read_bytes() for path in world.api.home.iterdir() if path.is_file())
    assert browser.http.cookies[COOKIE].encode() not in files


def test_a_page_of_one_s_own_is_kept_nowhere_and_runs_no_script_but_the_files(world: PeopleWorld) -> None:
    page = world.person(PersonRole.OFFICER).get()

    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert "onclick" not in page.text


def test_a_session_ends_after_half_an_hour_of_rest(world: PeopleWorld) -> None:
    browser = world.person(PersonRole.OFFICER)
    for _ in range(3):
        world.api.now += sessions.IDLE - timedelta(seconds=1)
        assert browser.is_signed_in

    world.api.now += sessions.IDLE
    assert not browser.is_signed_in


def test_a_session_ends_after_eight_hours_however_busy(world: PeopleWorld) -> None:
    browser = world.person(PersonRole.OFFICER)
    for _ in range(int(sessions.ABSOLUTE / timedelta(minutes=20)) - 1):
        world.api.now += timedelta(minutes=20)
        assert browser.is_signed_in

    world.api.now += timedelta(minutes=20)
    assert not browser.is_signed_in


def test_a_session_has_a_new_name_at_every_sign_in_and_the_old_name_is_good_no_more(world: PeopleWorld) -> None:
    browser = world.person(PersonRole.OFFICER)
    before = browser.http.cookies[COOKIE]

    assert browser.sign_in().status_code == 200

    assert browser.http.cookies[COOKIE] != before
    browser.http.cookies.set(COOKIE, before, domain="gateway.example", path="/")
    stale = world.browser()
    stale.http.cookies.set(COOKIE, before)
    assert not stale.is_signed_in


def test_a_name_that_somebody_else_put_into_the_browser_never_becomes_a_session(world: PeopleWorld) -> None:
    person = world.person(PersonRole.OFFICER)
    victim = world.browser(device=person.device)
    victim.http.cookies.set(COOKIE, "A" * 43)

    assert victim.sign_in().status_code == 200

    thief = world.browser()
    thief.http.cookies.set(COOKIE, "A" * 43)
    assert not thief.is_signed_in


def test_signing_out_ends_one_session_and_everywhere_all_of_them(world: PeopleWorld) -> None:
    first = world.person(PersonRole.OFFICER)
    second, third = world.browser(device=first.device), world.browser(device=first.device)
    assert second.sign_in().status_code == third.sign_in().status_code == 200
    name = first.http.cookies[COOKIE]

    assert first.post("/sign-out").status_code == 303
    stale = world.browser()
    stale.http.cookies.set(COOKIE, name)
    assert not stale.is_signed_in
    assert second.is_signed_in
    assert second.post("/sign-out-everywhere").status_code == 303

    assert not third.is_signed_in


def test_a_change_of_roles_ends_every_session_at_once(world: PeopleWorld) -> None:
    browser = world.person(PersonRole.OFFICER)
    name = person_of(world, browser)

    accounts.give(world.means, STEWARD, "ccib", name, PersonRole.ANALYST)
    assert browser.get().status_code == 303

    assert browser.sign_in().status_code == 200
    accounts.give(world.means, STEWARD, "ccib", name, PersonRole.ANALYST)  # no change
    assert browser.get().status_code == 200
    accounts.take(world.means, STEWARD, "ccib", name, PersonRole.ANALYST)
    assert browser.get().status_code == 303


def test_old_sessions_are_deleted(world: PeopleWorld) -> None:
    browser = world.person(PersonRole.OFFICER)
    name = person_of(world, browser)
    world.api.later(25 * 3600)
    world.person(PersonRole.OFFICER)

    with world.means.store.read() as r:
        assert people_sessions.sessions_of(r, name) == ()


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_and_scripts_are_refused(world: PeopleWorld) -> None:
    browser = world.browser()

    assert browser.get().headers["location"] == "/account/sign-in"
    answer = browser.get(accept="application/json")
    assert problem_in(answer).code == "session-ended"


POSTS = [
    route.path.removeprefix("/account").format(name="AGR-1")
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, Route) and "POST" in (route.methods or ())
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_no_call_that_changes_something_is_taken_from_elsewhere(
    world: PeopleWorld, path: str, headers: dict[str, str]
) -> None:
    browser = world.browser(origin=None)

    answer = browser.post(path, {}, **headers)

    assert answer.status_code == 403
    assert problem_in(answer).code == "cross-site-call"


def test_there_are_calls_that_change_something() -> None:
    assert len(POSTS) >= 16


def test_too_many_sign_ins_from_one_address_are_refused_until_the_window_is_over(world: PeopleWorld) -> None:
    browser = world.browser()
    answers = [browser.post("/sign-in/options").status_code for _ in range(attempts.MOST_BY_PEER + 1)]

    assert answers[:-1] == [200] * attempts.MOST_BY_PEER
    assert answers[-1] == 429
    world.api.later(attempts.WINDOW_MINUTES * 60)
    assert browser.post("/sign-in/options").status_code == 200


def test_too_many_tries_of_one_account_are_refused_wherever_they_come_from(world: PeopleWorld) -> None:
    for number in range(attempts.MOST_BY_ACCOUNT):
        check_attempt(world.means, Trying.SIGN_IN, f"198.51.100.{number}", "psn-1")

    with pytest.raises(Refused, match="too-many-attempts"):
        check_attempt(world.means, Trying.SIGN_IN, "198.51.100.99", "psn-1")
    check_attempt(world.means, Trying.SIGN_IN, "198.51.100.99", "psn-2")
    check_attempt(world.means, Trying.STEP_UP, "198.51.100.99", "psn-1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sign-in/options", {}),
        ("/join/options", {"secret": "A" * 43}),
        ("/step-up/options", {"digest": f"sha-256:{'0' * 64}"}),
        ("/passkeys/options", {}),
    ],
)
def test_every_way_in_is_counted(world: PeopleWorld, path: str, body: dict[str, str]) -> None:
    browser = world.person(PersonRole.OFFICER)
    world.api.later(3600 - 1)
    browser.sign_in()
    most = attempts.MOST_BY_PEER if path == "/sign-in/options" else attempts.MOST_BY_ACCOUNT
    statuses = [browser.post(path, body).status_code for _ in range(most + 1)]

    assert 429 in statuses


def test_the_storage_of_attempts_is_what_the_library_asks_for(world: PeopleWorld) -> None:
    storage = AttemptStorage(world.means)

    assert storage.check()
    assert storage.get("key") == 0
    assert storage.get_expiry("key") == world.api.now.timestamp()
    assert [storage.incr("key", 60), storage.incr("key", 60, 2), storage.get("key")] == [1, 3, 3]
    assert storage.get_expiry("key") == (world.api.now + timedelta(minutes=1)).timestamp()
    storage.clear("key")
    assert storage.get("key") == 0
    storage.incr("other", 60)
    assert storage.reset() == 1
    assert storage.base_exceptions is LookupError


def test_the_address_of_nobody_is_kept(world: PeopleWorld) -> None:
    world.browser().post("/sign-in/options")

    files = b"".join(path.read_bytes() for path in world.api.home.iterdir() if path.is_file())
    assert b"testclient" not in files


def failing(world: PeopleWorld, person: Browser, times: int) -> None:
    for _ in range(times):
        person.device.flags = PRESENT
        assert world.browser(device=person.device).sign_in().status_code == 403


def test_failed_sign_ins_beyond_a_threshold_are_in_the_log_once_an_hour(world: PeopleWorld) -> None:
    person = world.person(PersonRole.DPO)
    before = len(world.entries(EventKind.PERSON_SIGN_IN_FAILED))

    failing(world, person, attempts.FAILED_TIMES)
    assert len(world.entries(EventKind.PERSON_SIGN_IN_FAILED)) == before
    failing(world, person, 3)

    (entry,) = world.entries(EventKind.PERSON_SIGN_IN_FAILED)[before:]
    assert entry.agency == "ccib"
    assert entry.facts == {"times": "5+"}
    assert set(entry.commitments) == {"person"}
    world.api.later(3600)
    failing(world, person, attempts.FAILED_TIMES + 1)
    assert len(world.entries(EventKind.PERSON_SIGN_IN_FAILED)) == before + 2


def test_failures_of_nobody_known_are_logged_without_an_agency(world: PeopleWorld) -> None:
    before = len(world.entries(EventKind.PERSON_SIGN_IN_FAILED))
    for _ in range(attempts.FAILED_TIMES + 1):
        world.browser().sign_in()

    (entry,) = world.entries(EventKind.PERSON_SIGN_IN_FAILED)[before:]
    assert entry.agency is None
    assert entry.commitments == {}


def test_the_log_names_nobody(world: PeopleWorld) -> None:
    browser = world.browser()
    browser.join(world.invited(PersonRole.REVIEWER, name="ชื่อจริง นามสกุล"))
    name = person_of(world, browser)
    accounts.close(world.means, Giver("ccib", frozenset({PersonRole.STEWARD})), "ccib", name)

    kinds = (EventKind.PERSON_SIGNED_IN, EventKind.PERSON_ROLE_CHANGED)
    told = [each for kind in kinds for each in world.entries(kind)]
    assert {each.facts.get("change") for each in told} >= {None, "invited", "joined", "closed"}
    assert {each.agency for each in told} == {"ccib"}
    for each in told:
        text = each.model_dump_json()
        assert name not in text
        assert "ชื่อจริง" not in text
        assert "person" in each.commitments
    with world.means.store.read() as r:
        assert "ชื่อจริง" not in "".join(each.name for each in people.everybody(r, "ccib", each.at, each.at))
