"""Accounts: opened by invitation alone, changed by who may, closed for good. Every change of a role is in the log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import InvalidInput, Refused
from contracts.people import PersonRole, PersonView, ordering_key
from gateway.means import Means
from gateway.people import records, sessions
from gateway.people.roles import Giver, Standing, check_change, check_invited, check_together, giver_by_key
from gateway.people.secret_names import kept, new_secret
from gateway.store import log, people, people_sessions
from gateway.store.engine import Reading, Transaction
from gateway.store.people import Invitation, Passkey, Person

INVITED_FOR: Final = timedelta(days=3)
ID_BYTES: Final = 8
JOIN_PATH: Final = "/account/join"


@dataclass(frozen=True, slots=True)
class Invited:
    """A fresh invitation: the secret of its link, until when it is good, and the invitation itself."""

    secret: str
    expires_at: datetime

    def link(self, origin: str) -> str:
        """The link; the secret stands behind the ``#``, which no browser sends and no log sees."""
        return f"{origin}{JOIN_PATH}#{self.secret}"


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is to be invited: name and roles; or, with ``person``, somebody who has an account and must get in anew."""

    agency: str
    name: str = ""
    roles: frozenset[PersonRole] = frozenset()
    person: str | None = None


def invite(means: Means, giver: Giver, guest: Guest) -> Invited:
    """Invite somebody to open an account, or to sign in to one in a new way, which ends every old one.

    Raises:
        Refused: ``role-not-given``.
        InvalidInput: ``unknown-agency``, ``unknown-person``, ``malformed-body`` without a role or a name.
    """
    now, secret = means.clock(), new_secret(means.entropy)
    with means.store.transaction() as t:
        known = _known(t, guest.agency, guest.person) if guest.person else None
        roles, name = (known.roles, known.name) if known else (guest.roles, guest.name)
        if not roles or not name.strip():
            raise InvalidInput("malformed-body", where="roles" if not roles else "name")
        check_invited(giver, roles, guest.person, standing_of(t, means, guest.agency))
        person, until = known or Person(kept(secret), guest.agency, name, roles), now + INVITED_FOR
        people.add_invitation(t, _given(giver, person, kept(secret), guest.person, until))
        change = "invited" if known is None else "recovery-invited"
        log.append(t, records.role_changed(change, _listed(roles), person, giver, now, means.entropy))
    return Invited(secret, until)


def invitation(means: Means, secret: str) -> Invitation:
    """The invitation of a link.

    Raises:
        Refused: ``invitation-invalid``.
    """
    with means.store.read() as r:
        found = people.invitation(r, kept(secret), means.clock())
    if found is None:
        raise Refused("invitation-invalid")
    return found


def join(means: Means, token_hash: str, person: str, method: str, keep: Callable[[Transaction, Person], bool]) -> str:
    """Use an invitation up: open the account, or get into it anew, and sign in.

    Who gets in anew has this one way in from now on: every passkey, login provider and session of before ends, so that
    an owner whose account somebody else was let into notices. The giver's roles are looked at again.

    Args:
        means: The gateway's surroundings.
        token_hash: The digest of the invitation's secret.
        person: The identifier of the account if it is new.
        method: How the person signs in from now on.
        keep: Keeps by what; says whether nobody else has it.

    Returns:
        The name of the session.

    Raises:
        Refused: ``invitation-invalid``, also for an agency that left, or when the giver might not give it now.
        InvalidInput: ``passkey-not-accepted``, when somebody has it already.
    """
    now = means.clock()
    with means.store.transaction() as t:
        used = people.use_invitation(t, token_hash, now)
        if used is None or means.federation.member(used.agency) is None:
            raise Refused("invitation-invalid")
        known = _known(t, used.agency, used.person) if used.person else None
        joined = known or Person(person, used.agency, used.name, used.roles)
        giver = _giver_now(t, means, used)
        if giver is None or not _may_invite(giver, joined, used.person, standing_of(t, means, used.agency)):
            raise Refused("invitation-invalid")
        if known is None:
            people.add_person(t, joined, now)
        else:
            people.lock_out(t, joined.id, now)
            people_sessions.end_all(t, joined.id, now)
        if not keep(t, joined):
            raise InvalidInput("passkey-not-accepted")
        change = "joined" if known is None else "recovered"
        log.append(t, records.role_changed(change, _listed(joined.roles), joined, giver, now, means.entropy))
        return sessions.begin(t, means, joined, method)


def give(means: Means, giver: Giver, agency: str, name: str, role: PersonRole) -> None:
    """Give somebody a role; whoever is signed in with the old ones signs in again.

    Raises:
        Refused: ``role-not-given``.
        InvalidInput: ``unknown-person``.
    """
    with means.store.transaction() as t:
        person = _known(t, agency, name)
        check_change(giver, role, name, standing_of(t, means, agency))
        check_together(person.roles | {role})
        if people.give(t, name, role, means.clock()):
            _changed(t, means, "given", role.value, person, giver)


def take(means: Means, giver: Giver, agency: str, name: str, role: PersonRole) -> None:
    """Take a role away; the person is signed out at once.

    Raises:
        Refused: ``role-not-given``.
        InvalidInput: ``unknown-person``.
    """
    with means.store.transaction() as t:
        person = _known(t, agency, name)
        check_change(giver, role, name, standing_of(t, means, agency), taking=True)
        if people.take(t, name, role):
            _changed(t, means, "taken", role.value, person, giver)


def end_sessions(means: Means, giver: Giver, agency: str, name: str) -> None:
    """Sign somebody out everywhere, at once.

    Raises:
        Refused: ``role-not-given``.
        InvalidInput: ``unknown-person``.
    """
    with means.store.transaction() as t:
        person = _known(t, agency, name)
        _check_all(giver, person, standing_of(t, means, agency))
        people_sessions.end_all(t, name, means.clock())


def close(means: Means, giver: Giver, agency: str, name: str) -> None:
    """Close an account for good: signed out at once, no passkey, no role, no name kept.

    Raises:
        Refused: ``role-not-given``.
        InvalidInput: ``unknown-person``.
    """
    with means.store.transaction() as t:
        person = _known(t, agency, name)
        _check_all(giver, person, standing_of(t, means, agency))
        people.close(t, name, means.clock())
        _changed(t, means, "closed", _listed(person.roles), person, giver)


def everybody(means: Means, agency: str) -> tuple[PersonView, ...]:
    """The accounts of an agency, open or closed, oldest first."""
    now = means.clock()
    with means.store.read() as r:
        return people.everybody(r, agency, now - sessions.ABSOLUTE, now - sessions.IDLE)


def add_passkey(means: Means, key: Passkey, person: Person) -> None:
    """Keep one more of the own passkeys; the log tells.

    Raises:
        InvalidInput: ``passkey-not-accepted``, when somebody has it already.
    """
    with means.store.transaction() as t:
        if not people.add_passkey(t, key):
            raise InvalidInput("passkey-not-accepted")
        _told_of_passkey(t, means, "passkey-added", person)


def revoke_passkey(means: Means, person: Person, key: str) -> None:
    """Take one of the own passkeys out of use; whoever signed in with any is signed out at once, and the log tells.

    Raises:
        InvalidInput: ``unknown-person``, when it is not the person's.
    """
    with means.store.transaction() as t:
        if not people.revoke_passkey(t, person.id, key, means.clock()):
            raise InvalidInput("unknown-person")
        people_sessions.end_all(t, person.id, means.clock())
        _told_of_passkey(t, means, "passkey-revoked", person)


def new_person(means: Means) -> str:
    """A fresh identifier of an account; it says nothing about its owner."""
    return f"psn-{means.entropy(ID_BYTES).hex()}"


def _told_of_passkey(t: Transaction, means: Means, change: str, person: Person) -> None:
    own = Giver(person.agency, person.roles, person.id)
    told = records.role_changed(change, _listed(person.roles), person, own, means.clock(), means.entropy)
    log.append(t, told)


def _changed(t: Transaction, means: Means, change: str, role: str, person: Person, giver: Giver) -> None:
    """A role changed: every session with the old ones ends, and the log tells."""
    people_sessions.end_all(t, person.id, means.clock())
    log.append(t, records.role_changed(change, role, person, giver, means.clock(), means.entropy))


def _given(giver: Giver, guest: Person, token_hash: str, person: str | None, until: datetime) -> Invitation:
    return Invitation(
        token_hash=token_hash,
        agency=guest.agency,
        roles=guest.roles,
        name=guest.name,
        giver=giver.agency,
        giver_roles=giver.roles,
        giver_person=giver.person,
        giver_key=giver.key,
        person=person,
        expires_at=until,
    )


def _giver_now(r: Reading, means: Means, used: Invitation) -> Giver | None:
    """Who gave an invitation, with what the account or the key may by now; none when it is closed, or good no more."""
    if used.giver_person is not None:
        person = people.person(r, used.giver_person)
        return Giver(person.agency, person.roles, person.id) if person else None
    if used.giver_key is not None:
        key = ordering_key(means.federation, used.giver_key, means.clock())
        return giver_by_key(key) if key else None
    return Giver(used.giver, used.giver_roles)


def _may_invite(giver: Giver, joined: Person, to: str | None, standing: Standing) -> bool:
    try:
        check_invited(giver, joined.roles, to, standing)
    except Refused:
        return False
    return bool(joined.roles)


def _check_all(giver: Giver, person: Person, standing: Standing) -> None:
    """Whoever may take one of a person's roles may sign him out or close the account; nobody his own."""
    first: Refused | None = None
    for role in sorted(person.roles) or [PersonRole.ANALYST]:
        try:
            return check_change(giver, role, person.id, standing, taking=True)
        except Refused as error:
            first = first or error
    raise first or Refused("role-missing")


def _known(t: Transaction, agency: str, name: str) -> Person:
    person = people.lock_person(t, name)
    if person is None or person.agency != agency:
        raise InvalidInput("unknown-person")
    return person


def standing_of(r: Reading, means: Means, agency: str) -> Standing:
    """An agency at this moment, as the rules about roles ask for it.

    Raises:
        InvalidInput: ``unknown-agency``.
    """
    if means.federation.member(agency) is None:
        raise InvalidInput("unknown-agency", agency=agency)
    return Standing(agency, agency == means.federation.operator, people.had_steward(r, agency))


def _listed(roles: frozenset[PersonRole]) -> str:
    return ",".join(sorted(role.value for role in roles))
