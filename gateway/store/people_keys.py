"""Requests to register a person's key, as rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.people_tables import key_requests


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request under the name that the key shall have, whose it is, and the document that the key signed."""

    kid: str
    person: str
    agency: str
    document: str


def add(t: Transaction, asked: KeptRequest, now: datetime) -> bool:
    """Keep a request; whether its name was free."""
    row = {"kid": asked.kid, "person": asked.person, "agency": asked.agency, "document": asked.document}
    return t.add_new(key_requests, {**row, "asked_at": now})


def asked_of_person(r: Reading, person: str) -> tuple[KeptRequest, ...]:
    """What a person asked for, oldest first."""
    wanted = select(key_requests).where(key_requests.c.person == person)
    return tuple(_request(row) for row in r.all(wanted.order_by(key_requests.c.asked_at, key_requests.c.kid)))


def asked_of_agency(r: Reading, agency: str) -> tuple[KeptRequest, ...]:
    """What the people of an agency asked for, oldest first."""
    wanted = select(key_requests).where(key_requests.c.agency == agency)
    return tuple(_request(row) for row in r.all(wanted.order_by(key_requests.c.asked_at, key_requests.c.kid)))


def _request(row: AnyRow) -> KeptRequest:
    return KeptRequest(row.kid, row.person, row.agency, row.document)
