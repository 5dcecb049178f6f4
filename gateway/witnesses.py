"""The witnesses' cosignatures as the gateway gathers them; it holds no witness's key and can make none itself."""

from contracts.checkpoints import log_keys, read_cosignature
from contracts.errors import IntegrityError, Refused
from contracts.federation import KeyPurpose
from contracts.transparency import Cosignature
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import checkpoints, requests


def take(means: Means, caller: Caller, given: Cosignature) -> None:
    """Keep an agency's cosignature of a checkpoint that was shown; the first of each agency stands.

    Raises:
        Refused: ``not-allowed``, when no connector calls; ``cosignature-wrong``, when the checkpoint was never shown,
            or the line is not the caller's own witness's; ``request-replayed``.
    """
    if caller.purpose is not KeyPurpose.CONNECTOR:
        raise Refused("not-allowed")
    now = means.clock()
    with means.store.read() as r:
        shown = checkpoints.of_size(r, given.size)
    if shown is None or not shown.published:
        raise Refused("cosignature-wrong")
    try:
        found = read_cosignature(shown.document, given.line, log_keys(means.federation, now))
    except IntegrityError as error:
        raise Refused("cosignature-wrong") from error
    if found is None or found.agency != caller.agency:
        raise Refused("cosignature-wrong")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        checkpoints.add_cosignature(t, given.size, found.agency, given.line, now)
