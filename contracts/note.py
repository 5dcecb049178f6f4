"""Signed notes (C2SP signed-note): a text, an empty line, and the signatures under it, each with the name of its key.

The log's checkpoints and the witnesses' cosignatures are notes, so that tools which others wrote read them. A key is
found by its name and four bytes of a hash over name, algorithm and key; that hash finds a key, it does not prove one.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.errors import IntegrityError
from contracts.federation import ED25519, PublicKey

DASH: Final = "\u2014"
KEY_ID_BYTES: Final = 4
MOST_CHARACTERS: Final = 2**16
MOST_SIGNATURES: Final = 256
KEY_NAME: Final = re.compile(r"[^\s+\0-\x1f]+")
CONTROLS: Final = re.compile(r"[\0-\x09\x0b-\x1f]")
"""Control characters but the line's end."""


class Algorithm(IntEnum):
    """The algorithm byte of a note's key: a signature over the text, or a witness's over a time and the text."""

    SIGNATURE = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line under a note: the name of the key, the four bytes that find it, and what it signed."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, with its end."""
        return f"{DASH} {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was read; nothing in it is verified yet. ``text`` ends with a line's end."""

    text: str
    signatures: tuple[NoteSignature, ...]


def key_bytes(key: PublicKey) -> bytes:
    """The 32 bytes of a registered Ed25519 key.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, for a key of another algorithm.
    """
    if key.crv != ED25519:
        raise IntegrityError("log-checkpoint-wrong")
    return base64.urlsafe_b64decode(f"{key.x}=")


def key_id(name: str, algorithm: Algorithm, public: bytes) -> bytes:
    """What finds a key among others: SHA-256 over name, a line's end, algorithm and key, its first four bytes."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:KEY_ID_BYTES]


def verifier_key(name: str, algorithm: Algorithm, public: bytes) -> str:
    """A key as other programs are given it (a vkey): ``name+id+key``."""
    encoded = base64.b64encode(bytes([algorithm]) + public).decode()
    return f"{name}+{key_id(name, algorithm, public).hex()}+{encoded}"


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature (RFC 8032) fits a message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=32)
def read_note(document: str) -> Note:
    """Take a note apart; one checkpoint is read for every entry under it, so the last ones are kept as they were read.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when it is none.
    """
    head, gap, tail = document.rpartition("\n\n")
    lines = tail.splitlines(keepends=True)
    fits = len(document) <= MOST_CHARACTERS and 0 < len(lines) <= MOST_SIGNATURES
    if not gap or not fits or CONTROLS.search(document):
        raise IntegrityError("log-checkpoint-wrong")
    return Note(f"{head}\n", tuple(read_signature(line) for line in lines))


def read_signature(line: str) -> NoteSignature:
    """Take one signature line apart.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when it is none.
    """
    words = line.removesuffix("\n").split(" ")
    if not line.endswith("\n") or len(words) != 3 or words[0] != DASH or not is_key_name(words[1]):  # noqa: PLR2004  # dash, name, value
        raise IntegrityError("log-checkpoint-wrong")
    try:
        value = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise IntegrityError("log-checkpoint-wrong") from error
    if len(value) <= KEY_ID_BYTES:
        raise IntegrityError("log-checkpoint-wrong")
    return NoteSignature(words[1], value[:KEY_ID_BYTES], value[KEY_ID_BYTES:])


def is_key_name(name: str) -> bool:
    """Whether a text may name a key: not empty, no space of any kind, no plus sign, no control character."""
    return KEY_NAME.fullmatch(name) is not None
