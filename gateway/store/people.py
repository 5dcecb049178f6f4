"""Accounts as rows: people, their roles, what they sign in with, and invitations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update

from contracts.people import PersonRole, PersonView
from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.people_tables import (
    invitations,
    passkeys,
    people,
    people_orders,
    person_identities,
    person_roles,
    sessions,
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an open account."""

    id: str
    agency: str
    name: str
    roles: frozenset[PersonRole]


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as it is kept; ``id`` is the credential's, base64url; ``public_key`` is COSE."""

    id: str
    person: str
    public_key: bytes
    sign_count: int
    label: str
    added_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation; ``person`` when it is for somebody who has an account, to sign in anew.

    ``giver`` is the agency that gave it, through a person, by a key, or neither at the gateway itself; ``giver_roles``
    are those of the giver then.
    """

    token_hash: str
    agency: str
    roles: frozenset[PersonRole]
    name: str
    giver: str
    giver_roles: frozenset[PersonRole]
    giver_person: str | None
    giver_key: str | None
    person: str | None
    expires_at: datetime


def add_person(t: Transaction, person: Person, now: datetime) -> None:
    """Open an account."""
    t.add(people, [{"id": person.id, "agency": person.agency, "name": person.name, "created_at": now}])
    for role in sorted(person.roles):
        give(t, person.id, role, now)


def person(r: Reading, name: str) -> Person | None:
    """The person of that identifier, while the account is open."""
    row = r.one(select(people).where(people.c.id == name, people.c.closed_at.is_(None)))
    return _person(r, row) if row else None


def lock_person(t: Transaction, name: str) -> Person | None:
    """The same, whom nobody else changes until the transaction ends."""
    row = t.lock(select(people).where(people.c.id == name, people.c.closed_at.is_(None)))
    return _person(t, row) if row else None


def close(t: Transaction, name: str, now: datetime) -> None:
    """Close an account for good: its name, all that opens it, and every open invitation that it gave, goes."""
    t.run(update(people).where(people.c.id == name).values(closed_at=now, name=""))
    t.run(delete(person_roles).where(person_roles.c.person == name))
    lock_out(t, name, now)
    t.run(delete(invitations).where(invitations.c.giver_person == name, invitations.c.used_at.is_(None)))


def lock_out(t: Transaction, name: str, now: datetime) -> None:
    """Nothing that opened an account opens it any more: no passkey, no login provider, no open invitation into it."""
    t.run(delete(person_identities).where(person_identities.c.person == name))
    t.run(update(passkeys).where(passkeys.c.person == name, passkeys.c.revoked_at.is_(None)).values(revoked_at=now))
    t.run(delete(invitations).where(invitations.c.person == name, invitations.c.used_at.is_(None)))


def give(t: Transaction, name: str, role: PersonRole, now: datetime) -> bool:
    """Give a role; whether it is new. That an account was ever a steward's is never forgotten."""
    if role is PersonRole.STEWARD:
        t.run(update(people).where(people.c.id == name, people.c.stewarded_at.is_(None)).values(stewarded_at=now))
    return t.add_new(person_roles, {"person": name, "role": role.value, "given_at": now})


def take(t: Transaction, name: str, role: PersonRole) -> bool:
    """Take a role; whether it was there."""
    mine = (person_roles.c.person == name) & (person_roles.c.role == role.value)
    return t.run(delete(person_roles).where(mine)) > 0


def had_steward(r: Reading, agency: str) -> bool:
    """Whether somebody of the agency is, or ever was, its steward, whatever became of the role and the account."""
    mine = (people.c.agency == agency) & people.c.stewarded_at.is_not(None)
    return r.one(select(people.c.id).where(mine).limit(1)) is not None


def everybody(r: Reading, agency: str, alive_since: datetime, seen_since: datetime) -> tuple[PersonView, ...]:
    """The accounts of an agency, oldest first; sessions count while they are neither too old nor idle."""
    rows = r.all(select(people).where(people.c.agency == agency).order_by(people.c.created_at, people.c.id))
    return tuple(_view(r, row, alive_since, seen_since) for row in rows)


# ---------------------------------------------------------------- what people sign in with
def add_passkey(t: Transaction, key: Passkey) -> bool:
    """Keep a passkey; whether nobody has it yet."""
    return t.add_new(
        passkeys,
        {
            "id": key.id,
            "person": key.person,
            "public_key": key.public_key,
            "sign_count": key.sign_count,
            "label": key.label,
            "added_at": key.added_at,
            "used_at": key.used_at,
        },
    )


def lock_passkey(t: Transaction, name: str) -> Passkey | None:
    """The passkey of that identifier, unless it was revoked."""
    row = t.lock(select(passkeys).where(passkeys.c.id == name, passkeys.c.revoked_at.is_(None)))
    return _passkey(row) if row else None


def lock_owned(t: Transaction, name: str) -> tuple[Passkey, Person] | None:
    """The same with its owner, while the account is open."""
    key = lock_passkey(t, name)
    owner = person(t, key.person) if key else None
    return (key, owner) if key and owner else None


def passkey(r: Reading, name: str) -> Passkey | None:
    """The same, only read."""
    row = r.one(select(passkeys).where(passkeys.c.id == name, passkeys.c.revoked_at.is_(None)))
    return _passkey(row) if row else None


def passkeys_of(r: Reading, name: str) -> tuple[Passkey, ...]:
    """A person's passkeys that open the account, oldest first."""
    mine = (passkeys.c.person == name) & passkeys.c.revoked_at.is_(None)
    return tuple(_passkey(row) for row in r.all(select(passkeys).where(mine).order_by(passkeys.c.added_at)))


def used(t: Transaction, name: str, sign_count: int, now: datetime) -> None:
    """Keep how often the authenticator says that it signed."""
    t.run(update(passkeys).where(passkeys.c.id == name).values(sign_count=sign_count, used_at=now))


def revoke_passkey(t: Transaction, name: str, key: str, now: datetime) -> bool:
    """Revoke a person's passkey; whether it still opened the account."""
    mine = (passkeys.c.id == key) & (passkeys.c.person == name) & passkeys.c.revoked_at.is_(None)
    return t.run(update(passkeys).where(mine).values(revoked_at=now)) > 0


def add_identity(t: Transaction, issuer: str, subject: str, name: str) -> bool:
    """Say who somebody is at a login provider; whether nobody is that yet."""
    return t.add_new(person_identities, {"issuer": issuer, "subject": subject, "person": name})


def identified(r: Reading, issuer: str, subject: str) -> Person | None:
    """Whose account belongs to a subject of a login provider."""
    known = (person_identities.c.issuer == issuer) & (person_identities.c.subject == subject)
    row = r.one(select(person_identities.c.person).where(known))
    return person(r, row.person) if row else None


def has_identity(r: Reading, name: str) -> bool:
    """Whether a person signs in at a login provider."""
    return r.one(select(person_identities.c.subject).where(person_identities.c.person == name)) is not None


# ---------------------------------------------------------------- invitations and orders
def add_invitation(t: Transaction, given: Invitation) -> None:
    """Keep an invitation by the digest of its token."""
    row = {"token_hash": given.token_hash, "agency": given.agency, "roles": _listed(given.roles), "name": given.name}
    by = {"giver": given.giver, "giver_roles": _listed(given.giver_roles), "giver_person": given.giver_person}
    rest = {"giver_key": given.giver_key, "person": given.person, "expires_at": given.expires_at}
    t.add(invitations, [{**row, **by, **rest}])


def invitation(r: Reading, token_hash: str, now: datetime) -> Invitation | None:
    """The invitation of a token that is neither used nor expired."""
    good = (invitations.c.used_at.is_(None)) & (invitations.c.expires_at > now)
    row = r.one(select(invitations).where(invitations.c.token_hash == token_hash, good))
    return _invitation(row) if row else None


def use_invitation(t: Transaction, token_hash: str, now: datetime) -> Invitation | None:
    """The same, used up: nobody uses it again. The name of who was invited goes with it."""
    good = (invitations.c.used_at.is_(None)) & (invitations.c.expires_at > now)
    row = t.lock(select(invitations).where(invitations.c.token_hash == token_hash, good))
    if row is None:
        return None
    t.run(update(invitations).where(invitations.c.token_hash == token_hash).values(used_at=now, name=""))
    return _invitation(row)


def open_invitations(r: Reading, agency: str, now: datetime) -> tuple[Invitation, ...]:
    """The invitations of an agency that are neither used nor expired, soonest end first."""
    good = (invitations.c.agency == agency) & invitations.c.used_at.is_(None) & (invitations.c.expires_at > now)
    rows = r.all(select(invitations).where(good).order_by(invitations.c.expires_at, invitations.c.token_hash))
    return tuple(_invitation(row) for row in rows)


def cancel_invitation(t: Transaction, token_hash: str) -> bool:
    """Delete an invitation that nobody used; whether there was one."""
    mine = (invitations.c.token_hash == token_hash) & invitations.c.used_at.is_(None)
    return t.run(delete(invitations).where(mine)) > 0


def is_new_order(t: Transaction, name: str, now: datetime) -> bool:
    """Spend the identifier of an order; whether it was not spent before."""
    return t.add_new(people_orders, {"id": name, "at": now})


def _person(r: Reading, row: AnyRow) -> Person:
    return Person(row.id, row.agency, row.name, _roles(r, row.id))


def _roles(r: Reading, name: str) -> frozenset[PersonRole]:
    rows: Sequence[AnyRow] = r.all(select(person_roles.c.role).where(person_roles.c.person == name))
    return frozenset(PersonRole(row.role) for row in rows)


def _view(r: Reading, row: AnyRow, alive_since: datetime, seen_since: datetime) -> PersonView:
    keys = (
        select(func.count()).select_from(passkeys).where(passkeys.c.person == row.id, passkeys.c.revoked_at.is_(None))
    )
    alive = (sessions.c.ended_at.is_(None), sessions.c.created_at > alive_since, sessions.c.seen_at > seen_since)
    count = select(func.count()).select_from(sessions).where(sessions.c.person == row.id, *alive)
    return PersonView(
        id=row.id,
        agency=row.agency,
        name=row.name,
        roles=_sorted(_roles(r, row.id)),
        passkeys=_number(r.one(keys)),
        sessions=_number(r.one(count)),
        closed=row.closed_at is not None,
    )


def _sorted(roles: Iterable[PersonRole]) -> tuple[PersonRole, ...]:
    return tuple(role for role in PersonRole if role in set(roles))


def _number(row: AnyRow | None) -> int:
    return int(row[0]) if row else 0


def _passkey(row: AnyRow) -> Passkey:
    return Passkey(row.id, row.person, row.public_key, row.sign_count, row.label, row.added_at, row.used_at)


def _invitation(row: AnyRow) -> Invitation:
    return Invitation(
        token_hash=row.token_hash,
        agency=row.agency,
        roles=_read(row.roles),
        name=row.name,
        giver=row.giver,
        giver_roles=_read(row.giver_roles),
        giver_person=row.giver_person,
        giver_key=row.giver_key,
        person=row.person,
        expires_at=row.expires_at,
    )


def _listed(roles: frozenset[PersonRole]) -> str:
    return ",".join(sorted(role.value for role in roles))


def _read(roles: str) -> frozenset[PersonRole]:
    return frozenset(PersonRole(each) for each in roles.split(",") if each)
