"""Answers that are kept for a day, so that a call which is sent again under its ``Idempotency-Key`` gets the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from gateway.store.engine import Reading, Transaction
from gateway.store.idempotency_tables import kept_answers

KEPT_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given; ``call`` is the digest of the call that it answered."""

    call: str
    status: int
    media_type: str
    body: bytes


def kept_answer(r: Reading, kid: str, key: str, now: datetime) -> KeptAnswer | None:
    """What was answered to a caller's key, if that is not too long ago."""
    mine = (kept_answers.c.kid == kid) & (kept_answers.c.key == key)
    row = r.one(select(kept_answers).where(mine, kept_answers.c.kept_at > now - KEPT_FOR))
    return KeptAnswer(row.call, row.status, row.media_type, row.body) if row else None


def keep_answer(t: Transaction, kid: str, key: str, answer: KeptAnswer, now: datetime) -> None:
    """Keep an answer; the first one stays. What is too old goes on the way."""
    purge_answers(t, now)
    given = {"call": answer.call, "status": answer.status, "media_type": answer.media_type, "body": answer.body}
    t.add_new(kept_answers, {"kid": kid, "key": key, **given, "kept_at": now})


def purge_answers(t: Transaction, now: datetime) -> None:
    """Delete every answer that is too old to be given again."""
    t.run(delete(kept_answers).where(kept_answers.c.kept_at <= now - KEPT_FOR))
