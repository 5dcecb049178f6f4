"""Sessions on the server's side: a random name in the browser, its digest here, so that ending one ends it at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import Refused
from gateway.means import Means
from gateway.people import records
from gateway.people.secret_names import kept, new_secret
from gateway.store import log, people, people_sessions
from gateway.store.engine import Reading, Transaction
from gateway.store.people import Person
from gateway.store.people_sessions import Session

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=8)
NOTED_EVERY: Final = timedelta(minutes=1)
"""How often it is written down that a session is used."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who uses a page, and in which session."""

    person: Person
    session: Session


def is_alive(session: Session, now: datetime) -> bool:
    """Whether a session that nobody ended is still good: used within half an hour, begun within eight."""
    return now - session.seen_at < IDLE and now - session.created_at < ABSOLUTE


def begin(t: Transaction, means: Means, person: Person, method: str, before: str | None = None) -> str:
    """A new session for somebody who proved who he is, under a name that nobody had before; logged.

    Args:
        t: The transaction of the proof; this is the last that it does.
        means: The gateway's surroundings.
        person: Who signed in.
        method: ``passkey`` or ``oidc``.
        before: The name of a session of the same browser; it ends, so that no name is carried over a sign-in.

    Returns:
        The name, for the browser's cookie alone.
    """
    now, secret = means.clock(), new_secret(means.entropy)
    if before is not None:
        people_sessions.end(t, kept(before), now)
    people_sessions.purge(t, now - ABSOLUTE - ABSOLUTE)
    people_sessions.add_session(t, Session(kept(secret), person.id, method, now, now))
    log.append(t, records.signed_in(person, method, now, means.entropy))
    return secret


def who(means: Means, secret: str | None) -> SignedIn:
    """Who holds the session of that name.

    Raises:
        Refused: ``session-ended``, also when the account was closed.
    """
    now = means.clock()
    if secret is None:
        raise Refused("session-ended")
    with means.store.read() as r:
        found = _holder(r, secret)
    if found is None or not is_alive(found.session, now):
        raise Refused("session-ended")
    if now - found.session.seen_at >= NOTED_EVERY:
        with means.store.transaction() as t:
            people_sessions.seen(t, found.session.id_hash, now)
    return found


def sign_out(means: Means, signed_in: SignedIn) -> None:
    """End this session."""
    with means.store.transaction() as t:
        people_sessions.end(t, signed_in.session.id_hash, means.clock())


def sign_out_everywhere(means: Means, person: str) -> int:
    """End every session of a person at once; how many there were."""
    with means.store.transaction() as t:
        return people_sessions.end_all(t, person, means.clock())


def open_sessions(means: Means, person: str) -> tuple[Session, ...]:
    """A person's sessions that are still good, newest first."""
    now = means.clock()
    with means.store.read() as r:
        return tuple(each for each in people_sessions.sessions_of(r, person) if is_alive(each, now))


def _holder(r: Reading, secret: str) -> SignedIn | None:
    session = people_sessions.session(r, kept(secret))
    person = people.person(r, session.person) if session else None
    return SignedIn(person, session) if session and person else None
