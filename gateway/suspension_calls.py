"""Suspensions as a member orders and reads them, over one ``Gateway``; verified here, whatever the gateway says."""

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError, InvalidInput, SaphanError
from contracts.keys import SigningKey
from contracts.signing import sign_document
from contracts.suspension import SUSPENSION_KIND, Order, Suspension, SuspensionView, read_order
from contracts.views import SignedText
from gateway.client import Gateway

PATH = "/v1/suspensions"


def order(gateway: Gateway, given: Suspension, *keys: SigningKey) -> SuspensionView:
    """Sign and bring an order to suspend or to lift; in force when this returns.

    Raises:
        Refused: ``suspension-signers-wrong``, ``not-allowed``.
        InvalidInput: ``unknown-contract``, ``unknown-suspension``, ``suspension-id-reused``.
    """
    document = sign_document(canonical_bytes(given), SUSPENSION_KIND, *keys)
    return gateway.post(PATH, SignedText(document=document), SuspensionView)


def all_suspensions(gateway: Gateway) -> tuple[SuspensionView, ...]:
    """Every suspension, standing or past, newest first, each with its signed order.

    Raises:
        IntegrityError: ``suspension-altered``, when what the gateway shows is not what was signed.
    """
    shown = gateway.get_all(PATH, SuspensionView, lambda each: each.id)
    for each in shown:
        _check(gateway, each)
    return shown


def lift(gateway: Gateway, name: str, reason: str, *keys: SigningKey) -> SuspensionView:
    """Lift a suspension that this member ordered, by the keys of two people.

    Raises:
        InvalidInput: ``unknown-suspension``.
        Refused: As ``order``.
    """
    known = next((each for each in all_suspensions(gateway) if each.id == name), None)
    if known is None:
        raise InvalidInput("unknown-suspension", suspension=name)
    given = Suspension(
        id=known.id,
        order=Order.LIFT,
        by=known.by,
        agency=known.agency,
        dataset=known.dataset,
        at=gateway.now(),
        reason=reason,
    )
    return order(gateway, given, *keys)


def _check(gateway: Gateway, shown: SuspensionView) -> None:
    orders = [(shown.document, Order.SUSPEND, shown.reason)]
    if shown.lift_document is not None:
        orders.append((shown.lift_document, Order.LIFT, shown.lift_reason or ""))
    for document, meant, reason in orders:
        try:
            read = read_order(document, gateway.federation, gateway.now(), at_receipt=False)
        except SaphanError as error:
            raise IntegrityError("suspension-altered", suspension=shown.id) from error
        if (read.order, read.subject, read.reason) != (
            meant,
            (shown.id, shown.by, shown.agency, shown.dataset),
            reason,
        ):
            raise IntegrityError("suspension-altered", suspension=shown.id)
