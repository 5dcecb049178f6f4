"""Signed orders to suspend and to lift, as members would send them."""

from contracts.canonical import canonical_bytes
from contracts.signing import sign_document
from contracts.suspension import SUSPENSION_KIND, Order, Suspension
from tests.factories import NOW, Keys


def suspension(**changes: object) -> Suspension:
    """CCIB suspends itself; a change of ``order`` lifts."""
    fields: dict[str, object] = {
        "id": "SUS-0001",
        "order": Order.SUSPEND,
        "by": "ccib",
        "agency": "ccib",
        "at": NOW,
        "reason": "keys may be stolen",
    }
    return Suspension.model_validate(fields | changes)


def signed_order(keys: Keys, order: Suspension, *kids: str) -> str:
    """An order, signed by one officer of its side to suspend, by its officer and second person to lift."""
    second = "oja#officer-2" if order.by == "oja" else f"{order.by}#dpo-1"
    usual = (f"{order.by}#officer-1",) if order.order is Order.SUSPEND else (f"{order.by}#officer-1", second)
    return sign_document(canonical_bytes(order), SUSPENSION_KIND, *(keys[kid] for kid in kids or usual))
