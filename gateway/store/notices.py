"""Signed documents that connectors must hear of, with a running number and no gaps.

The number is given under a lock that is held until the commit: a connector that has heard of number 7 never misses a 6
which another process had not committed yet.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from gateway.store import topics
from gateway.store.engine import AnySelect, Reading, Transaction
from gateway.store.notice_tables import notice_agencies, notice_head, notices
from gateway.store.prepared import prepared


@dataclass(frozen=True, slots=True)
class Numbered:
    """A document and its running number."""

    number: int
    document: str


def add(t: Transaction, document: str, now: datetime, agencies: Collection[str] | None) -> int:
    """Append a document for these agencies, or for all; its number."""
    row = t.lock(select(notice_head))
    if row is None:
        raise LookupError("the notices have no head")
    number: int = row.last + 1
    t.add(notices, [{"number": number, "document": document, "to_all": agencies is None, "added_at": now}])
    t.add(notice_agencies, [{"number": number, "agency": each} for each in sorted(set(agencies or ()))])
    t.run(update(notice_head).values(last=number))
    for topic in (topics.EVERY_AGENCY,) if agencies is None else map(topics.of_agency, sorted(set(agencies))):
        t.tell(topic)
    return number


def after(r: Reading, agency: str, cursor: int, most: int) -> tuple[Numbered, ...]:
    """The next documents for an agency behind ``cursor``, lowest number first.

    A cursor beyond the last number is one from before the database was restored: everything is given again.
    """
    head = r.one(_last())
    start = cursor if head is not None and cursor <= head.last else 0
    return tuple(Numbered(row.number, row.document) for row in r.all(_behind(agency, start, most)))


@prepared
def _last() -> AnySelect:
    return select(notice_head.c.last)


@prepared
def _behind(agency: str, start: int, most: int) -> AnySelect:
    named = select(notice_agencies.c.number).where(notice_agencies.c.agency == agency)
    theirs = notices.c.to_all | notices.c.number.in_(named)
    return select(notices).where(notices.c.number > start, theirs).order_by(notices.c.number).limit(most)
