"""Orders and decisions that the agency's own people give here: suspend, lift, approve, refuse.

Each is signed with keys of the agency's home, verified as anybody else would verify it, and only then written into the
journal, where it is in force at once, with or without the gateway.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from connectors.home import Home
from connectors.journal import approvals, notices
from connectors.journal.approvals import PendingTask
from connectors.journal.book import Journal
from connectors.journal.notices import OwnOrder
from connectors.registry import known_federation
from contracts.approval import DECISION_KIND, OfficerDecision, read_decision
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import InvalidInput, Refused, SaphanError
from contracts.identifiers import Digest
from contracts.signing import sign_document
from contracts.suspension import SUSPENSION_KIND, Order, Suspension, read_order, suspended_by

UNREACHABLE: Final = "gateway-unreachable"


def order_suspension(home: Home, journal: Journal, order: Suspension, kids: Sequence[str], now: datetime) -> None:
    """Suspend the agency or a dataset of it, in force when this returns.

    Raises:
        InvalidInput: ``unknown-contract``, when the agency has approved no contract for that dataset; a mistyped name
            must not pass for a suspended one. ``suspension-id-reused``, when that identifier was lifted or stands for
            another suspension. ``setting-invalid``, when a key is not in the home.
        Refused: ``suspension-signers-wrong``, ``key-unknown``.
    """
    known = [each for each in notices.orders(journal) if each.id == order.id]
    if any(each.order is Order.LIFT or each.subject != order.subject for each in known):
        raise InvalidInput("suspension-id-reused", suspension=order.id)
    approved = {each.contract.id for each in journal.approvals()}
    if order.dataset is not None and order.dataset not in approved:
        raise InvalidInput("unknown-contract", contract=order.dataset)
    _sign_and_keep(home, journal, order, kids, now)


def lift_suspension(  # whose, which, why, by whom and when
    home: Home, journal: Journal, name: str, reason: str, kids: Sequence[str], now: datetime
) -> Suspension:
    """Lift a suspension that the agency itself ordered, in force when this returns.

    Returns:
        The order to lift.

    Raises:
        InvalidInput: ``unknown-suspension``; ``setting-invalid``, when a key is not in the home.
        Refused: ``suspension-signers-wrong``, unless two people of the agency sign; ``lift-before-order``, when the
            clock stands before what is to be lifted.
    """
    known = [each for each in notices.orders(journal) if each.id == name and each.order is Order.SUSPEND]
    if not known:
        raise InvalidInput("unknown-suspension", suspension=name)
    if now < max(each.at for each in known):
        raise Refused("lift-before-order", suspension=name)
    lift = known[0].model_copy(update={"order": Order.LIFT, "at": now, "reason": reason})
    _sign_and_keep(home, journal, lift, kids, now)
    return lift


def standing_orders(journal: Journal) -> tuple[Suspension, ...]:
    """The suspensions that stand as this agency knows it, whoever ordered them."""
    known = notices.orders(journal)
    return tuple(each for each in known if each.order is Order.SUSPEND and _stands(each, known))


def bring_orders(
    journal: Journal, send: Callable[[OwnOrder], None], is_due: Callable[[Digest], bool] = lambda _: True
) -> Mapping[Digest, str]:
    """Bring the gateway what was ordered here; what it does not take stops nothing else.

    Args:
        journal: Keeps the orders, and which of them the gateway has.
        send: Brings one.
        is_due: Whether the order of that digest is tried now.

    Returns:
        The codes of what went wrong, by the order's digest. After ``gateway-unreachable`` the rest is not tried.
    """
    failed: dict[Digest, str] = {}
    for own in notices.unsent(journal):
        digest = digest_of(own.order)
        if not is_due(digest):
            continue
        try:
            send(own)
        except SaphanError as error:
            failed[digest] = error.code
            if error.code == UNREACHABLE:
                break
        else:
            notices.sent(journal, own.order)
    return failed


def decide(  # noqa: PLR0913  # whose, which, what, why, by whom and when
    home: Home, journal: Journal, name: str, kid: str, now: datetime, *, approved: bool, reason: str
) -> OfficerDecision:
    """Approve or refuse a request that waits, by an officer's key; it stands.

    Args:
        home: Holds the officer's key and the pinned federation.
        journal: Keeps the decision.
        name: The request's identifier or digest.
        kid: The officer's key.
        now: The time of the decision.
        approved: Whether the request is answered.
        reason: Why; it stays with the agency.

    Raises:
        InvalidInput: ``no-pending-request``; ``setting-invalid``, when the key is not in the home.
        Refused: ``key-unknown`` or ``signers-incomplete``, for a key that is no officer's of this agency;
            ``request-already-decided``.
    """
    found = _find(journal, name, now)
    decision = OfficerDecision(
        request_digest=found.request_digest, agency=found.task.agency, approved=approved, reason=reason, at=now
    )
    document = sign_document(canonical_bytes(decision), DECISION_KIND, home.key(kid))
    read_decision(document, found.task.agency, known_federation(home, now), now)
    approvals.decide(journal, decision, document, now)
    return decision


def _find(journal: Journal, name: str, now: datetime) -> PendingTask:
    found = [each for each in approvals.pending(journal, now) if name in {each.request.id, each.request_digest}]
    if len({each.request_digest for each in found}) != 1:
        raise InvalidInput("no-pending-request", request=name)
    return found[0]


def _sign_and_keep(home: Home, journal: Journal, order: Suspension, kids: Sequence[str], now: datetime) -> None:
    document = sign_document(canonical_bytes(order), SUSPENSION_KIND, *(home.key(kid) for kid in kids))
    read_order(document, known_federation(home, now), now)
    notices.order_here(journal, order, document, now)


def _stands(order: Suspension, known: Sequence[Suspension]) -> bool:
    lifts = [each for each in known if each.order is Order.LIFT]
    return suspended_by([order, *lifts]).covers(order.agency, order.dataset)
