"""What is deleted when its time is over, and what never is.

Erased are contents: a request's body and signatures, the tasks made of it, the parts that answered it, the figures of a
release that is not public. Their rows stay with digest, state and time, so that the same request is still known again,
an account still knows what it was charged for, and the log's digests still have their counterpart. Accounts, charges
and the log are never touched here: nothing that was spent comes back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import ColumnElement, delete, exists, false, select, tuple_, update

from contracts.canonical import digest_of
from contracts.lifecycle import AgreementState
from contracts.request import RequestState
from contracts.retention import IssuedCertificate, RetentionCertificate, RetentionProof, RetentionRule
from contracts.task import Forwarded, Task
from gateway.store import registry
from gateway.store.agreement_tables import agreement_acts, agreements
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.personal_data_tables import certificates
from gateway.store.publication_tables import citations
from gateway.store.releases import ERASED as ERASED_RELEASE
from gateway.store.requests import NONCES_LAST
from gateway.store.tables import nonces, releases, requests, tasks

MOST: Final = 5000
"""How much one rule deletes in one transaction."""

ERASED: Final = Forwarded(method="", path="", headers={}, body="")
ERASED_TEXT: Final = ERASED.model_dump_json()
ENDED: Final = (RequestState.RELEASED, RequestState.REFUSED)
NEVER_BOUND: Final = tuple(
    each.value
    for each in (
        AgreementState.DRAFT,
        AgreementState.SUBMITTED,
        AgreementState.UNDER_REVIEW,
        AgreementState.COUNTERED,
        AgreementState.REJECTED,
        AgreementState.WITHDRAWN,
    )
)
"""States of a version that no provider has approved."""


@dataclass(frozen=True, slots=True)
class Due:
    """One thing whose time is over: its key, the digest that stands for it, and when it came."""

    key: tuple[str, ...]
    digest: str
    at: datetime


class _Under(BaseModel):
    """Under which agreement a request was made; what else it says does not matter here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    agreement_digest: str


def due(r: Reading, rule: RetentionRule, now: datetime, today: date) -> tuple[Due, ...]:
    """What a rule deletes at ``now``, oldest first, at most ``MOST``; in a write transaction it is locked."""
    match rule:
        case RetentionRule.REQUESTS:
            return _due_requests(r, now)
        case RetentionRule.PARTS:
            return _due_parts(r)
        case RetentionRule.RELEASES:
            return _due_releases(r)
        case RetentionRule.NONCES:
            return _due_nonces(r, now)
        case RetentionRule.DRAFTS:
            return _due_drafts(r, today)
        case _:
            return ()


def erase(t: Transaction, rule: RetentionRule, found: Sequence[Due]) -> None:
    """Delete what ``due`` found in the same transaction."""
    names = [each.key[0] for each in found]
    match rule:
        case RetentionRule.REQUESTS:
            _erase_requests(t, names)
        case RetentionRule.PARTS:
            t.run(update(tasks).where(tasks.c.id.in_(names)).values(part=ERASED_TEXT))
        case RetentionRule.RELEASES:
            t.run(
                update(releases).where(releases.c.id.in_(names)).values(body=ERASED_RELEASE, signature=ERASED_RELEASE)
            )
        case RetentionRule.NONCES:
            t.run(delete(nonces).where(tuple_(nonces.c.kid, nonces.c.nonce).in_([each.key for each in found])))
        case RetentionRule.DRAFTS:
            _delete_drafts(t, names)
        case _:
            raise LookupError(f"the gateway has no rule {rule}")


def claim(t: Transaction, name: str, now: datetime) -> bool:
    """Take a certificate's name before anything is deleted, so that of two processes one does the work."""
    blank = {"digest": "", "certificate": "", "document": "", "deleted": ""}
    return t.add_new(certificates, {"id": name, **blank, "at": now, "log_index": -1})


def certify(t: Transaction, proven: RetentionProof, event: Event) -> None:
    """Keep the certificate whose name this transaction claimed, and log it."""
    made = proven.issued
    kept = {
        "digest": made.digest,
        "certificate": made.certificate.model_dump_json(),
        "document": made.document,
        "deleted": proven.model_dump_json(),
        "log_index": append(t, event),
    }
    t.run(update(certificates).where(certificates.c.id == made.certificate.id).values(**kept))


def has_certificate(r: Reading, name: str) -> bool:
    """Whether there is a certificate of that name."""
    return r.one(select(certificates.c.id).where(certificates.c.id == name)) is not None


def issued(r: Reading) -> tuple[IssuedCertificate, ...]:
    """Every certificate, newest first."""
    return tuple(_issued(row) for row in r.all(select(certificates).order_by(certificates.c.log_index.desc())))


def proof(r: Reading, name: str) -> RetentionProof | None:
    """A certificate with the digests of what it says was deleted."""
    row = r.one(select(certificates).where(certificates.c.id == name))
    if row is None:
        return None
    return RetentionProof.model_validate_json(row.deleted).model_copy(update={"issued": _issued(row)})


def _due_requests(r: Reading, now: datetime) -> tuple[Due, ...]:
    """Ended requests whose agreement's retention has passed since their result left."""
    days = {held.digest: held.agreement.retention_days for held in registry.all_agreements(r)}
    shortest = min(days.values(), default=0)
    ended = requests.c.state.in_(ENDED) & (requests.c.forwarded != ERASED_TEXT)
    old = requests.c.available_at <= now - timedelta(days=shortest)
    found = [
        Due((row.id,), row.digest, row.available_at)
        for row in _rows(r, select(requests).where(ended, old).order_by(requests.c.available_at))
        if row.available_at + timedelta(days=_days(row.forwarded, days, shortest)) <= now
    ]
    return tuple(found[:MOST])


def _days(forwarded: str, days: Mapping[str, int], shortest: int) -> int:
    """How long a request is kept; one that no known agreement covers was for nothing and is kept shortest."""
    try:
        under = _Under.model_validate_json(Forwarded.model_validate_json(forwarded).body)
    except ValidationError:
        return shortest
    return days.get(under.agreement_digest, shortest)


def _due_parts(r: Reading) -> tuple[Due, ...]:
    """What connectors answered to requests that are erased: figures with noise, and the signatures over all."""
    gone = select(requests.c.id).where(requests.c.forwarded == ERASED_TEXT)
    left = tasks.c.part.is_not(None) & (tasks.c.part != ERASED_TEXT) & tasks.c.request.in_(gone)
    rows = _rows(r, select(tasks).where(left).order_by(tasks.c.posted_at).limit(MOST))
    return tuple(Due((row.id,), row.part_digest, row.posted_at) for row in rows)


def _due_releases(r: Reading) -> tuple[Due, ...]:
    """Releases that are neither public nor cited, once every request that was given them is erased."""
    given = requests.c.release_id == releases.c.id
    kept = exists().where(given, requests.c.forwarded != ERASED_TEXT)
    cited = exists().where(citations.c.release == releases.c.id)
    over: ColumnElement[bool] = exists().where(given) & ~kept & ~cited
    private = releases.c.public.is_(false()) & (releases.c.body != ERASED_RELEASE)
    rows = _rows(r, select(releases).where(private, over).order_by(releases.c.available_at).limit(MOST))
    return tuple(Due((row.id,), row.digest, row.available_at) for row in rows)


def _due_nonces(r: Reading, now: datetime) -> tuple[Due, ...]:
    old = select(nonces).where(nonces.c.seen_at < now - NONCES_LAST).order_by(nonces.c.seen_at).limit(MOST)
    return tuple(Due((row.kid, row.nonce), digest_of([row.kid, row.nonce]), row.seen_at) for row in _rows(r, old))


def _due_drafts(r: Reading, today: date) -> tuple[Due, ...]:
    """Versions that nobody approved and whose own period is over."""
    open_ = [held for held in registry.all_agreements(r) if held.state.value in NEVER_BOUND]
    over = [held.digest for held in open_ if held.agreement.period.until <= today]
    rows = _rows(
        r, select(agreements).where(agreements.c.digest.in_(over)).order_by(agreements.c.proposed_at).limit(MOST)
    )
    return tuple(Due((row.digest,), row.digest, row.proposed_at) for row in rows)


def _erase_requests(t: Transaction, names: Sequence[str]) -> None:
    t.run(update(requests).where(requests.c.id.in_(names)).values(forwarded=ERASED_TEXT))
    for row in t.all(select(tasks.c.id, tasks.c.task).where(tasks.c.request.in_(names))):
        emptied = Task.model_validate_json(row.task).model_copy(update={"request": ERASED, "agreement": ""})
        t.run(update(tasks).where(tasks.c.id == row.id).values(task=emptied.model_dump_json(by_alias=True)))


def _delete_drafts(t: Transaction, digests: Sequence[str]) -> None:
    for row in t.all(select(agreements.c.id, agreements.c.version).where(agreements.c.digest.in_(digests))):
        acts = (agreement_acts.c.agreement == row.id) & (agreement_acts.c.version == row.version)
        t.run(delete(agreement_acts).where(acts))
    t.run(delete(agreements).where(agreements.c.digest.in_(digests)))


def _rows(r: Reading, wanted: AnySelect) -> Sequence[AnyRow]:
    """The rows; those that another transaction works on are left to it."""
    return r.take_free(wanted) if isinstance(r, Transaction) else r.all(wanted)


def _issued(row: AnyRow) -> IssuedCertificate:
    return IssuedCertificate(
        certificate=RetentionCertificate.model_validate_json(row.certificate),
        digest=row.digest,
        document=row.document,
        log_index=row.log_index,
    )
