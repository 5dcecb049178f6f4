"""The personal-data registers: each subject's signed entries in their order. Nothing is ever changed or removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select, update

from contracts.transparency import EventKind
from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.log_tables import log_entries
from gateway.store.personal_data_tables import register_entries


class Register(StrEnum):
    """Which register an entry stands in."""

    DISCLOSURES = "disclosures"
    SUBJECTS = "subjects"
    BREACHES = "breaches"


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed entry; ``text`` is its canonical JSON, ``place`` its number within its subject."""

    register: Register
    subject: str
    place: int
    agency: str
    kind: str
    digest: str
    document: str
    text: str
    signed_by: str
    at: datetime
    log_index: int = 0


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the log and its place."""

    place: int
    entry: str


def add(t: Transaction, entry: Entry, event: Event) -> bool:
    """Write an entry and log it; whether its place was still free."""
    row = {
        "digest": entry.digest,
        "register": entry.register,
        "subject": entry.subject,
        "place": entry.place,
        "agency": entry.agency,
        "kind": entry.kind,
        "document": entry.document,
        "entry": entry.text,
        "signed_by": entry.signed_by,
        "at": entry.at,
        "log_index": 0,
    }
    if not t.add_new(register_entries, row):
        return False
    place = append(t, event)
    t.run(update(register_entries).where(register_entries.c.digest == entry.digest).values(log_index=place))
    return True


def entries_of(r: Reading, register: Register, subject: str) -> tuple[Entry, ...]:
    """A subject's entries, oldest first."""
    here = (register_entries.c.register == register) & (register_entries.c.subject == subject)
    return tuple(_entry(row) for row in r.all(select(register_entries).where(here).order_by(register_entries.c.place)))


def subjects(r: Reading, register: Register) -> tuple[tuple[Entry, ...], ...]:
    """Every subject's entries, in the order in which the subjects were opened."""
    wanted = select(register_entries).where(register_entries.c.register == register)
    found: dict[str, list[Entry]] = {}
    for row in r.all(wanted.order_by(register_entries.c.log_index)):
        found.setdefault(row.subject, []).append(_entry(row))
    return tuple(tuple(each) for each in found.values())


def logged(r: Reading, kinds: Sequence[EventKind]) -> tuple[Logged, ...]:
    """Every entry of the log of these kinds, oldest first."""
    # The canonical form writes a kind in one way only; what else matches is sorted out by whoever reads the entry.
    like = [log_entries.c.entry.contains(f'"kind":"{kind.value}"', autoescape=True) for kind in kinds]
    rows = r.all(select(log_entries).where(or_(*like)).order_by(log_entries.c.place))
    return tuple(Logged(row.place, row.entry) for row in rows)


def _entry(row: AnyRow) -> Entry:
    return Entry(
        register=Register(row.register),
        subject=row.subject,
        place=row.place,
        agency=row.agency,
        kind=row.kind,
        digest=row.digest,
        document=row.document,
        text=row.entry,
        signed_by=row.signed_by,
        at=row.at,
        log_index=row.log_index,
    )
