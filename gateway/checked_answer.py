"""An answer to a member's call is believed when the gateway's operator signed it, for exactly this call."""

from datetime import datetime

from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.message_signatures import Tag, verify
from contracts.signature_base import Message
from gateway.checked_release import operator_key


def check_signed(answer: Message, federation: Federation, now: datetime) -> None:
    """Check the signature of an answer to the call that it names.

    Raises:
        Refused: ``signature-missing``, ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
    """

    def gateway_key(kid: str) -> PublicKey | None:
        return operator_key(federation, kid, KeyPurpose.GATEWAY, now)

    verify(answer, Tag.RESPONSE, gateway_key, now)
