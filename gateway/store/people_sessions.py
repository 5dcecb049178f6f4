"""Sessions, challenges, step-ups and attempts as rows: each is found by the SHA-256 of the secret that names it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.people_tables import attempts, challenges, sessions, step_ups


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in at ``created_at`` and was last seen at ``seen_at``."""

    id_hash: str
    person: str
    method: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Challenge:
    """Something that is asked once: bound to one browser, about one thing, for a few minutes."""

    challenge_hash: str
    kind: str
    bound_to: str
    about: str
    expires_at: datetime


def add_session(t: Transaction, session: Session) -> None:
    """Keep a new session."""
    row = {"id_hash": session.id_hash, "person": session.person, "method": session.method}
    t.add(sessions, [{**row, "created_at": session.created_at, "seen_at": session.seen_at}])


def session(r: Reading, id_hash: str) -> Session | None:
    """A session that nobody ended; whether it is too old is for the caller to say."""
    row = r.one(select(sessions).where(sessions.c.id_hash == id_hash, sessions.c.ended_at.is_(None)))
    return _session(row) if row else None


def seen(t: Transaction, id_hash: str, now: datetime) -> None:
    """Keep that a session is used."""
    t.run(update(sessions).where(sessions.c.id_hash == id_hash).values(seen_at=now))


def sessions_of(r: Reading, person: str) -> tuple[Session, ...]:
    """A person's sessions that nobody ended, newest first."""
    mine = (sessions.c.person == person) & sessions.c.ended_at.is_(None)
    return tuple(_session(row) for row in r.all(select(sessions).where(mine).order_by(sessions.c.created_at.desc())))


def end(t: Transaction, id_hash: str, now: datetime) -> None:
    """End one session, with what was confirmed in it."""
    t.run(delete(step_ups).where(step_ups.c.session == id_hash))
    t.run(update(sessions).where(sessions.c.id_hash == id_hash, sessions.c.ended_at.is_(None)).values(ended_at=now))


def end_all(t: Transaction, person: str, now: datetime) -> int:
    """End every session of a person; how many there were."""
    mine = (sessions.c.person == person) & sessions.c.ended_at.is_(None)
    t.run(delete(step_ups).where(step_ups.c.session.in_(select(sessions.c.id_hash).where(mine))))
    return t.run(update(sessions).where(mine).values(ended_at=now))


def purge(t: Transaction, before: datetime) -> int:
    """Delete the sessions that began before, and what was confirmed in them; how many there were."""
    old = select(sessions.c.id_hash).where(sessions.c.created_at < before)
    t.run(delete(step_ups).where(step_ups.c.session.in_(old)))
    return t.run(delete(sessions).where(sessions.c.created_at < before))


# ---------------------------------------------------------------- challenges
def ask(t: Transaction, challenge: Challenge, now: datetime) -> None:
    """Keep a challenge; those that ran out go on the way."""
    t.run(delete(challenges).where(challenges.c.expires_at <= now))
    row = {"challenge_hash": challenge.challenge_hash, "kind": challenge.kind, "bound_to": challenge.bound_to}
    t.add(challenges, [{**row, "about": challenge.about, "expires_at": challenge.expires_at}])


def answered(t: Transaction, challenge_hash: str, kind: str, bound_to: str, now: datetime) -> Challenge | None:
    """Take a challenge away: it is answered once, whether well or not. None when it is not this browser's."""
    row = t.lock(select(challenges).where(challenges.c.challenge_hash == challenge_hash))
    if row is None or t.run(delete(challenges).where(challenges.c.challenge_hash == challenge_hash)) == 0:
        return None
    if (row.kind, row.bound_to) != (kind, bound_to) or row.expires_at <= now:
        return None
    return Challenge(row.challenge_hash, row.kind, row.bound_to, row.about, row.expires_at)


# ---------------------------------------------------------------- step-ups
def confirm(t: Transaction, step_hash: str, id_hash: str, digest: str, now: datetime) -> None:
    """Keep that somebody confirmed one thing in one session."""
    t.add(step_ups, [{"step_hash": step_hash, "session": id_hash, "digest": digest, "at": now}])


def use_confirmed(t: Transaction, step_hash: str, id_hash: str, digest: str) -> datetime | None:
    """When that very thing was confirmed in that session; it is used up."""
    mine = (step_ups.c.step_hash == step_hash) & (step_ups.c.session == id_hash) & (step_ups.c.digest == digest)
    row = t.lock(select(step_ups.c.at).where(mine))
    if row is None or t.run(delete(step_ups).where(mine)) == 0:
        return None
    at: datetime = row.at
    return at


# ---------------------------------------------------------------- attempts
def count(t: Transaction, key: str, amount: int, now: datetime, ends_at: datetime) -> int:
    """Count attempts under a key until its window ends; how many there were in it."""
    t.run(delete(attempts).where(attempts.c.ends_at <= now))
    if t.add_new(attempts, {"key": key, "times": amount, "ends_at": ends_at}):
        return amount
    t.run(update(attempts).where(attempts.c.key == key).values(times=attempts.c.times + amount))
    row = t.one(select(attempts.c.times).where(attempts.c.key == key))
    return int(row.times) if row else amount


def counted(r: Reading, key: str, now: datetime) -> tuple[int, datetime | None]:
    """How many attempts were counted under a key in its window, and when that ends."""
    row = r.one(select(attempts).where(attempts.c.key == key, attempts.c.ends_at > now))
    return (int(row.times), row.ends_at) if row else (0, None)


def forget(t: Transaction, key: str | None = None) -> int:
    """Forget what was counted under a key, or under all."""
    return t.run(delete(attempts).where(attempts.c.key == key) if key is not None else delete(attempts))


def _session(row: AnyRow) -> Session:
    return Session(row.id_hash, row.person, row.method, row.created_at, row.seen_at)
