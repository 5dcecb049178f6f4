"""Retention: delete what is due, and leave a signed certificate of it in the log.

A request (with its tasks, parts and, if it is neither public nor cited, its release) is kept for the agreement's
``retention_days`` after its result left. A release that was given under several agreements stays for the longest. A
draft goes when the time that it was meant for is over. Never deleted: the log, the ledger, digests of releases.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Final

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput
from contracts.merkle import leaf_hash, root_of
from contracts.retention import (
    DeletedDigests,
    IssuedCertificate,
    RetentionCertificate,
    RetentionProof,
    RetentionRule,
    RuleOutcome,
)
from contracts.signing import sign_compact
from gateway.caller import Caller
from gateway.means import Means
from gateway.privacy_office import log_entries
from gateway.privacy_office.signed_entries import sees_all
from gateway.store import retention
from gateway.store.engine import Transaction
from gateway.store.idempotency import purge_answers
from gateway.store.retention import Due

CERTIFICATE_KIND: Final = "retention-certificate"
PROGRAM: Final = "gateway"
BANGKOK: Final = timezone(timedelta(hours=7))
MOST_ROUNDS: Final = 1000
TRY_AGAIN: Final = timedelta(minutes=10)
WHAT: Final = {
    RetentionRule.REQUESTS: "bodies and signatures of ended requests, and the tasks made of them",
    RetentionRule.PARTS: "parts that answered erased requests",
    RetentionRule.RELEASES: "figures and signatures of releases that are neither public nor cited",
    RetentionRule.NONCES: "nonces that no acceptable signature can carry any more",
    RetentionRule.DRAFTS: "versions of agreements that nobody approved in their time",
}
"""The rules in their order: parts and releases follow the requests that they belong to."""


def run(means: Means, name: str) -> tuple[IssuedCertificate, ...]:
    """Delete everything that is due; one certificate for each batch, the last of which says that nothing is left.

    Args:
        means: Store, clock and the key that signs certificates.
        name: The first certificate's name; the others add a number to it.
    """
    made: list[IssuedCertificate] = []
    while len(made) < MOST_ROUNDS:
        issued = _batch(means, name if not made else f"{name}-{len(made) + 1}")
        if issued is None:
            break
        made.append(issued)
        if not any(each.left for each in issued.certificate.outcomes):
            break
    return tuple(made)


def run_now(means: Means) -> tuple[IssuedCertificate, ...]:
    """The same at somebody's word; the certificate bears the instant."""
    return run(means, f"manual-{means.clock().astimezone(BANGKOK):%Y-%m-%d-%H%M%S-%f}")


def dry_run(means: Means) -> RetentionCertificate:
    """What a run would delete now: it is done and taken back; nothing is signed or logged."""
    now, outcomes = means.clock(), []
    with suppress(_TakenBack), means.store.transaction() as t:
        for rule, found in _delete_all(t, now).items():
            outcomes.append(_outcome(rule, found, left=len(found)))
        raise _TakenBack
    return _certificate(means, "dry-run", now, tuple(outcomes), is_dry=True)


def certificates(means: Means) -> tuple[IssuedCertificate, ...]:
    """Every certificate, newest first; they are public like the log."""
    with means.store.read() as r:
        return retention.issued(r)


def proof(means: Means, caller: Caller, name: str) -> RetentionProof:
    """A certificate with every digest under its roots, for the operator and the supervisors.

    Others may ask them whether a digest of theirs is among them: the list as a whole would say who asked how often.

    Raises:
        Refused, InvalidInput: ``unknown-entry``, also for whom it does not concern.
    """
    with means.store.read() as r:
        found = retention.proof(r, name)
    if found is None or not sees_all(means, caller):
        raise InvalidInput("unknown-entry")
    return found


class _TakenBack(Exception):  # it is no error: it rolls a transaction back
    """Ends a transaction that was only to be seen."""


@dataclass(slots=True)
class Daily:
    """Runs once each Bangkok day, in whichever process comes first; cheap to call at every tick."""

    means: Means
    _done: date | None = field(default=None)
    _not_before: datetime | None = field(default=None)

    def is_due(self) -> bool:
        """Whether this day's run is still to be done, as far as is known here; after a failure, not for a while."""
        now = self.means.clock()
        return self._done != _day(now) and (self._not_before is None or now >= self._not_before)

    def __call__(self) -> None:
        """Run if it is due."""
        if not self.is_due():
            return
        now = self.means.clock()
        today = _day(now)
        self._not_before = now + TRY_AGAIN
        name = f"daily-{today.isoformat()}"
        with self.means.store.read() as r:
            is_done = retention.has_certificate(r, name)
        if not is_done:
            run(self.means, name)
        self._done, self._not_before = today, None


def _batch(means: Means, name: str) -> IssuedCertificate | None:
    """One transaction: deleted, counted anew, certified, logged; none when another process has this name already."""
    now = means.clock()
    with means.store.transaction() as t:
        if not retention.claim(t, name, now):
            return None
        # Copies of answers, given again for a day: what they say is certified where it is kept.
        purge_answers(t, now)
        deleted = _delete_all(t, now)
        left = {rule: len(retention.due(t, rule, now, _day(now))) for rule in WHAT}
        outcomes = tuple(_outcome(rule, found, left=left[rule]) for rule, found in deleted.items())
        certificate = _certificate(means, name, now, outcomes)
        payload = canonical_bytes(certificate)
        issued = IssuedCertificate(
            certificate=certificate,
            digest=digest_of_bytes(payload),
            document=sign_compact(payload, CERTIFICATE_KIND, means.keys.gateway),
        )
        listed = tuple(DeletedDigests(rule=r, digests=tuple(d.digest for d in due)) for r, due in deleted.items())
        proven = RetentionProof(issued=issued, deleted=listed)
        retention.certify(t, proven, log_entries.retained(certificate, issued.digest))
    return issued


def _delete_all(t: Transaction, now: datetime) -> dict[RetentionRule, tuple[Due, ...]]:
    """Run every rule in its order, each on what the ones before have left."""
    deleted = {}
    for rule in WHAT:
        deleted[rule] = retention.due(t, rule, now, _day(now))
        if deleted[rule]:
            retention.erase(t, rule, deleted[rule])
    return deleted


def _outcome(rule: RetentionRule, found: Sequence[Due], left: int) -> RuleOutcome:
    return RuleOutcome(
        rule=rule,
        what=WHAT[rule],
        count=len(found),
        root=root_of([leaf_hash(each.digest.encode()) for each in found]).hex(),
        oldest=min((each.at for each in found), default=None),
        newest=max((each.at for each in found), default=None),
        left=left,
    )


def _certificate(
    means: Means, name: str, now: datetime, outcomes: tuple[RuleOutcome, ...], *, is_dry: bool = False
) -> RetentionCertificate:
    return RetentionCertificate(
        id=name,
        agency=means.federation.operator,
        program=PROGRAM,
        at=now,
        dry_run=is_dry,
        outcomes=outcomes,
    )


def _day(now: datetime) -> date:
    return now.astimezone(BANGKOK).date()
