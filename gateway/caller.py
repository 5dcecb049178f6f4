"""Who calls: the result of checking a call's token and signature, as every gateway step receives it."""

from dataclasses import dataclass

from contracts.federation import KeyPurpose


@dataclass(frozen=True, slots=True)
class Caller:
    """A member that proved the possession of its key.

    ``nonce`` is the nonce of the call's signature. Steps that write (submit, accept_part, publish, propose, sign,
    withdraw) spend it inside their own transaction; at all other calls the door spends it with ``Exchange.admit``.
    """

    agency: str
    kid: str
    purpose: KeyPurpose
    nonce: str
