"""A private key in a hardware module, reached through PKCS#11: it is made there, signs there and never leaves it.

In the home lies a reference: which module, which token, which label. The token's PIN is a
secret of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Any, Final

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from contracts.errors import InvalidInput, Unavailable
from contracts.federation import KeyPurpose, PublicKey
from contracts.keys import public_key_of
from keys.reference import HardwareReference

_in_use: Final = Lock()
_sessions: Final[dict[tuple[str, str, str], Any]] = {}


@dataclass(frozen=True, slots=True)
class HardwareKey:
    """A key in a hardware module as the programs use it; see ``contracts.keys.SigningKey``.

    Args:
        reference: Where it lies.
        pin: The token's user PIN.
    """

    reference: HardwareReference
    pin: str = field(repr=False, compare=False)

    @property
    def kid(self) -> str:
        """Its name."""
        return self.reference.kid

    def sign(self, data: bytes) -> bytes:
        """Sign: ``r || s`` of ES256.

        Raises:
            Unavailable: ``hardware-key-unavailable``.
        """
        with _session(self.reference, self.pin) as session:
            private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=self.reference.label)
            signature: bytes = private.sign(sha256(data).digest(), mechanism=pkcs11.Mechanism.ECDSA)
            return signature

    def public_key(self, purpose: KeyPurpose, valid_from: datetime, valid_until: datetime) -> PublicKey:
        """The public half.

        Raises:
            Unavailable: ``hardware-key-unavailable``.
        """
        with _session(self.reference, self.pin) as session:
            held = session.get_key(pkcs11.ObjectClass.PUBLIC_KEY, label=self.reference.label)
            public = load_der_public_key(encode_ec_public_key(held))
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
            raise InvalidInput("setting-invalid", setting="keys", why=f"{self.kid} is not a P-256 key")
        return public_key_of(public, self.kid, purpose, (valid_from, valid_until))


def make_hardware_key(reference: HardwareReference, pin: str) -> HardwareKey:
    """Make a key inside the module: P-256, for signing alone, never to leave it.

    Raises:
        InvalidInput: ``setting-invalid``, when the token has a key of that label.
        Unavailable: ``hardware-key-unavailable``.
    """
    with _session(reference, pin) as session:
        if any(session.get_objects({pkcs11.Attribute.LABEL: reference.label})):
            raise InvalidInput("setting-invalid", setting="keys", why=f"the token holds {reference.label} already")
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True).generate_keypair(
            store=True,
            label=reference.label,
            capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
            private_template={pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True},
        )
    return HardwareKey(reference, pin)


@contextmanager
def _session(reference: HardwareReference, pin: str) -> Iterator[Any]:
    """The one session of this process with the token, used by one thread at a time; after an error it is opened anew.

    What fails is named by its kind alone: a module's own text could quote the PIN.
    """
    place = (reference.module, reference.token, pin)
    with _in_use:
        try:
            if place not in _sessions:
                token = pkcs11.lib(reference.module).get_token(token_label=reference.token)
                _sessions[place] = token.open(user_pin=pin, rw=True)
            yield _sessions[place]
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            _close(place)
            raise Unavailable("hardware-key-unavailable", kid=reference.kid, why=type(error).__name__) from error


def _close(place: tuple[str, str, str]) -> None:
    session = _sessions.pop(place, None)
    with suppress(pkcs11.PKCS11Error):
        if session is not None:
            session.close()
