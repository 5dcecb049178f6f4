"""What the authorization server asks of the gateway's store: what an agency may obtain a token for, and names spent."""

from collections.abc import Collection

from contracts.authorization import ActivityDetail
from gateway.means import Means
from gateway.question import agreement_meant
from gateway.store import requests


def may_ask(means: Means, agency: str, detail: ActivityDetail) -> bool:
    """Whether an agency is the requester of an agreement that has this activity.

    Whether the agreement is in force is for the policies to say when it asks.
    """
    with means.store.read() as r:
        held = agreement_meant(r, detail.agreement)
    if held is None or held.agreement.requester != agency:
        return False
    return held.agreement.activity(detail.activity) is not None


def spend(means: Means, kid: str, names: Collection[str]) -> None:
    """Spend names of a key's holder, all of them or none.

    Raises:
        Refused: ``request-replayed``, when one was spent before.
    """
    # Light, for what the machine's sudden end can take back is worth nothing. Whoever sends assertion and proof again
    # within their minute obtains a token that is bound to the same key of the proof, or to his own certificate, and
    # every call needs the member's signature besides. Killing a process takes nothing back; another one knows of it.
    with means.store.light_transaction() as t:
        requests.spend_nonces(t, kid, names, means.clock())
