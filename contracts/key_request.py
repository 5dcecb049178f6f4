"""A person's request that a key be registered: signed by the key itself, so that nobody asks for another's.

The gateway keeps it and can do no more: only the agency's registrar puts a key into the federation.
"""

import json
from typing import Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, SaphanError
from contracts.federation import KeyPurpose, PublicKey
from contracts.identifiers import KeyId
from contracts.signing import payload_of, verify_document
from contracts.values import Value

KEY_REQUEST_KIND: Final = "key-request"
PERSONAL: Final = (KeyPurpose.OFFICER, KeyPurpose.DPO, KeyPurpose.STEWARD)
"""What people sign themselves."""


class KeyRequest(Value):
    """The public half of a key (P-256; base64url) under the name that it shall have: ``ccib#officer-3``."""

    kid: KeyId
    purpose: Literal[KeyPurpose.OFFICER, KeyPurpose.DPO, KeyPurpose.STEWARD]
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    y: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    at: AwareDatetime


def read_key_request(document: str) -> KeyRequest:
    """The request in a document that the key which it names has signed.

    Raises:
        InvalidInput: ``key-request-invalid``.
    """
    try:
        asked = KeyRequest.model_validate(json.loads(payload_of(document)), strict=False)
        signed = verify_document(document, KEY_REQUEST_KIND, lambda kid: as_key(asked) if kid == asked.kid else None)
    except (SaphanError, ValidationError, ValueError) as error:
        raise InvalidInput("key-request-invalid", why="it is not signed by the key that it names") from error
    if canonical_bytes(asked) != signed.payload:
        raise InvalidInput("key-request-invalid", why="it is not written in the canonical form")
    if asked.kid.partition("#")[2].rpartition("-")[0] != asked.purpose.value:
        raise InvalidInput("key-request-invalid", why="its name says another purpose")
    return asked


def as_key(asked: KeyRequest) -> PublicKey:
    """The key as a registrar may register it; from when until when is for him to say."""
    return PublicKey(
        kid=asked.kid,
        purpose=asked.purpose,
        x=asked.x,
        y=asked.y,
        valid_from=asked.at,
        valid_until=asked.at.replace(year=asked.at.year + 1, day=min(asked.at.day, 28)),
    )
