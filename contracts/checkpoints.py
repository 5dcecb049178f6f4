"""Checkpoints of the log (C2SP tlog-checkpoint) and the witnesses' cosignatures on them (C2SP tlog-cosignature).

A checkpoint says: this log had so many entries, with this root. The gateway signs it; an agency's connector cosigns it
after it has seen for itself that the log only grew. Who reads a checkpoint counts the agencies that stand by it.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.keys import SigningKey
from contracts.note import (
    Algorithm,
    NoteSignature,
    is_key_name,
    is_signed,
    key_bytes,
    key_id,
    read_note,
    read_signature,
    verifier_key,
)
from contracts.transparency import Checkpoint

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TIME_BYTES: Final = 8
MOST_SECONDS: Final = 2**36
SIGNATURE_BYTES: Final = 64
ROOT_BYTES: Final = 32
COSIGNATURE_HEAD: Final = "cosignature/v1"
TEXT: Final = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")


@dataclass(frozen=True, slots=True)
class LogKeys:
    """What a checkpoint is checked with: the log's name, its keys, and those of the agencies that witness it."""

    origin: str
    log: tuple[PublicKey, ...]
    witnesses: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """An agency that stands by a checkpoint, and since when."""

    agency: str
    at: datetime


def log_origin(gateway: str) -> str:
    """The log's name: the gateway's issuer identifier without its scheme, ``https://gateway.example`` without https.

    Raises:
        InvalidInput: ``setting-invalid``, when what is left cannot name a key of a note.
    """
    name = gateway.partition("://")[2] if "://" in gateway else gateway
    name = name.rstrip("/")
    if not is_key_name(name):
        raise InvalidInput("setting-invalid", setting="issuer", why="it cannot name a log")
    return name


def witness_name(origin: str, agency: str) -> str:
    """The name under which an agency cosigns the checkpoints of a log."""
    return f"{origin}/witness/{agency}"


def log_keys(federation: Federation, since: datetime | None = None) -> LogKeys:
    """The keys of a federation's log and of its witnesses.

    A checkpoint bears no time of the log's own, so a key counts that could sign at ``since`` or later, and that was not
    revoked; a cosignature does bear a time, and its key must have been valid then. The operator's own agency is no
    witness: it runs what is to be watched.

    Args:
        federation: The pinned keys of all members.
        since: When the entry was written that is to be proved; none when the log is an old one that was kept.
    """
    operator = federation.member(federation.operator)
    own = (key for key in (operator.keys if operator else ()) if key.purpose is KeyPurpose.LOG and not key.revoked)
    others = (each for each in federation.members if each.agency != federation.operator)
    return LogKeys(
        origin=log_origin(federation.gateway),
        log=tuple(key for key in own if since is None or key.valid_until > since),
        witnesses=tuple(key for each in others for key in each.keys if key.purpose is KeyPurpose.WITNESS),
    )


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The three lines that are signed: the log's name, its size, its root in base64."""
    root = base64.b64encode(bytes.fromhex(checkpoint.root)).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def read_checkpoint(document: str) -> Checkpoint:
    """What a checkpoint says; no signature is looked at.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when it is none.
    """
    found = TEXT.fullmatch(read_note(document).text)
    if found is None:
        raise IntegrityError("log-checkpoint-wrong")
    try:
        root = base64.b64decode(found[3], validate=True)
    except binascii.Error as error:
        raise IntegrityError("log-checkpoint-wrong") from error
    if len(root) != ROOT_BYTES:
        raise IntegrityError("log-checkpoint-wrong")
    return Checkpoint(origin=found[1], size=int(found[2]), root=root.hex())


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as a note under the log's key, whose name in it is the log's."""
    text = checkpoint_text(checkpoint)
    return f"{text}\n{_own_line(text, checkpoint.origin, key)}"


def signed_again(document: str, key: SigningKey) -> str:
    """The same checkpoint with a signature of this key too, for a log whose key was changed."""
    text = read_note(document).text
    line = _own_line(text, text.partition("\n")[0], key)
    return document if line in document else f"{document}{line}"


def verify_checkpoint(document: str, keys: LogKeys) -> Checkpoint:
    """Check that the log's own key signed a checkpoint, and that it is of this log.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``.
    """
    note = read_note(document)
    known = {_found_by(keys.origin, Algorithm.SIGNATURE, key): key_bytes(key) for key in keys.log}
    signed = [(known[each.name, each.key_id], each) for each in note.signatures if (each.name, each.key_id) in known]
    if not signed or not all(is_signed(public, note.text.encode(), each.value) for public, each in signed):
        raise IntegrityError("log-checkpoint-wrong")
    checkpoint = read_checkpoint(document)
    if checkpoint.origin != keys.origin:
        raise IntegrityError("log-checkpoint-wrong")
    return checkpoint


def cosign(document: str, key: SigningKey, now: datetime) -> str:
    """A witness's signature line over a checkpoint that it has checked; its agency stands before the ``#`` of its key.

    Args:
        document: The checkpoint.
        key: The witness's key.
        now: The time that is signed with it, in whole seconds.
    """
    text, seconds = read_note(document).text, (now - EPOCH) // timedelta(seconds=1)
    name = witness_name(text.partition("\n")[0], key.kid.partition("#")[0])
    value = seconds.to_bytes(TIME_BYTES, "big") + key.sign(_cosigned_text(text, seconds))
    return NoteSignature(name, key_id(name, Algorithm.COSIGNATURE, public_bytes(key)), value).line


def cosigned(document: str, keys: LogKeys) -> tuple[Cosigned, ...]:
    """The agencies whose witnesses stand by a checkpoint, each once, by name; who is not known is not counted.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when a line under the name of a known witness is not its own.
    """
    note = read_note(document)
    found = {}
    for each in note.signatures:
        one = _cosigner(note.text, each, keys)
        if one is not None:
            found[one.agency] = one
    return tuple(found[agency] for agency in sorted(found))


def read_cosignature(document: str, line: str, keys: LogKeys) -> Cosigned | None:
    """The agency that cosigned a checkpoint with this line; none when no known witness did.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when it is no signature line, or not that of the witness it names.
    """
    return _cosigner(read_note(document).text, read_signature(line), keys)


def with_cosignatures(document: str, lines: Iterable[str]) -> str:
    """The checkpoint with the witnesses' lines under it."""
    return document + "".join(lines)


def log_verifier_keys(keys: LogKeys) -> tuple[str, ...]:
    """The keys of the log as other programs are given them."""
    return tuple(verifier_key(keys.origin, Algorithm.SIGNATURE, key_bytes(key)) for key in keys.log)


def witness_verifier_keys(keys: LogKeys) -> tuple[str, ...]:
    """The keys of the witnesses as other programs are given them."""
    names = ((witness_name(keys.origin, _agency_of(key)), key) for key in keys.witnesses)
    return tuple(verifier_key(name, Algorithm.COSIGNATURE, key_bytes(key)) for name, key in names)


def public_bytes(key: SigningKey) -> bytes:
    """The public half of a note's key."""
    return key_bytes(key.public_key(KeyPurpose.LOG, EPOCH, EPOCH))


def _own_line(text: str, origin: str, key: SigningKey) -> str:
    found = key_id(origin, Algorithm.SIGNATURE, public_bytes(key))
    return NoteSignature(origin, found, key.sign(text.encode())).line


def _cosigner(text: str, signature: NoteSignature, keys: LogKeys) -> Cosigned | None:
    for key in keys.witnesses:
        name = witness_name(keys.origin, _agency_of(key))
        if (signature.name, signature.key_id) != _found_by(name, Algorithm.COSIGNATURE, key):
            continue
        seconds = int.from_bytes(signature.value[:TIME_BYTES], "big")
        message, value = _cosigned_text(text, seconds), signature.value[TIME_BYTES:]
        if seconds > MOST_SECONDS or not is_signed(key_bytes(key), message, value):
            raise IntegrityError("log-checkpoint-wrong")
        at = EPOCH + timedelta(seconds=seconds)
        return Cosigned(_agency_of(key), at) if key.is_valid(at) else None
    return None


def _cosigned_text(text: str, seconds: int) -> bytes:
    return f"{COSIGNATURE_HEAD}\ntime {seconds}\n{text}".encode()


def _found_by(name: str, algorithm: Algorithm, key: PublicKey) -> tuple[str, bytes]:
    return name, key_id(name, algorithm, key_bytes(key))


def _agency_of(key: PublicKey) -> str:
    return key.kid.partition("#")[0]
