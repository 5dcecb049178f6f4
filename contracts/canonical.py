"""The one byte form of a value (RFC 8785) and its digest.

Texts, whole numbers, lists, objects and floating-point numbers of everyday size are written here, several times faster
than by the library; every other value is the library's. A property test compares both over whatever JSON there is.
"""

import hashlib
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Final

import rfc8785
from pydantic import BaseModel

from contracts.errors import InvalidInput

type_error = (rfc8785.CanonicalizationError, TypeError, UnicodeEncodeError)
Json = Mapping[str, object] | Sequence[object] | str | int | float | bool | None

LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON reads as it was written."""

PLAIN_FROM: Final = 1e-4
PLAIN_BELOW: Final = 1e15
"""Between these Python, like RFC 8785, writes the shortest digits that are read as the same number, and no exponent."""

_CONSTANTS: Final = {type(None): ("null", "null"), bool: ("false", "true")}


def canonical_bytes(value: BaseModel | Json) -> bytes:
    """The RFC 8785 form of a value: the bytes that are signed, hashed and compared.

    Amounts belong in it as integers or strings: RFC 8785 writes 5.0 as 5.

    Raises:
        InvalidInput: ``not-canonical``, for NaN, infinities and integers beyond 2^53.
    """
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    try:
        return _text(plain).encode()
    except type_error as error:
        raise InvalidInput("not-canonical") from error


def digest_of(value: BaseModel | Json) -> str:
    """SHA-256 of the canonical bytes, as ``sha-256:<hex>``."""
    return digest_of_bytes(canonical_bytes(value))


def digest_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes that are already canonical, as ``sha-256:<hex>``."""
    return f"sha-256:{hashlib.sha256(data).hexdigest()}"


def _text(value: object) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)  # type: ignore[arg-type]  # ``kind`` says so
    if kind is dict:
        return _object(value)  # type: ignore[arg-type]  # ``kind`` says so
    if kind is list or kind is tuple:
        return f"[{','.join(map(_text, value))}]"  # type: ignore[call-overload]  # ``kind`` says so
    if kind is int and -LARGEST <= value <= LARGEST:  # type: ignore[operator]  # ``kind`` says so
        return str(value)
    if kind is float and PLAIN_FROM <= value < PLAIN_BELOW:  # type: ignore[operator]  # ``kind`` says so
        return repr(value).removesuffix(".0")
    constant = _CONSTANTS.get(kind)
    # The library refuses what it cannot write.
    return rfc8785.dumps(value).decode() if constant is None else constant[bool(value)]  # type: ignore[arg-type]  # it says what fits


def _object(value: dict[str, object]) -> str:
    """Members by their names' UTF-16, which for names of ASCII letters is the order of the letters."""
    # Joining them asks of all at once whether they are texts, and of ASCII.
    names = sorted(value) if "".join(value).isascii() else sorted(value, key=_utf_16)
    return f"{{{','.join([f'{encode_basestring(name)}:{_text(value[name])}' for name in names])}}}"


def _utf_16(name: str) -> bytes:
    return name.encode("utf-16be")
