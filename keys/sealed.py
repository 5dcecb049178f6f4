"""A private key as it lies in a file: encrypted under a secret by Argon2id (RFC 9106) and AES-256-GCM.

The secret is either 256 random bits from a file of secrets, or a person's passphrase; Argon2id costs accordingly more
for a passphrase. The name of the key is authenticated with it, so a sealed file cannot be put in the place of another.
PEM's own encryption is not used: the library derives its key by 2,048 rounds of PBKDF2 only.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from pydantic import Base64Bytes, Field, ValidationError

from contracts.errors import InvalidInput
from contracts.keys import SoftwareKey, load_key
from contracts.values import Value

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
KIND: Final = "saphan-sealed-key"

Entropy = Callable[[int], bytes]
"""So many random bytes from the operating system."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess of the secret costs: memory in KiB, passes over it, lanes."""

    memory_kib: int
    iterations: int
    lanes: int


RANDOM_SECRET: Final = Cost(memory_kib=19_456, iterations=2, lanes=1)
"""For a secret of 256 random bits, which nobody guesses at any cost: the least that OWASP recommends."""

PASSPHRASE: Final = Cost(memory_kib=65_536, iterations=3, lanes=4)
"""For what a person remembers: the second recommendation of RFC 9106, section 4."""


class SealedKey(Value):
    """The file of a sealed key."""

    kind: Literal["saphan-sealed-key"]
    kid: str
    memory_kib: int = Field(ge=8_192, le=2**21)
    iterations: int = Field(ge=1, le=64)
    lanes: int = Field(ge=1, le=16)
    salt: Base64Bytes
    nonce: Base64Bytes
    ciphertext: Base64Bytes

    @property
    def cost(self) -> Cost:
        """What it was sealed at."""
        return Cost(self.memory_kib, self.iterations, self.lanes)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals keys under one secret.

    Args:
        secret: Random bytes, or a passphrase.
        cost: As fits the secret.
        salt: Random, one for each home: its keys are under one secret, so that one derivation opens them all.
        entropy: Gives random bytes.
    """

    secret: bytes
    cost: Cost
    salt: bytes
    entropy: Entropy

    def seal(self, key: SoftwareKey) -> bytes:
        """The key as the bytes of a file."""
        nonce = self.entropy(NONCE_BYTES)
        derived = _derived(self.secret, self.salt, self.cost)
        ciphertext = AESGCM(derived).encrypt(nonce, key.to_pem(), key.kid.encode())
        sealed = SealedKey(
            kind=KIND,
            kid=key.kid,
            memory_kib=self.cost.memory_kib,
            iterations=self.cost.iterations,
            lanes=self.cost.lanes,
            salt=base64.b64encode(self.salt),
            nonce=base64.b64encode(nonce),
            ciphertext=base64.b64encode(ciphertext),
        )
        return sealed.model_dump_json(indent=2).encode()


def sealed_key(data: bytes) -> SealedKey | None:
    """The sealed key in a file's bytes; none when it is something else.

    Raises:
        InvalidInput: ``setting-invalid``, when it says that it is one and is not whole.
    """
    if KIND.encode() not in data:
        return None
    try:
        return SealedKey.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInput("setting-invalid", setting="keys", why="a sealed key is not whole") from error


def unseal(kid: str, sealed: SealedKey, secret: bytes) -> SoftwareKey:
    """Open a sealed key.

    Raises:
        InvalidInput: ``key-not-opened``, when the secret is another one, or the file was altered or is another key's.
    """
    try:
        opened = AESGCM(_derived(secret, sealed.salt, sealed.cost)).decrypt(
            sealed.nonce, sealed.ciphertext, kid.encode()
        )
    except (InvalidTag, ValueError) as error:
        raise InvalidInput("key-not-opened", kid=kid) from error
    return load_key(kid, opened)


@lru_cache(maxsize=64)
def _derived(secret: bytes, salt: bytes, cost: Cost) -> bytes:
    """The key of the encryption; remembered, because a home is read many times in one process."""
    derivation = Argon2id(
        salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return derivation.derive(secret)
