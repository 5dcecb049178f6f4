"""People's own signing keys, as the gateway knows them: public halves that somebody asked to have registered.

The private half never comes here. The gateway keeps the request and shows it to the agency's steward; only a registrar
puts a key into the federation, and only then does a signature by it count, here and everywhere.
"""

from dataclasses import dataclass
from typing import Final

from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.key_request import PERSONAL, KeyRequest, read_key_request
from contracts.people import KeyRequestView
from gateway.means import Means
from gateway.people import step_up
from gateway.people.roles import SIGNS_AS
from gateway.people.sessions import SignedIn
from gateway.store import people_keys
from gateway.store.people import Person
from gateway.store.people_keys import KeptRequest

MOST_SKEW_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key that somebody asked to have registered, and as what it is registered, if it is."""

    asked: KeyRequest
    registered: PublicKey | None


def purposes_of(person: Person) -> tuple[KeyPurpose, ...]:
    """What a person may sign, by the roles."""
    allowed = {SIGNS_AS[role] for role in person.roles if role in SIGNS_AS}
    return tuple(purpose for purpose in PERSONAL if purpose in allowed)


def next_kid(means: Means, person: Person, purpose: KeyPurpose) -> str:
    """The next free name of a key of the person's agency, neither registered nor asked for.

    Raises:
        Refused: ``role-missing``.
    """
    if purpose not in purposes_of(person):
        raise Refused("role-missing")
    stem = f"{person.agency}#{purpose.value}-"
    member = means.federation.member(person.agency)
    taken = {key.kid for key in (member.keys if member else ())}
    with means.store.read() as r:
        taken |= {each.kid for each in people_keys.asked_of_agency(r, person.agency)}
    numbers = [int(kid.removeprefix(stem)) for kid in taken if kid.startswith(stem)]
    return f"{stem}{max(numbers, default=0) + 1}"


def ask(means: Means, signed_in: SignedIn, step: str | None, document: str) -> OwnKey:
    """Keep a request that the key itself has signed and its owner has confirmed.

    Raises:
        Refused: ``role-missing``, ``step-up-missing`` when another request, or none, was confirmed.
        InvalidInput: ``key-request-invalid``.
    """
    person, now = signed_in.person, means.clock()
    asked = read_key_request(document)
    if abs((asked.at - now).total_seconds()) > MOST_SKEW_SECONDS:
        raise InvalidInput("key-request-invalid", why="the clock of the device is wrong")
    if asked.kid != next_kid(means, person, asked.purpose):
        raise InvalidInput("key-request-invalid", why="its name is not the next one")
    step_up.check(means, signed_in, step, digest_of(asked))
    with means.store.transaction() as t:
        if not people_keys.add(t, KeptRequest(asked.kid, person.id, person.agency, document), now):
            raise InvalidInput("key-request-invalid", why="its name is not the next one")
    return OwnKey(asked, registered(means.federation, asked))


def keys_of(means: Means, person: Person) -> tuple[OwnKey, ...]:
    """The keys that a person asked for, oldest first."""
    with means.store.read() as r:
        found = people_keys.asked_of_person(r, person.id)
    asked = [read_key_request(each.document) for each in found]
    return tuple(OwnKey(each, registered(means.federation, each)) for each in asked)


def asked_of_agency(means: Means, agency: str) -> tuple[KeyRequestView, ...]:
    """The keys that the people of an agency asked for, as the steward hands them to the registrar."""
    with means.store.read() as r:
        found = people_keys.asked_of_agency(r, agency)
    return tuple(
        KeyRequestView(
            kid=each.kid,
            person=each.person,
            document=each.document,
            registered=registered(means.federation, read_key_request(each.document)) is not None,
        )
        for each in found
    )


def registered(federation: Federation, asked: KeyRequest) -> PublicKey | None:
    """The key of the federation that was asked for: the same name, purpose and point."""
    member = federation.member(asked.kid.partition("#")[0])
    keys = member.keys if member else ()
    wanted = (asked.kid, asked.purpose, asked.x, asked.y)
    return next((key for key in keys if (key.kid, key.purpose, key.x, key.y) == wanted), None)
