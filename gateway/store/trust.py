"""Keeping the trust registry: the same for all gateway processes, which is why it lies in the database.

A snapshot and its timestamp are made by whichever process comes first; files in a home would differ between processes.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from gateway.store.engine import Reading, Transaction
from gateway.store.trust_tables import registry_documents, registry_targets


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """A signed document as it was stored."""

    version: int
    data: bytes


def lock(t: Transaction) -> None:
    """Let nobody else change the registry until this transaction ends; an empty one has nothing to lock."""
    table = registry_documents
    t.lock(select(table.c.version).where(table.c.role == "root").order_by(table.c.version).limit(1))


def newest(r: Reading) -> dict[str, HeldDocument]:
    """The newest document of every role."""
    table = registry_documents
    last = select(table.c.role, func.max(table.c.version).label("version")).group_by(table.c.role).subquery()
    wanted = select(table).join(last, (table.c.role == last.c.role) & (table.c.version == last.c.version))
    return {row.role: HeldDocument(row.version, row.document.encode()) for row in r.all(wanted)}


def version(r: Reading, role: str) -> int:
    """The number of a role's newest document; 0 when there is none."""
    table = registry_documents
    row = r.one(select(func.max(table.c.version).label("version")).where(table.c.role == role))
    return 0 if row is None or row.version is None else int(row.version)


def document(r: Reading, role: str, number: int) -> bytes | None:
    """One version of a role's document."""
    table = registry_documents
    row = r.one(select(table.c.document).where(table.c.role == role, table.c.version == number))
    return None if row is None else bytes(row.document.encode())


def add_document(t: Transaction, role: str, held: HeldDocument, now: datetime) -> bool:
    """Keep a document; whether it is new."""
    row = {"role": role, "version": held.version, "document": held.data.decode(), "stored_at": now}
    return t.add_new(registry_documents, row)


def forget_before(t: Transaction, role: str, number: int) -> None:
    """Forget the versions of a role before that one; nobody asks for them any more."""
    table = registry_documents
    t.run(delete(table).where(table.c.role == role, table.c.version < number))


def forget_stored_before(t: Transaction, role: str, instant: datetime) -> None:
    """Forget the versions of a role that were stored before then."""
    table = registry_documents
    t.run(delete(table).where(table.c.role == role, table.c.stored_at < instant))


def target(r: Reading, name: str) -> bytes | None:
    """A target under the name by which it is served, ``folder/<hash>.<file>``."""
    row = r.one(select(registry_targets.c.body).where(registry_targets.c.name == name))
    return None if row is None else bytes(row.body.encode())


def add_target(t: Transaction, name: str, body: str) -> None:
    """Keep a target; its name holds its hash, so one name has one body."""
    t.add_new(registry_targets, {"name": name, "body": body})
