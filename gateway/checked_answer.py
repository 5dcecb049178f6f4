"""An answer to a member's call is believed when the gateway's operator signed it, for exactly this call."""

from datetime import datetime

import httpx2

from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.message_signatures import Tag, verify
from contracts.signature_base import Message, headers_of
from gateway.checked_release import operator_key


def check_signed(answer: httpx2.Response, call: Message, federation: Federation, now: datetime) -> None:
    """Check the signature of an answer.

    Raises:
        Refused: ``signature-missing``, ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
    """

    def gateway_key(kid: str) -> PublicKey | None:
        return operator_key(federation, kid, KeyPurpose.GATEWAY, now)

    headers = headers_of(answer.headers.raw)
    message = Message(call.method, call.path, headers, answer.content, answer.status_code, call)
    verify(message, Tag.RESPONSE, gateway_key, now)
