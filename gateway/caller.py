"""Who calls: the result of checking a call's token and signature, as every gateway step receives it."""

from dataclasses import dataclass

from contracts.authorization import ActivityDetail
from contracts.federation import KeyPurpose


@dataclass(frozen=True, slots=True)
class Caller:
    """A member that proved the possession of its key.

    ``nonce`` is the nonce of the call's signature. Steps that write (submit, accept_part, publish, propose, sign,
    withdraw) spend it inside their own transaction; at all other calls the door spends it with ``Exchange.admit``.
    ``details`` are the activities that its token covers: without one of them it asks no question.
    """

    agency: str
    kid: str
    purpose: KeyPurpose
    nonce: str
    details: tuple[ActivityDetail, ...] = ()

    def covers(self, agreement: str, activity: str) -> bool:
        """Whether the token of the call was issued for questions of this activity under this agreement."""
        return any((each.agreement, each.activity) == (agreement, activity) for each in self.details)
