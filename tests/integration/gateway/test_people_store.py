"""People's rows on both databases, and what happens when two processes do the same at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from contracts.errors import Refused, SaphanError
from contracts.people import PersonRole
from contracts.transparency import EventKind
from gateway.means import Means
from gateway.people import accounts, sessions, step_up
from gateway.people.accounts import Guest
from gateway.people.attempts import Trying, check_attempt
from gateway.people.roles import Giver
from gateway.people.secret_names import kept
from gateway.store import people, people_keys, people_sessions
from gateway.store.engine import Transaction
from gateway.store.people import Passkey, Person
from gateway.store.people_keys import KeptRequest
from gateway.store.people_sessions import Challenge
from tests.gateway_world import World

pytestmark = pytest.mark.integration

STEWARD = Giver("ccib", frozenset({PersonRole.STEWARD}))
DIGEST = f"sha-256:{'d' * 64}"
AT_ONCE = 6


def means_of(world: World) -> Means:
    return world.exchange.means


def joined(means: Means, *roles: PersonRole, name: str = "ก") -> str:
    """Somebody who joined by a passkey that nobody looked at; the name of the session."""
    invited = accounts.invite(means, STEWARD, Guest("ccib", name, frozenset(roles)))
    person, now = accounts.new_person(means), means.clock()

    def keep(t: Transaction, owner: Person) -> bool:
        return people.add_passkey(t, Passkey(f"key of {person}", owner.id, b"key", 0, "", now, now))

    return accounts.join(means, kept(invited.secret), person, "passkey", keep)


def at_once(deed: Callable[[int], object]) -> list[object]:
    """Do the same in several threads, each with connections of its own; what came of each."""

    def tried(number: int) -> object:
        try:
            return deed(number)
        except SaphanError as error:
            return error.code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(tried, range(AT_ONCE)))


def test_an_account_lives_from_its_invitation_to_its_end(world: World) -> None:
    means = means_of(world)
    me = sessions.who(means, joined(means, PersonRole.OFFICER, PersonRole.ANALYST))

    accounts.give(means, STEWARD, "ccib", me.person.id, PersonRole.REVIEWER)
    (shown,) = accounts.everybody(means, "ccib")
    assert shown.roles == (PersonRole.OFFICER, PersonRole.ANALYST, PersonRole.REVIEWER)
    assert (shown.passkeys, shown.sessions, shown.closed) == (1, 0, False)
    accounts.close(means, STEWARD, "ccib", me.person.id)
    (shown,) = accounts.everybody(means, "ccib")
    assert (shown.name, shown.roles, shown.passkeys, shown.closed) == ("", (), 0, True)
    assert [each for each in world.kinds() if each.value.startswith("person.")] == [
        EventKind.PERSON_ROLE_CHANGED,
        EventKind.PERSON_ROLE_CHANGED,
        EventKind.PERSON_SIGNED_IN,
        EventKind.PERSON_ROLE_CHANGED,
        EventKind.PERSON_ROLE_CHANGED,
    ]


def test_an_invitation_that_several_open_at_once_opens_one_account(world: World) -> None:
    means = means_of(world)
    invited = accounts.invite(means, STEWARD, Guest("ccib", "ก", frozenset({PersonRole.OFFICER})))

    done = at_once(
        lambda number: accounts.join(means, kept(invited.secret), f"psn-{number}", "passkey", lambda _, __: True)
    )

    assert done.count("invitation-invalid") == AT_ONCE - 1
    assert len(accounts.everybody(means, "ccib")) == 1


def test_what_failed_leaves_the_invitation_as_it_was(world: World) -> None:
    means = means_of(world)
    invited = accounts.invite(means, STEWARD, Guest("ccib", "ก", frozenset({PersonRole.OFFICER})))

    with pytest.raises(SaphanError, match="passkey-not-accepted"):
        accounts.join(means, kept(invited.secret), "psn-1", "passkey", lambda _, __: False)

    assert accounts.everybody(means, "ccib") == ()
    assert accounts.invitation(means, invited.secret).name == "ก"


def test_a_challenge_that_is_answered_several_times_at_once_counts_once(world: World) -> None:
    means = means_of(world)
    now = means.clock()
    with means.store.transaction() as t:
        people_sessions.ask(t, Challenge("hash", "sign-in", "browser", "about", now + timedelta(minutes=1)), now)

    def answer(_: int) -> bool:
        with means.store.transaction() as t:
            return people_sessions.answered(t, "hash", "sign-in", "browser", now) is not None

    assert at_once(answer).count(True) == 1


def test_a_confirmation_that_is_used_several_times_at_once_counts_once(world: World) -> None:
    means = means_of(world)
    me = sessions.who(means, joined(means, PersonRole.STEWARD))
    with means.store.transaction() as t:
        secret = step_up.keep(t, means, me, DIGEST)

    done = at_once(lambda _: step_up.check(means, me, secret, DIGEST))

    assert sorted(done, key=str) == [None, *["step-up-missing"] * (AT_ONCE - 1)]


def test_attempts_of_all_processes_are_counted_together(world: World) -> None:
    means = means_of(world)

    for _ in range(3):
        done = at_once(lambda _: check_attempt(means, Trying.SIGN_IN, "192.0.2.1", "psn-1"))
        assert done == [None] * AT_ONCE
    assert at_once(lambda _: check_attempt(means, Trying.SIGN_IN, "192.0.2.1", "psn-1")).count(None) == 2


def test_old_sessions_and_what_was_confirmed_in_them_are_deleted(world: World) -> None:
    means = means_of(world)
    me = sessions.who(means, joined(means, PersonRole.STEWARD))
    with means.store.transaction() as t:
        step_up.keep(t, means, me, DIGEST)
        assert people_sessions.purge(t, me.session.created_at) == 0
        assert people_sessions.purge(t, me.session.created_at + timedelta(seconds=1)) == 1


def test_a_session_that_is_ended_takes_its_confirmations_with_it(world: World) -> None:
    means = means_of(world)
    me = sessions.who(means, joined(means, PersonRole.STEWARD))
    with means.store.transaction() as t:
        secret = step_up.keep(t, means, me, DIGEST)
    sessions.sign_out(means, me)

    with pytest.raises(Refused, match="step-up-missing"):
        step_up.check(means, me, secret, DIGEST)
    assert sessions.sign_out_everywhere(means, me.person.id) == 0
    assert sessions.open_sessions(means, me.person.id) == ()


def test_two_keys_do_not_get_one_name(world: World) -> None:
    means = means_of(world)
    me = sessions.who(means, joined(means, PersonRole.OFFICER))
    asked = KeptRequest("ccib#officer-9", me.person.id, "ccib", "document")

    def ask(_: int) -> bool:
        with means.store.transaction() as t:
            return people_keys.add(t, asked, means.clock())

    assert at_once(ask).count(True) == 1
    with means.store.read() as r:
        assert people_keys.asked_of_person(r, me.person.id) == people_keys.asked_of_agency(r, "ccib") == (asked,)


def test_an_order_s_identifier_is_spent_once(world: World) -> None:
    means = means_of(world)

    def order(_: int) -> bool:
        with means.store.transaction() as t:
            return people.is_new_order(t, "ppl-1", means.clock())

    assert at_once(order).count(True) == 1


def test_nobody_is_found_by_what_nobody_has(world: World) -> None:
    means = means_of(world)
    with means.store.read() as r:
        assert people.person(r, "psn-nobody") is None
        assert people.passkey(r, "none") is None
        assert people.identified(r, "https://login.example", "1") is None
        assert not people.has_identity(r, "psn-nobody")
        assert not people.had_steward(r, "ccib")
        assert people_sessions.session(r, "none") is None
        assert people_sessions.counted(r, "none", means.clock()) == (0, None)
    with means.store.transaction() as t:
        assert not people.revoke_passkey(t, "psn-nobody", "none", means.clock())
        assert people_sessions.use_confirmed(t, "none", "none", DIGEST) is None
    with pytest.raises(Refused, match="session-ended"):
        sessions.who(means, "A" * 43)
    with pytest.raises(Refused, match="session-ended"):
        sessions.who(means, None)
