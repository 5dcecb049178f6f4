"""HTTP messages signed as RFC 9421 and RFC 9530 say, in one closed profile of four meanings, each a ``tag``.

A request covers ``@method``, ``@path``, ``content-type`` and ``content-digest``, and ``@query`` exactly when its path
has a query. A response covers ``@status``, ``content-type``, ``content-digest`` and the signature of the request that
it answers, so it answers no other; an unsigned request has no signed answer. A forward stands beside the requester's
signature in one message and covers it, with the name of the one task that it is forwarded for. A part answers a
forward and covers both its signatures: whoever holds a part can follow it back to the requester.

Every signature says when it was created, when it expires (at most a minute later), a nonce, the key and its tag. It is
found by its tag, never by its label, there is exactly one of a tag, and it is by a key of the purpose that belongs to
the tag. Whoever accepts a message remembers its nonce: signature bytes are malleable.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from os import urandom
from typing import Final, NamedTuple

from contracts.base64url import encoded
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey, made_by
from contracts.signature_base import Message, content_digest, inner_list, member_of, members_of, signature_base
from contracts.signing import Resolve, verifying_key

WINDOW_SECONDS: Final = 60
CLOCK_SKEW_SECONDS: Final = 5
JSON_TYPE: Final = "application/json"
LABEL: Final = "saphan"
FORWARD_LABELS: Final = ("forward", "gateway")
"""How a forward labels its signature: by the second only if the requester chose the first for its own."""

TASK_HEADER: Final = "saphan-task"
"""The field that names the one task that a message is forwarded for."""

_ANSWERS_REQUEST: Final = '"signature";req'
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NAMES: Final = ("created", "expires", "nonce", "keyid", "tag")
_PARAMETERS: Final = (
    r";created=([0-9]{1,11});expires=([0-9]{1,11})"
    r';nonce="([A-Za-z0-9_-]{16,64})";keyid="([a-z][a-z0-9-]{1,31}#[a-z]{2,16}-[0-9]{1,6})";tag="[a-z-]+"'
)
_PROFILE: Final = re.compile(_PARAMETERS)
"""The only form that the parameters may have, in the order of their names; none of the values contains a semicolon."""

_ALONE: Final = re.compile(rf'{LABEL}=\((?:[ ;=a-z]*"[@a-z0-9_.*-]*")*[ ;=a-z]*\){_PARAMETERS}')
_ALONE_BYTES: Final = re.compile(rf"{LABEL}=:([A-Za-z0-9+/]{{85}}[AQgw]==):")
"""The one signature of a message as ``sign`` writes it: read at once, with what the general reading would find."""


class Tag(StrEnum):
    """What a signature means."""

    REQUEST = "saphan-request"
    RESPONSE = "saphan-response"
    FORWARD = "saphan-forward"
    PART = "saphan-part"


_MARKS: Final = {tag: f';tag="{tag.value}"' for tag in Tag}
"""How a signature says what it means."""

SIGNERS: Final[Mapping[Tag, frozenset[KeyPurpose]]] = {
    Tag.REQUEST: frozenset({KeyPurpose.CLIENT, KeyPurpose.CONNECTOR}),
    Tag.RESPONSE: frozenset({KeyPurpose.GATEWAY}),
    Tag.FORWARD: frozenset({KeyPurpose.GATEWAY}),
    Tag.PART: frozenset({KeyPurpose.CONNECTOR}),
}
"""What a key must be for, to sign what; whoever verifies says by ``Resolve`` which of them it means."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed a message and when; ``nonce`` is what its receiver remembers against replay."""

    kid: str
    nonce: str
    created: datetime


class _Given(NamedTuple):
    """What a message says of its signature; ``parameters`` are those in the text, from the first ``;`` on."""

    label: str
    covered: tuple[str, ...]
    parameters: str
    created: int
    expires: int
    nonce: str
    keyid: str


def new_nonce() -> str:
    """A nonce of 128 random bits."""
    return encoded(urandom(16))


def sign(message: Message, key: SigningKey, tag: Tag, now: datetime, nonce: str) -> Message:
    """The message with ``content-digest``, ``signature-input`` and ``signature``; JSON if it names no content type.

    Signatures that the message already carried are replaced; a forward keeps the requester's, and no other.

    Args:
        message: What is to be sent.
        key: The sender's key.
        tag: What the signature means.
        now: The instant of signing.
        nonce: 16 to 64 letters of base64url, never used before by this key.

    Raises:
        Refused: ``signature-missing`` or ``signature-wrong``, when what it must cover is absent or malformed.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce has 16 to 64 letters of base64url")
    created = int(now.timestamp())
    headers = {"content-type": JSON_TYPE, **message.headers, "content-digest": content_digest(message.body)}
    signed = message.with_headers(headers)
    covered = covered_components(signed, tag)
    expires = created + WINDOW_SECONDS
    parameters = f';created={created};expires={expires};nonce="{nonce}";keyid="{key.kid}"{_MARKS[tag]}'
    raw = key.sign(signature_base(signed, covered, parameters))
    label, kept_input, kept_signature = _beside(signed) if tag is Tag.FORWARD else (LABEL, "", "")
    headers["signature-input"] = f"{kept_input}{label}={inner_list(covered)}{parameters}"
    headers["signature"] = f"{kept_signature}{label}={_byte_sequence(raw)}"
    return signed


def verify(
    message: Message,
    tag: Tag,
    resolve: Resolve,
    now: datetime,
    window_seconds: int = WINDOW_SECONDS,
    *,
    at_receipt: bool = True,
) -> Verified:
    """Check that a message is what its signer sent.

    Args:
        message: As it was received.
        tag: The meaning that the signature must have.
        resolve: Gives the key of a key id if it may sign this.
        now: The instant of receipt.
        window_seconds: How old a signature may be.
        at_receipt: Whether freshness binds. A connector that checks a forwarded request later says no: there the
            request's own ``deliver_until`` binds.

    Raises:
        Refused: ``signature-missing``, ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
    """
    if message.headers.get("content-digest") != content_digest(message.body):
        # Told after a missing signature, which says more.
        _tagged(message, tag)
        raise Refused("signature-wrong", why="the body does not fit its digest")
    return verify_digested(message, tag, resolve, now if at_receipt else None, window_seconds)


def verify_digested(
    message: Message, tag: Tag, resolve: Resolve, now: datetime | None, window_seconds: int = WINDOW_SECONDS
) -> Verified:
    """Check a message by its ``content-digest``, whatever its body: for one whose body was erased since.

    Args:
        message: What is kept of it.
        tag: The meaning that the signature must have.
        resolve: Gives the key of a key id if it may sign this.
        now: The instant of receipt; none when freshness does not bind.
        window_seconds: How old a signature may be.

    Raises:
        Refused: As ``verify``.
    """
    given = _given(message, tag)
    if not _is_fresh(given, now, window_seconds):
        raise Refused("signature-stale")
    key = resolve(given.keyid)
    if key is None or key.kid != given.keyid or key.purpose not in SIGNERS[tag]:
        raise Refused("key-unknown", kid=given.keyid)
    raw = _signature_bytes(message, given.label)
    if not made_by(verifying_key(key), raw, signature_base(message, given.covered, given.parameters)):
        raise Refused("signature-wrong", why="altered, or signed by another key")
    return Verified(given.keyid, given.nonce, datetime.fromtimestamp(given.created, UTC))


def covered_components(message: Message, tag: Tag) -> tuple[str, ...]:
    """The components that a signature of this meaning covers, all of them and in this order.

    Raises:
        Refused: ``signature-missing`` or ``signature-wrong``, when a signature that it must cover is not there.
    """
    if tag is Tag.RESPONSE:
        return ('"@status"', '"content-type"', '"content-digest"', _ANSWERS_REQUEST)
    if tag is Tag.PART:
        return _covered_by_part(message)
    query = ('"@query"',) if "?" in message.path else ()
    covered = ('"@method"', '"@path"', *query, '"content-type"', '"content-digest"')
    if tag is Tag.REQUEST:
        return covered
    label = label_of(message, Tag.REQUEST)
    return (*covered, f'"{TASK_HEADER}"', f'"signature";key="{label}"', f'"signature-input";key="{label}"')


def label_of(message: Message, tag: Tag) -> str:
    """Under which label the one signature of a meaning stands.

    Raises:
        Refused: ``signature-missing`` or ``signature-wrong``.
    """
    return _tagged(message, tag)[0]


def _covered_by_part(message: Message) -> tuple[str, ...]:
    forward = message.request
    if forward is None:
        raise Refused("signature-wrong", why="a part answers a forwarded request")
    labels = (label_of(forward, Tag.REQUEST), label_of(forward, Tag.FORWARD))
    answered = ('"@method";req', '"@path";req', '"content-digest";req')
    return (
        *('"@status"', '"content-type"', '"content-digest"'),
        *answered,
        *(f'"signature";req;key="{label}"' for label in labels),
    )


def _beside(message: Message) -> tuple[str, str, str]:
    """The label of a forward, and what stays before it in ``Signature-Input`` and ``Signature``."""
    label, given = _tagged(message, Tag.REQUEST)
    signature = member_of(message.headers.get("signature", ""), label)
    own = next(each for each in FORWARD_LABELS if each != label)
    return own, f"{label}={given}, ", f"{label}={signature}, "


def _tagged(message: Message, tag: Tag) -> tuple[str, str]:
    """Label and value of the one signature that carries the tag."""
    mark = _MARKS[tag]
    hits = [each for each in members_of(message.headers.get("signature-input", "")) if mark in each[1]]
    if not hits:
        raise Refused("signature-missing", tag=tag.value)
    if len(hits) > 1:
        raise Refused("signature-wrong", why="two signatures of one kind")
    return hits[0]


def _given(message: Message, tag: Tag) -> _Given:
    header = message.headers.get("signature-input", "")
    values = _ALONE.fullmatch(header) if header.endswith(_MARKS[tag]) else None
    label, text = _tagged(message, tag) if values is None else (LABEL, header[len(LABEL) + 1 :])
    covered = covered_components(message, tag)
    components = inner_list(covered)
    if not text.startswith(components):
        raise Refused("signature-wrong", why=f"it must cover {components}")
    parameters = text[len(components) :]
    values = values or _PROFILE.fullmatch(parameters) or _PROFILE.fullmatch(_in_order(parameters))
    if values is None:
        raise Refused("signature-wrong", why="one of its parameters is malformed")
    return _Given(label, covered, parameters, int(values[1]), int(values[2]), values[3], values[4])


def _in_order(text: str) -> str:
    """Parameters in the profile's order: whoever signs may write them in any other."""
    before, *pairs = text.split(";")
    found = dict(each.partition("=")[::2] for each in pairs)
    if before or len(pairs) != len(_NAMES) or found.keys() != set(_NAMES):
        raise Refused("signature-wrong", why=f"its parameters are {', '.join(_NAMES)}, each once")
    return "".join([f";{name}={found[name]}" for name in _NAMES])


def _is_fresh(given: _Given, now: datetime | None, window_seconds: int) -> bool:
    if not 0 < given.expires - given.created <= WINDOW_SECONDS:
        return False
    if now is None:
        return True
    at = now.timestamp()
    is_past = given.created - CLOCK_SKEW_SECONDS <= at
    return is_past and at <= min(given.expires, given.created + window_seconds)


def _signature_bytes(message: Message, label: str) -> bytes:
    """The signature of a label; whether it is one of 64 bytes is for the check of it to say."""
    header = message.headers.get("signature", "")
    alone = _ALONE_BYTES.fullmatch(header) if label == LABEL else None
    if alone is not None:
        return a2b_base64(alone[1])
    value = member_of(header, label)
    try:
        raw = a2b_base64(value[1:-1], strict_mode=True)
    except ValueError as error:
        raise Refused("signature-wrong", why="it is not base64") from error
    # Written anew and compared: the last letter of base64 has bits that stand for nothing.
    if value != _byte_sequence(raw):
        raise Refused("signature-wrong", why="it is not base64 between colons")
    return raw


def _byte_sequence(raw: bytes) -> str:
    return f":{b2a_base64(raw, newline=False).decode()}:"
