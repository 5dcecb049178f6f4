"""The one byte form of a value (RFC 8785) and its digest."""

import hashlib
from collections.abc import Mapping, Sequence

import rfc8785
from pydantic import BaseModel

from contracts.errors import InvalidInput

type_error = (rfc8785.CanonicalizationError, TypeError)
Json = Mapping[str, object] | Sequence[object] | str | int | float | bool | None


def canonical_bytes(value: BaseModel | Json) -> bytes:
    """The RFC 8785 form of a value: the bytes that are signed, hashed and compared.

    Amounts belong in it as integers or strings: RFC 8785 writes 5.0 as 5.

    Raises:
        InvalidInput: ``not-canonical``, for NaN, infinities and integers beyond 2^53.
    """
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    try:
        return rfc8785.dumps(plain)  # type: ignore[arg-type]  # its recursive alias refuses Mapping
    except type_error as error:
        raise InvalidInput("not-canonical") from error


def digest_of(value: BaseModel | Json) -> str:
    """SHA-256 of the canonical bytes, as ``sha-256:<hex>``."""
    return digest_of_bytes(canonical_bytes(value))


def digest_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes that are already canonical, as ``sha-256:<hex>``."""
    return f"sha-256:{hashlib.sha256(data).hexdigest()}"
