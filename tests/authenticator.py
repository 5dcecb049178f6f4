"""A software authenticator (WebAuthn, ES256) that a test can bend: other origins, old challenges, no verification."""

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """A device with one passkey. ``origin`` is the page that it believes to be asked by."""

    origin: str
    rp_id: str
    flags: int = PRESENT | VERIFIED
    count: int = 0
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    name: bytes = field(default_factory=lambda: os.urandom(16))
    user: str = ""

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer a challenge to make a passkey."""
        self.user = options["user"]["id"]
        point = self.private.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        credential = bytes(16) + struct.pack(">H", len(self.name)) + self.name + cbor2.dumps(key)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | ATTESTED, credential)}
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(
            {"clientDataJSON": encode(client), "attestationObject": encode(cbor2.dumps(attestation))}
        )

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer a challenge to sign in or to confirm."""
        self.count += 1
        client, data = self._client("webauthn.get", options["challenge"]), self._data(self.flags)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "clientDataJSON": encode(client),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": self.user,
            }
        )

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count) + more

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = encode(self.name)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}
