"""What the log says of people: the agency and roles in clear, who it was only as a salted commitment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from contracts.canonical import digest_of
from contracts.people import PersonRole
from contracts.transparency import EventKind, LogEntry
from gateway.events import Entropy, commitment, sealed
from gateway.people.roles import Giver
from gateway.store.log import Event
from gateway.store.people import Person

SUBJECT: Final = "people"
NOT_A_PERSON: Final = "signed by a key of the agency, or given at the gateway itself"


def signed_in(person: Person, method: str, now: datetime, entropy: Entropy) -> Event:
    """Somebody signed in."""
    facts = {"method": method, "roles": _listed(person.roles)}
    return _event(EventKind.PERSON_SIGNED_IN, (person.agency, facts), now, {"person": person.id}, entropy)


def sign_in_failed(person: Person | None, times: int, now: datetime, entropy: Entropy) -> Event:
    """More sign-ins failed than a slip explains: of one account, or of none that is known."""
    who = {"person": person.id} if person else {}
    about = (person.agency if person else None, {"times": f"{times}+"})
    return _event(EventKind.PERSON_SIGN_IN_FAILED, about, now, who, entropy)


def role_changed(change: str, role: str, person: Person, giver: Giver, now: datetime, entropy: Entropy) -> Event:
    """Somebody was invited, joined, got a role or lost one, or the account was closed; ``by`` is the giver's agency."""
    facts = {"change": change, "role": role, "by": giver.agency}
    who = {"person": person.id, "giver": giver.person or NOT_A_PERSON}
    return _event(EventKind.PERSON_ROLE_CHANGED, (person.agency, facts), now, who, entropy)


def _listed(roles: Iterable[PersonRole]) -> str:
    return ",".join(sorted(role.value for role in roles))


def _event(
    kind: EventKind, about: tuple[str | None, dict[str, str]], now: datetime, who: dict[str, str], entropy: Entropy
) -> Event:
    seals = tuple(sealed(name, digest_of(value), entropy) for name, value in who.items())
    commitments = {each.name: commitment(each) for each in seals}
    agency, facts = about
    entry = LogEntry(kind=kind, at=now, agency=agency, subject=SUBJECT, facts=facts, commitments=commitments)
    return Event(entry, seals)
