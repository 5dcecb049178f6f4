"""Signatures over documents by the federation's keys: ES256 as JWS (RFC 7515, RFC 7518).

A *document* is text that several people sign (agreement, contract): JWS in general JSON serialisation. What one program
signs alone (release, part, checkpoint, forecast) is a compact JWS. Both carry the ``kind`` of their payload in the
protected ``typ``, so that a signature over one kind never passes for another. ECDSA signatures are malleable: compare
payloads and key ids, never signature bytes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from contracts.base64url import decoded, encoded
from contracts.canonical import Json, canonical_bytes
from contracts.errors import Refused
from contracts.federation import PublicKey
from contracts.identifiers import KeyId
from contracts.keys import SigningKey, made_by, made_by_of_digest
from contracts.values import Value

ALGORITHM = "ES256"
MOST_SIGNATURES = 32
MOST_BYTES = 64 * 2**20
"""The longest text of a payload: a release of a million cells has room in it."""

MOST_HEADER_BYTES = 512
HEADERS_KNOWN = 1024
SIGNATURES_KNOWN = 4096
TYP_START, TYP_END = "saphan-", "+jws"

Resolve = Callable[[str], PublicKey | None]
"""Gives the registered key of a key id, or nothing when it may not sign this now."""

_key_id: TypeAdapter[str] = TypeAdapter(KeyId)
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A payload whose signatures were all verified, and the key ids of those who signed."""

    payload: bytes
    signers: frozenset[str]


class _Signature(Value):
    protected: str = Field(max_length=1000)
    signature: str = Field(max_length=200)


class _Document(Value):
    payload: str
    signatures: tuple[_Signature, ...] = Field(min_length=1, max_length=MOST_SIGNATURES)


class _Compact(NamedTuple):
    """A compact JWS taken apart; nothing of it is verified, and only its signature is decoded."""

    head: bytes
    payload: bytes
    signed: bytes
    signature: bytes


def verifying_key(key: PublicKey) -> ec.EllipticCurvePublicKey:
    """A registered key in the form that checks signatures; points are decoded once.

    Raises:
        Refused: ``signature-wrong``, when the registered numbers are no point of the curve.
    """
    if key.y is None:
        raise Refused("signature-wrong", why="the registered key signs notes of a log and nothing else")
    return _point(key.x, key.y)


def sign_document(payload: bytes, kind: str, *keys: SigningKey) -> str:
    """Sign canonical bytes with one key or several.

    Args:
        payload: The bytes that are signed.
        kind: What they are: ``agreement``, ``contract``; becomes the protected ``typ``.
        keys: At least one, all different.

    Returns:
        A JWS in general JSON serialisation, as text.
    """
    document = _Document(payload=encoded(payload), signatures=tuple(_signature(payload, kind, each) for each in keys))
    return canonical_bytes(document).decode()


def add_signature(document: str, kind: str, key: SigningKey) -> str:
    """The same document with one more signature; the others stay as they are and are not checked here.

    Raises:
        Refused: ``signature-wrong``, when it is no document or this key has signed it already.
    """
    parsed = _parsed(document)
    if key.kid in {_header(each.protected.encode()).get("kid") for each in parsed.signatures}:
        raise Refused("signature-wrong", why="this key has signed already")
    added = _signature(_payload(parsed.payload.encode()), kind, key)
    return canonical_bytes(_Document(payload=parsed.payload, signatures=(*parsed.signatures, added))).decode()


def joined(ours: str, theirs: str) -> str:
    """Our document with those of their signatures that are new, by the key that each names; none is checked here.

    Raises:
        Refused: ``signature-wrong``, when one is no document, or they are two texts.
    """
    left, right = _parsed(ours), _parsed(theirs)
    if left.payload != right.payload:
        raise Refused("signature-wrong", why="two texts")
    known = {each.protected for each in left.signatures}
    new = (each for each in right.signatures if each.protected not in known)
    return canonical_bytes(_Document(payload=left.payload, signatures=(*left.signatures, *new))).decode()


def verify_document(document: str, kind: str, resolve: Resolve) -> SignedDocument:
    """Verify every signature of a document; the caller compares the set of signers with whom it needs.

    Raises:
        Refused: ``key-unknown`` or ``signature-wrong``; one bad signature spoils the document.
    """
    parsed = _parsed(document)
    signers = frozenset(_signer(_compact(parsed, each), kind, resolve) for each in parsed.signatures)
    if len(signers) != len(parsed.signatures):
        raise Refused("signature-wrong", why="two signatures of one key")
    return SignedDocument(payload=_payload(parsed.payload.encode()), signers=signers)


def payload_of(document: str) -> bytes:
    """The signed bytes of a document that was verified when it was kept: no signature is looked at here.

    Raises:
        Refused: ``signature-wrong``, when it is no signed document.
    """
    return _payload(_parsed(document).payload.encode())


def kind_of(document: str) -> str | None:
    """What a document, or a compact JWS, says that it is, nothing verified; none when it does not say one thing.

    Raises:
        Refused: ``signature-wrong``, when it is neither.
    """
    if document.startswith("{"):
        heads = [each.protected.encode() for each in _parsed(document).signatures]
    else:
        heads = [_taken_apart(document).head]
    said = {str(_header(each).get("typ")) for each in heads}
    typ = said.pop()
    return None if said or not typ.startswith(TYP_START) else typ.removeprefix(TYP_START).removesuffix(TYP_END)


def sign_compact(payload: bytes, kind: str, key: SigningKey) -> str:
    """Sign canonical bytes with one key: a compact JWS."""
    return _signed(payload, _typ(kind), key)


def verify_compact(token: str, kind: str, resolve: Resolve) -> SignedDocument:
    """Verify a compact JWS of one kind.

    Raises:
        Refused: ``key-unknown`` or ``signature-wrong``.
    """
    parts = _taken_apart(token)
    key = _key_of(parts, kind, resolve)
    if not made_by(verifying_key(key), parts.signature, parts.signed):
        raise Refused("signature-wrong", why="altered, or signed by another key")
    return SignedDocument(payload=_payload(parts.payload), signers=frozenset({key.kid}))


def sign_claims(claims: Json, key: SigningKey, typ: str = "JWT") -> str:
    """Sign a JSON Web Token, such as the assertion by which a client authenticates (RFC 7523)."""
    return _signed(canonical_bytes(claims), typ, key)


def _signed(payload: bytes, typ: str, key: SigningKey) -> str:
    signed = f"{_head(typ, key.kid)}.{encoded(payload)}"
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


@lru_cache(maxsize=64)
def _head(typ: str, kid: str) -> str:
    return encoded(canonical_bytes({"alg": ALGORITHM, "typ": typ, "kid": kid}))


def _signature(payload: bytes, kind: str, key: SigningKey) -> _Signature:
    protected, _, signature = sign_compact(payload, kind, key).split(".")
    return _Signature(protected=protected, signature=signature)


def _compact(document: _Document, signature: _Signature) -> _Compact:
    return _taken_apart(f"{signature.protected}.{document.payload}.{signature.signature}")


def _taken_apart(token: str) -> _Compact:
    try:
        given = token.encode("ascii")
        head, payload, signature = given.split(b".")
        raw = decoded(signature)
    except ValueError as error:
        raise Refused("signature-wrong", why="not a JWS") from error
    if len(head) > MOST_HEADER_BYTES or len(payload) > MOST_BYTES:
        raise Refused("signature-wrong", why="not a JWS")
    return _Compact(head, payload, given[: len(head) + 1 + len(payload)], raw)


def _signer(parts: _Compact, kind: str, resolve: Resolve) -> str:
    """The name of the key that signed a document, which may sign it now."""
    key = _key_of(parts, kind, resolve)
    verifying_key(key)
    digest = hashlib.sha256(parts.signed).digest()
    if not _is_of(key.x, str(key.y), digest, parts.signature):
        raise Refused("signature-wrong", why="altered, or signed by another key")
    return key.kid


@lru_cache(maxsize=SIGNATURES_KNOWN)
def _is_of(x: str, y: str, digest: bytes, signature: bytes) -> bool:
    """Whether a signature is by this key, over what has this SHA-256.

    A document is read again with every question under it. That a signature fits key and text does not change; whether
    the key may sign is asked each time before.
    """
    return made_by_of_digest(_point(x, y), signature, digest)


def _key_of(parts: _Compact, kind: str, resolve: Resolve) -> PublicKey:
    kid = _kid_in(parts.head, kind)
    key = resolve(kid)
    if key is None or key.kid != kid:
        raise Refused("key-unknown", kid=_shown(kid))
    return key


@lru_cache(maxsize=HEADERS_KNOWN)
def _kid_in(head: bytes, kind: str) -> str:
    """The key that a closed header of this kind names: what follows from its bytes alone."""
    header = _header(head)
    if header.keys() != {"alg", "typ", "kid"} or header["typ"] != _typ(kind) or header["alg"] != ALGORITHM:
        raise Refused("signature-wrong", why=f"not a signed {kind}")
    return str(header["kid"])


def _parsed(document: str) -> _Document:
    try:
        return _Document.model_validate_json(document)
    except ValidationError as error:
        raise Refused("signature-wrong", why="not a signed document") from error


def _header(head: bytes) -> dict[str, object]:
    try:
        header = from_json(decoded(head), allow_inf_nan=False)
    except ValueError as error:
        raise Refused("signature-wrong", why="not a JWS") from error
    if not isinstance(header, dict) or "alg" not in header:
        raise Refused("signature-wrong", why="not a JWS")
    return header


def _payload(text: bytes) -> bytes:
    try:
        return decoded(text)
    except ValueError as error:
        raise Refused("signature-wrong", why="not a JWS") from error


@lru_cache(maxsize=1024)
def _point(x: str, y: str) -> ec.EllipticCurvePublicKey:
    try:
        numbers = [int.from_bytes(decoded(each.encode()), "big") for each in (x, y)]
        return ec.EllipticCurvePublicNumbers(numbers[0], numbers[1], ec.SECP256R1()).public_key()
    except ValueError as error:
        raise Refused("signature-wrong", why="the registered key is no point of P-256") from error


def _typ(kind: str) -> str:
    return f"{TYP_START}{kind}{TYP_END}"


def _shown(kid: str) -> str:
    """A key id for an error text; what is not one is not repeated."""
    try:
        return _key_id.validate_python(kid)
    except ValidationError:
        return "?"
