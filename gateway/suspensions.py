"""Emergency suspension at the gateway: a signed order stops an agency or a dataset at once, another one lets it go on.

Who may order and lift is ``contracts.suspension``'s. An order is in force when its transaction commits: from then on
requests are refused, tasks are not handed out, and what has already come in is not released. The same transaction
leaves a notice, so that every connector learns of it with its next look, and refuses by itself.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from contracts.canonical import digest_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused
from contracts.signing import payload_of
from contracts.suspension import Order, Suspended, Suspension, SuspensionView, read_order
from contracts.transparency import EventKind, LogEntry
from gateway.caller import Caller
from gateway.crash import CrashPoint
from gateway.means import Means
from gateway.notices import add_notice
from gateway.store import log, registry, requests, suspensions
from gateway.store.engine import Reading, Transaction
from gateway.store.log import Event

WHOLE_AGENCY: Final = "*"


def order(means: Means, caller: Caller, document: str) -> SuspensionView:
    """Suspend or lift, as the signed order says; the same order again changes nothing.

    Raises:
        Refused: What ``read_order`` refuses; ``not-allowed`` when another side's order is brought, or one about nobody.
            ``lift-before-order`` when a lift is older than what it lifts.
        InvalidInput: ``unknown-contract``, ``unknown-suspension``, ``suspension-id-reused``.
    """
    now = means.clock()
    given = read_order(document, means.federation, now)
    if caller.agency != given.by or means.federation.member(given.agency) is None:
        raise Refused("not-allowed")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        is_new = _suspend(t, given, document, now) if given.order is Order.SUSPEND else _lift(t, given, document, now)
        view = suspensions.lock(t, given.id)
        if view is None:
            raise LookupError("the suspension was not kept")
        if is_new:
            add_notice(t, document, now)
            log.append(t, _event(given, now))
        means.crash(CrashPoint.BEFORE_SUSPENDED)
    means.crash(CrashPoint.AFTER_SUSPENDED)
    return view


def all_suspensions(means: Means) -> tuple[SuspensionView, ...]:
    """Every suspension, standing or past, newest first."""
    with means.store.read() as r:
        return suspensions.everything(r)


def reasons_of(suspended: Suspended, requester: str, holders: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Why these suspensions stop a question, as codes: who asks, and the agencies and datasets that are asked."""
    asked = tuple(holders)
    agency = suspended.covers(requester) or any(suspended.covers(each) for each, _ in asked)
    dataset = any(each in suspended.datasets for each in asked)
    return (*(("agency-suspended",) if agency else ()), *(("dataset-suspended",) if dataset else ()))


def what_stops(r: Reading, requester: str, contracts: Iterable[DatasetContract]) -> tuple[str, ...]:
    """Why the suspensions that stand now stop a question about these contracts, as codes; nothing when none does."""
    holders = [(each.agency, each.id) for each in contracts]
    return reasons_of(suspensions.standing(r), requester, holders)


def _suspend(t: Transaction, given: Suspension, document: str, now: datetime) -> bool:
    if given.dataset is not None:
        _check_dataset(t, given.agency, given.dataset)
    if suspensions.add(t, given, document, now):
        return True
    known = _known(t, given)
    # The very order that was lifted may come once more; another one would pass for in force and not be.
    if known.lifted_at is not None and _signed(known) != given:
        raise InvalidInput("suspension-id-reused", suspension=given.id)
    return False


def _lift(t: Transaction, given: Suspension, document: str, now: datetime) -> bool:
    if given.at < _signed(_known(t, given)).at:
        raise Refused("lift-before-order", suspension=given.id)
    return suspensions.lift(t, given, document, now)


def _known(t: Transaction, given: Suspension) -> SuspensionView:
    known = suspensions.lock(t, given.id)
    if known is None:
        raise InvalidInput("unknown-suspension", suspension=given.id)
    if (known.id, known.by, known.agency, known.dataset) != given.subject:
        raise InvalidInput("suspension-id-reused", suspension=given.id)
    return known


def _signed(known: SuspensionView) -> Suspension:
    """The order as it was signed; it was verified when it was kept."""
    return Suspension.model_validate_json(payload_of(known.document))


def _check_dataset(r: Reading, agency: str, dataset: str) -> None:
    """A mistyped dataset must not pass for a suspended one."""
    if not any((each.agency, each.id) == (agency, dataset) for each in registry.all_contracts(r)):
        raise InvalidInput("unknown-contract", contract=dataset)


def _event(given: Suspension, now: datetime) -> Event:
    kind = EventKind.SUSPENSION_ORDERED if given.order is Order.SUSPEND else EventKind.SUSPENSION_LIFTED
    facts = {
        "agency": given.agency,
        "dataset": given.dataset or WHOLE_AGENCY,
        "reason": given.reason,
        "digest": digest_of(given),
    }
    return Event(LogEntry(kind=kind, at=now, agency=given.by, subject=given.id, facts=facts))
