"""Signatures over documents by the federation's keys: ES256 as JWS (RFC 7515, RFC 7518).

A *document* is text that several people sign (agreement, contract): JWS in general JSON serialisation. What one program
signs alone (release, part, checkpoint, forecast) is a compact JWS. Both carry the ``kind`` of their payload in the
protected ``typ``, so that a signature over one kind never passes for another. ECDSA signatures are malleable: compare
payloads and key ids, never signature bytes.
"""

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import Field, TypeAdapter, ValidationError

from contracts.canonical import Json, canonical_bytes
from contracts.errors import Refused
from contracts.federation import PublicKey
from contracts.identifiers import KeyId
from contracts.keys import SigningKey
from contracts.values import Value

ALGORITHM = "ES256"
MOST_SIGNATURES = 32
MOST_BYTES = 64 * 2**20
TYP_START, TYP_END = "saphan-", "+jws"

Resolve = Callable[[str], PublicKey | None]
"""Gives the registered key of a key id, or nothing when it may not sign this now."""

_key_id: TypeAdapter[str] = TypeAdapter(KeyId)
_unreadable = (JoseError, ValueError, TypeError, KeyError, AttributeError, binascii.Error)


class SignedDocument(Value):
    """A payload whose signatures were all verified, and the key ids of those who signed."""

    payload: bytes
    signers: frozenset[str]


class _Signature(Value):
    protected: str = Field(max_length=1000)
    signature: str = Field(max_length=200)


class _Document(Value):
    payload: str
    signatures: tuple[_Signature, ...] = Field(min_length=1, max_length=MOST_SIGNATURES)


class _Registry(jws.JWSRegistry):
    """The library's registry with our one algorithm, and room for a release of a million cells."""

    max_payload_length = MOST_BYTES


_registry = _Registry(algorithms=[ALGORITHM])


def verifying_key(key: PublicKey) -> ec.EllipticCurvePublicKey:
    """A registered key in the form that checks signatures; points are decoded once.

    Raises:
        Refused: ``signature-wrong``, when the registered numbers are no point of the curve.
    """
    return _known_point(key).public_key


def sign_document(payload: bytes, kind: str, *keys: SigningKey) -> str:
    """Sign canonical bytes with one key or several.

    Args:
        payload: The bytes that are signed.
        kind: What they are: ``agreement``, ``contract``; becomes the protected ``typ``.
        keys: At least one, all different.

    Returns:
        A JWS in general JSON serialisation, as text.
    """
    document = _Document(payload=_encode(payload), signatures=tuple(_signature(payload, kind, each) for each in keys))
    return canonical_bytes(document).decode()


def add_signature(document: str, kind: str, key: SigningKey) -> str:
    """The same document with one more signature; the others stay as they are and are not checked here.

    Raises:
        Refused: ``signature-wrong``, when it is no document or this key has signed it already.
    """
    parsed = _parsed(document)
    if key.kid in {_headers(_compact(parsed, each)).get("kid") for each in parsed.signatures}:
        raise Refused("signature-wrong", why="this key has signed already")
    added = _signature(_decode(parsed.payload), kind, key)
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
    verified = [verify_compact(_compact(parsed, each), kind, resolve) for each in parsed.signatures]
    signers = frozenset[str]().union(*(each.signers for each in verified))
    if len(signers) != len(verified):
        raise Refused("signature-wrong", why="two signatures of one key")
    return SignedDocument(payload=verified[0].payload, signers=signers)


def payload_of(document: str) -> bytes:
    """The signed bytes of a document that was verified when it was kept: no signature is looked at here.

    Raises:
        Refused: ``signature-wrong``, when it is no signed document.
    """
    return _decode(_parsed(document).payload)


def kind_of(document: str) -> str | None:
    """What a document, or a compact JWS, says that it is, nothing verified; none when it does not say one thing.

    Raises:
        Refused: ``signature-wrong``, when it is neither.
    """
    if document.startswith("{"):
        parsed = _parsed(document)
        tokens = [_compact(parsed, each) for each in parsed.signatures]
    else:
        tokens = [document]
    said = {str(_headers(each).get("typ")) for each in tokens}
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
    headers = _headers(token)
    if headers.keys() != {"alg", "typ", "kid"} or headers["typ"] != _typ(kind):
        raise Refused("signature-wrong", why=f"not a signed {kind}")
    kid = str(headers["kid"])
    key = resolve(kid)
    if key is None or key.kid != kid:
        raise Refused("key-unknown", kid=_shown(kid))
    public = _known_point(key)
    try:
        payload = jws.deserialize_compact(token, public, registry=_registry).payload
    except _unreadable as error:
        raise Refused("signature-wrong", why="altered, or signed by another key") from error
    return SignedDocument(payload=payload, signers=frozenset({kid}))


def sign_claims(claims: Json, key: SigningKey, typ: str = "JWT") -> str:
    """Sign a JSON Web Token, such as the assertion by which a client authenticates (RFC 7523)."""
    return _signed(canonical_bytes(claims), typ, key)


def _signed(payload: bytes, typ: str, key: SigningKey) -> str:
    headers = {"alg": ALGORITHM, "typ": typ, "kid": key.kid}
    signed = f"{_encode(canonical_bytes(headers))}.{_encode(payload)}"
    return f"{signed}.{_encode(key.sign(signed.encode()))}"


def _signature(payload: bytes, kind: str, key: SigningKey) -> _Signature:
    protected, _, signature = sign_compact(payload, kind, key).split(".")
    return _Signature(protected=protected, signature=signature)


def _compact(document: _Document, signature: _Signature) -> str:
    return f"{signature.protected}.{document.payload}.{signature.signature}"


def _parsed(document: str) -> _Document:
    try:
        return _Document.model_validate_json(document)
    except ValidationError as error:
        raise Refused("signature-wrong", why="not a signed document") from error


def _headers(token: str) -> dict[str, object]:
    try:
        return dict(jws.extract_compact(token.encode(), registry=_registry).headers())
    except _unreadable as error:
        raise Refused("signature-wrong", why="not a JWS") from error


def _known_point(key: PublicKey) -> ECKey:
    if key.y is None:
        raise Refused("signature-wrong", why="the registered key signs notes of a log and nothing else")
    return _point(key.x, key.y)


@lru_cache(maxsize=1024)
def _point(x: str, y: str) -> ECKey:
    try:
        return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    except _unreadable as error:
        raise Refused("signature-wrong", why="the registered key is no point of P-256") from error


def _typ(kind: str) -> str:
    return f"{TYP_START}{kind}{TYP_END}"


def _shown(kid: str) -> str:
    """A key id for an error text; what is not one is not repeated."""
    try:
        return _key_id.validate_python(kid)
    except ValidationError:
        return "?"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
