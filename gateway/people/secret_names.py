"""Names that open something: 256 random bits that only their owner keeps; the gateway keeps their SHA-256."""

import base64
import hashlib
from collections.abc import Callable
from typing import Final

SECRET_BYTES: Final = 32


def new_secret(entropy: Callable[[int], bytes]) -> str:
    """A fresh secret, base64url, 43 characters."""
    return base64.urlsafe_b64encode(entropy(SECRET_BYTES)).rstrip(b"=").decode()


def kept(secret: str) -> str:
    """What the gateway keeps of a secret: nobody gets the secret out of it, for it was drawn from 2^256."""
    return hashlib.sha256(secret.encode()).hexdigest()
