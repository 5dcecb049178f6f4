"""The journal's certificates of what was deleted, and the parts whose time is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from connectors.journal.tables import Answer, AnswerState, Base, Instant, add_missing_columns, engine_of
from contracts.retention import IssuedCertificate, RetentionProof, RetentionRule
from contracts.values import Value


class Certificate(Base):
    """One retention run of this connector; the table only grows. ``deleted`` holds the leaves under its roots."""

    __tablename__ = "retention_certificate"
    id: Mapped[str] = mapped_column(primary_key=True)
    issued: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    deleted: Mapped[str | None]


class Intent(Base):
    """What a run is about to delete, written before it; gone with the certificate."""

    __tablename__ = "retention_intent"
    id: Mapped[str] = mapped_column(primary_key=True)
    intended: Mapped[str]


class Leaves(Value):
    """What one rule deletes: the digests in the order of the root's leaves, dates, and how much is left afterwards."""

    rule: RetentionRule
    what: str
    digests: tuple[str, ...]
    oldest: AwareDatetime | None = None
    newest: AwareDatetime | None = None
    left: int = 0


class Intended(Value):
    """A run that is about to delete."""

    id: str
    at: AwareDatetime
    leaves: tuple[Leaves, ...]


@dataclass(frozen=True, slots=True)
class KeptPart:
    """A settled part that is still kept: the key of its answer, its digest, and when it was settled."""

    key: tuple[str, str]
    digest: str
    settled_at: datetime


class RetentionBook:
    """The journal's file, as far as retention goes.

    Args:
        path: The journal's database; its tables are made when absent.
    """

    def __init__(self, path: Path) -> None:
        self._engine = engine_of(path)
        with self._engine.begin() as connection:
            Base.metadata.create_all(connection)
            add_missing_columns(connection)
        path.chmod(0o600)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def settled_parts(self, before: datetime) -> tuple[KeptPart, ...]:
        """Every part that the gateway had the last word on before that instant, oldest first."""
        with self._transaction() as session:
            rows = session.scalars(select(Answer).where(*_is_due(before)).order_by(Answer.settled_at))
            return tuple(
                KeptPart((row.request_digest, row.contract_digest), row.part_digest, row.settled_at)
                for row in rows
                if row.part_digest is not None and row.settled_at is not None
            )

    def erase_parts(self, parts: tuple[KeptPart, ...]) -> None:
        """Forget figures; the digest of each part, and what it was charged, stay."""
        with self._transaction() as session:
            for each in parts:
                row = session.get(Answer, each.key)
                if row is not None:
                    row.part = None

    def intend(self, intended: Intended) -> None:
        """Write down what is about to be deleted."""
        with self._transaction() as session:
            session.add(Intent(id=intended.id, intended=intended.model_dump_json()))

    def intents(self) -> tuple[Intended, ...]:
        """What was about to be deleted by runs that kept no certificate."""
        with self._transaction() as session:
            rows = session.scalars(select(Intent).order_by(Intent.id))
            return tuple(Intended.model_validate_json(row.intended) for row in rows)

    def certify(self, proof: RetentionProof) -> None:
        """Keep a certificate with its leaves, in place of the run's intent."""
        issued = proof.issued
        made = issued.certificate
        with self._transaction() as session:
            session.execute(delete(Intent).where(Intent.id == made.id))
            session.add(
                Certificate(id=made.id, issued=issued.model_dump_json(), at=made.at, deleted=proof.model_dump_json())
            )

    def proof(self, name: str) -> RetentionProof | None:
        """A certificate with every digest under its roots; none where they were not kept yet."""
        with self._transaction() as session:
            row = session.get(Certificate, name)
            return None if row is None or row.deleted is None else RetentionProof.model_validate_json(row.deleted)

    def certificates(self) -> tuple[IssuedCertificate, ...]:
        """Every certificate, newest first."""
        with self._transaction() as session:
            rows = session.scalars(select(Certificate).order_by(Certificate.at.desc()))
            return tuple(IssuedCertificate.model_validate_json(row.issued) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session


def _is_due(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Answer.state == AnswerState.SETTLED, Answer.part.is_not(None), Answer.settled_at <= before)
