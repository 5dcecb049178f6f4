"""What the journal keeps of notices: verified orders and acts, and those that could not be verified.

An order that was given here is kept alike, so that what stands is read in one place, whoever ordered it.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.crash import CrashPoint
from connectors.journal.book import Journal
from connectors.journal.prepared import AnySelect, prepared
from connectors.journal.standing_tables import Doubted, Heard, KeptAct, KeptOrder
from contracts.canonical import digest_of, digest_of_bytes
from contracts.lifecycle import SignedAct
from contracts.suspension import Suspension
from contracts.task import Notice


class Believed(NamedTuple):
    """A notice whose signatures were verified, and what it says."""

    notice: Notice
    says: Suspension | SignedAct


class DoubtedNotice(NamedTuple):
    """A notice that was not believed, and the code of the reason."""

    notice: Notice
    code: str


class OwnOrder(NamedTuple):
    """An order that was given here and that the gateway does not have yet."""

    order: Suspension
    document: str


def cursor(journal: Journal) -> int:
    """The number of the last notice that was written down."""
    return max((row.number for row in journal.rows(_heard())), default=0)


def hear(
    journal: Journal, believed: Sequence[Believed], doubted: Sequence[DoubtedNotice], upto: int, now: datetime
) -> None:
    """Write notices down, all of them and the number that they reach, or none."""
    with journal.transaction(CrashPoint.NOTICES_BEFORE_COMMIT, CrashPoint.NOTICES_AFTER_COMMIT) as session:
        for each in believed:
            _keep(session, each, now)
        for notice, code in doubted:
            digest = digest_of_bytes(notice.document.encode())
            row = Doubted(digest=digest, number=notice.number, document=notice.document, code=code, heard_at=now)
            session.merge(row)
        session.merge(Heard(only=1, number=upto))


def doubted(journal: Journal) -> tuple[DoubtedNotice, ...]:
    """The notices that were not believed so far, by number."""
    with journal.transaction() as session:
        rows = session.scalars(select(Doubted).order_by(Doubted.number))
        return tuple(DoubtedNotice(Notice(number=row.number, document=row.document), row.code) for row in rows)


def order_here(journal: Journal, order: Suspension, document: str, now: datetime) -> None:
    """Keep an order that was given here: in force at once, and to be sent to the gateway."""
    with journal.transaction(CrashPoint.ORDER_BEFORE_COMMIT, CrashPoint.ORDER_AFTER_COMMIT) as session:
        if session.get(KeptOrder, digest_of(order)) is None:
            session.add(_order(order, document, now, to_send=True))


def unsent(journal: Journal) -> tuple[OwnOrder, ...]:
    """The orders that were given here and that the gateway does not have yet: of a whole agency first, then oldest."""
    given = [OwnOrder(_ordered(row.order), row.document) for row in journal.rows(_to_send())]
    return tuple(sorted(given, key=lambda own: own.order.dataset is not None))


def sent(journal: Journal, order: Suspension) -> None:
    """The gateway has an order."""
    with journal.transaction(CrashPoint.SENT_BEFORE_COMMIT, CrashPoint.SENT_AFTER_COMMIT) as session:
        row = session.get(KeptOrder, digest_of(order))
        if row is not None:
            row.to_send = False


def orders(journal: Journal) -> tuple[Suspension, ...]:
    """Every verified order, oldest first."""
    return tuple(_ordered(row.order) for row in journal.rows(_orders()))


def acts(journal: Journal, agreement_digest: str) -> tuple[SignedAct, ...]:
    """Every verified act on an agreement's version, in no order that matters."""
    return tuple(_acted(row.act) for row in journal.rows(_acts(agreement_digest)))


def _keep(session: Session, believed: Believed, now: datetime) -> None:
    notice, says = believed
    known = session.get(Doubted, digest_of_bytes(notice.document.encode()))
    if known is not None:
        session.delete(known)
    if isinstance(says, Suspension):
        row = session.get(KeptOrder, digest_of(says))
        if row is None:
            session.add(_order(says, notice.document, now, to_send=False))
        else:
            row.to_send = False  # the gateway itself tells of it
    elif session.get(KeptAct, digest_of(says)) is None:
        session.add(
            KeptAct(
                # With the key: whose act does not count must not stand in the place of whose does.
                digest=digest_of(says),
                agreement_digest=says.act.digest,
                act=says.model_dump_json(),
                document=notice.document,
                heard_at=now,
            )
        )


def _order(order: Suspension, document: str, now: datetime, *, to_send: bool) -> KeptOrder:
    return KeptOrder(
        digest=digest_of(order), order=order.model_dump_json(), document=document, to_send=to_send, kept_at=now
    )


@lru_cache(maxsize=1024)
def _ordered(text: str) -> Suspension:
    """A kept order never changes; its text is parsed once."""
    return Suspension.model_validate_json(text)


@lru_cache(maxsize=1024)
def _acted(text: str) -> SignedAct:
    """Neither does an act."""
    return SignedAct.model_validate_json(text)


@prepared
def _heard() -> AnySelect:
    return select(Heard.number)


@prepared
def _to_send() -> AnySelect:
    return select(KeptOrder.order, KeptOrder.document).where(KeptOrder.to_send).order_by(KeptOrder.kept_at)


@prepared
def _orders() -> AnySelect:
    return select(KeptOrder.order).order_by(KeptOrder.kept_at)


@prepared
def _acts(agreement_digest: str) -> AnySelect:
    return select(KeptAct.act).where(KeptAct.agreement_digest == agreement_digest).order_by(KeptAct.heard_at)
