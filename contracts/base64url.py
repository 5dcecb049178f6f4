"""Base64url without padding (RFC 7515, section 2), read in its one form only."""

from binascii import a2b_base64, b2a_base64
from typing import Final

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/???")
"""From base64url to base64; what base64 has and base64url has not becomes what neither has."""

_LAST: Final = {1: b"AEIMQUYcgkosw048", 2: b"AQgw", 3: b""}
"""The letters at the end, by how many are missing to four, whose bits that stand for nothing are zero."""


def encoded(data: bytes) -> str:
    """Bytes as text."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def decoded(text: bytes) -> bytes:
    """The bytes of which this is the text.

    Raises:
        ValueError: It is the text of none.
    """
    missing = -len(text) % 4
    if missing and text[-1] not in _LAST[missing]:
        raise ValueError("no base64url")
    return a2b_base64(text.translate(_STANDARD) + b"=" * missing, strict_mode=True)
