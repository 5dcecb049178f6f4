"""The keys of the federation's members: what signs, where its public half goes, and how it lies in a file.

Whoever signs needs two methods, so a key may as well live in a hardware module (PKCS#11): ``SigningKey`` is what the
programs ask for, ``SoftwareKey`` is one in a file. The log and its witnesses sign C2SP notes, which are Ed25519;
everything else is ECDSA over P-256 with SHA-256 (ES256), its signatures the 64 bytes ``r || s`` of RFC 7518.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from pydantic import TypeAdapter, ValidationError

from contracts.base64url import encoded
from contracts.errors import InvalidInput
from contracts.federation import ED25519, KeyPurpose, PublicKey
from contracts.identifiers import KeyId

COORDINATE_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
NOTE_PURPOSES: Final = frozenset({KeyPurpose.LOG, KeyPurpose.WITNESS})
"""What a key signs that is a C2SP note and hence Ed25519."""

_ES256: Final = ec.ECDSA(hashes.SHA256())
_ES256_OF_DIGEST: Final = ec.ECDSA(Prehashed(hashes.SHA256()))
_key_id: TypeAdapter[str] = TypeAdapter(KeyId)
_Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class SigningKey(Protocol):
    """A private key, wherever it lies."""

    @property
    def kid(self) -> str:
        """Its name, ``owner#purpose-number``."""

    def sign(self, data: bytes) -> bytes:
        """Sign: 64 bytes, ``r || s`` of ES256 or an Ed25519 signature."""

    def public_key(self, purpose: KeyPurpose, valid_from: datetime, valid_until: datetime) -> PublicKey:
        """The public half, as the federation registers it for one purpose and one half-open span of time."""


@dataclass(frozen=True, slots=True)
class SoftwareKey:
    """A private key in this process and its name; it is never printed, compared or sent."""

    kid: str
    private: _Private = field(repr=False, compare=False)

    def sign(self, data: bytes) -> bytes:
        """See ``SigningKey``."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        return raw_signature(self.private.sign(data, _ES256))

    def public_key(self, purpose: KeyPurpose, valid_from: datetime, valid_until: datetime) -> PublicKey:
        """See ``SigningKey``."""
        return public_key_of(self.private.public_key(), self.kid, purpose, (valid_from, valid_until))

    def to_pem(self) -> bytes:
        """The key as unencrypted PKCS 8 PEM, for a file that only its owner reads."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def public_key_of(
    public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey,
    kid: str,
    purpose: KeyPurpose,
    span: tuple[datetime, datetime],
) -> PublicKey:
    """A public key as the federation registers it, from the first instant of ``span`` until before the second."""
    start, end = span
    if isinstance(public, ed25519.Ed25519PublicKey):
        x, y = encoded(public.public_bytes_raw()), None
        return PublicKey(kid=kid, purpose=purpose, crv=ED25519, x=x, y=y, valid_from=start, valid_until=end)
    numbers = public.public_numbers()
    x, y = _coordinate(numbers.x), _coordinate(numbers.y)
    return PublicKey(kid=kid, purpose=purpose, x=x, y=y, valid_from=start, valid_until=end)


def raw_signature(der: bytes) -> bytes:
    """An ECDSA signature over P-256, in the DER that the library writes, as ``r || s`` (RFC 7518, section 3.4)."""
    middle = 4 + der[3]
    return _fixed(der[4:middle]) + _fixed(der[middle + 2 :])


def der_signature(raw: bytes) -> bytes:
    """``r || s`` as DER (RFC 3279, section 2.2.3): a sequence of two integers, each as short as it can be."""
    r, s = _integer(raw[:COORDINATE_BYTES]), _integer(raw[COORDINATE_BYTES:])
    return bytes((0x30, len(r) + len(s))) + r + s


def made_by(public: ec.EllipticCurvePublicKey, signature: bytes, data: bytes, algorithm: ec.ECDSA = _ES256) -> bool:
    """Whether ``r || s`` is a signature by this key over this data, of which ``algorithm`` says what it is."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        public.verify(der_signature(signature), data, algorithm)
    except InvalidSignature:
        return False
    return True


def made_by_of_digest(public: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    """The same over data of which only the SHA-256 is at hand."""
    return made_by(public, signature, digest, _ES256_OF_DIGEST)


def _fixed(integer: bytes) -> bytes:
    """The digits of a DER integer, as many as a coordinate has."""
    return integer.lstrip(b"\0").rjust(COORDINATE_BYTES, b"\0")


def _integer(number: bytes) -> bytes:
    """A number as DER: what begins with a bit that is set would be below nothing, so a zero goes before."""
    digits = number.lstrip(b"\0")
    if not digits or digits[0] & 0x80:
        digits = b"\0" + digits
    return bytes((0x02, len(digits))) + digits


def new_key(kid: str) -> SoftwareKey:
    """A fresh key from the operating system's randomness, of the algorithm that its purpose asks for."""
    name = checked_kid(kid)
    if _is_note_key(name):
        return SoftwareKey(name, ed25519.Ed25519PrivateKey.generate())
    return SoftwareKey(name, ec.generate_private_key(ec.SECP256R1()))


def load_key(kid: str, pem: bytes) -> SoftwareKey:
    """The key of that name from its PEM file.

    Raises:
        InvalidInput: ``setting-invalid``, when it is not an unencrypted private key of the algorithm that it should be.
    """
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInput("setting-invalid", setting=f"key {kid}", why="not a private key in PEM") from error
    name = checked_kid(kid)
    if _is_note_key(name) and isinstance(private, ed25519.Ed25519PrivateKey):
        return SoftwareKey(name, private)
    if not _is_note_key(name) and _is_p256(private):
        return SoftwareKey(name, private)
    kind = "an Ed25519" if _is_note_key(name) else "a P-256"
    raise InvalidInput("setting-invalid", setting=f"key {kid}", why=f"not {kind} key")


def key_file_name(kid: str) -> str:
    """The file that holds a key: ``ccib#steward-1`` lives in ``ccib~steward-1.key``."""
    return f"{kid.replace('#', '~')}.key"


def checked_kid(kid: str) -> str:
    """The name of a key.

    Raises:
        InvalidInput: ``setting-invalid``, when it is none.
    """
    try:
        return _key_id.validate_python(kid)
    except ValidationError as error:
        raise InvalidInput("setting-invalid", setting="key id", why="it is written owner#purpose-number") from error


def _is_note_key(kid: str) -> bool:
    return kid.partition("#")[2].rpartition("-")[0] in NOTE_PURPOSES


def _is_p256(private: object) -> TypeGuard[ec.EllipticCurvePrivateKey]:
    return isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1)


def _coordinate(number: int) -> str:
    return encoded(number.to_bytes(COORDINATE_BYTES, "big"))
