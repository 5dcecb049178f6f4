"""HTTP messages signed as RFC 9421 and RFC 9530 say, in one closed profile.

A request covers ``@method``, ``@path``, ``content-type`` and ``content-digest``, and ``@query`` exactly when its path
has a query. A response covers ``@status``, ``content-type``, ``content-digest`` and the signature of the request that
it answers, so it answers no other; an unsigned request has no signed answer. Both say when they were created, when they
expire (at most a minute later), a nonce, the key and the ``tag`` that says what the signature means. A signature is
found by its tag, never by its label, and there is exactly one of a tag. Whoever accepts a message remembers its nonce:
signature bytes are malleable.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from contracts.errors import Refused
from contracts.keys import COORDINATE_BYTES, SigningKey
from contracts.signing import Resolve, verifying_key

WINDOW_SECONDS = 60
CLOCK_SKEW_SECONDS = 5
JSON_TYPE = "application/json"
LABEL = "saphan"

_ES256 = ec.ECDSA(hashes.SHA256())
_ANSWERS_REQUEST = '"signature";req'
_TEXT = r'"[ !#-\[\]-~]*"'
_MEMBER = re.compile(rf"([a-z*][a-z0-9_.*-]*)=([^\",]*(?:{_TEXT}[^\",]*)*)")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NAMES = ("created", "expires", "nonce", "keyid", "tag")
_VALUES = re.compile(
    r'([0-9]{1,11});([0-9]{1,11});"([A-Za-z0-9_-]{16,64})";"([a-z][a-z0-9-]{1,31}#[a-z]{2,16}-[0-9]{1,6})";"[a-z-]+"'
)
"""The only form that the parameters' values may have, in the order of their names; none contains a semicolon."""

_PRINTABLE = re.compile(r"[ -~]*")
_TARGET = re.compile(r"/[!-~]*")


class Tag(StrEnum):
    """What a signature means."""

    REQUEST = "saphan-request"
    RESPONSE = "saphan-response"


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP request, or a response when it has a ``status``.

    Args:
        method: In capitals; the request's own in a response.
        path: As sent, percent-encoded, with ``?`` and the query if there is one.
        headers: By lower-case name; ``headers_of`` makes them from raw ones.
        body: The exact bytes, empty if there is none.
        status: The status code of a response.
        request: The request that a response answers.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    status: int | None = None
    request: "Message | None" = None


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed a message and when; ``nonce`` is what its receiver remembers against replay."""

    kid: str
    nonce: str
    created: datetime


@dataclass(frozen=True, slots=True)
class _Parameters:
    text: str
    created: int
    expires: int
    nonce: str
    keyid: str


def new_nonce() -> str:
    """A nonce of 128 random bits."""
    return secrets.token_urlsafe(16)


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw headers by lower-case name; repeated ones are joined by a comma as RFC 9110 says, so none is overlooked."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def content_digest(body: bytes) -> str:
    """The ``content-digest`` of a body (RFC 9530, SHA-256)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign(message: Message, key: SigningKey, tag: Tag, now: datetime, nonce: str) -> Message:
    """The message with ``content-digest``, ``signature-input`` and ``signature``; JSON if it names no content type.

    A signature that the message already carried is replaced.

    Args:
        message: What is to be sent.
        key: The sender's key.
        tag: Whether it is a request or a response.
        now: The instant of signing.
        nonce: 16 to 64 letters of base64url, never used before by this key.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce has 16 to 64 letters of base64url")
    created = int(now.timestamp())
    headers = {"content-type": JSON_TYPE, **message.headers, "content-digest": content_digest(message.body)}
    signed = replace(message, headers=headers)
    covered = covered_components(signed, tag)
    parameters = (
        f';created={created};expires={created + WINDOW_SECONDS};nonce="{nonce}";keyid="{key.kid}";tag="{tag.value}"'
    )
    raw = key.sign(signature_base(signed, covered, parameters))
    headers["signature-input"] = f"{LABEL}=({' '.join(covered)}){parameters}"
    headers["signature"] = f"{LABEL}=:{base64.b64encode(raw).decode()}:"
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
    label, given = _tagged(message, tag)
    covered = covered_components(message, tag)
    parameters = _parameters(given, covered)
    if message.headers.get("content-digest") != content_digest(message.body):
        raise Refused("signature-wrong", why="the body does not fit its digest")
    if not _is_fresh(parameters, now if at_receipt else None, window_seconds):
        raise Refused("signature-stale")
    key = resolve(parameters.keyid)
    if key is None or key.kid != parameters.keyid:
        raise Refused("key-unknown", kid=parameters.keyid)
    raw = _signature_bytes(message, label)
    try:
        verifying_key(key).verify(raw, signature_base(message, covered, parameters.text), _ES256)
    except InvalidSignature as error:
        raise Refused("signature-wrong", why="altered, or signed by another key") from error
    return Verified(parameters.keyid, parameters.nonce, datetime.fromtimestamp(parameters.created, UTC))


def covered_components(message: Message, tag: Tag) -> tuple[str, ...]:
    """The components that a signature of this meaning covers, all of them and in this order."""
    if tag is Tag.RESPONSE:
        return ('"@status"', '"content-type"', '"content-digest"', _ANSWERS_REQUEST)
    query = ('"@query"',) if "?" in message.path else ()
    return ('"@method"', '"@path"', *query, '"content-type"', '"content-digest"')


def signature_base(message: Message, components: Sequence[str], parameters: str) -> bytes:
    """The bytes that are signed (RFC 9421, section 2.5).

    Args:
        message: The message.
        components: Component identifiers as they stand in ``Signature-Input``: ``"@path"``, ``"signature";req``.
        parameters: The signature's parameters as they stand there, from the first ``;`` on.

    Raises:
        Refused: ``signature-wrong``, when a component is absent or is not one printable line.
    """
    lines = [f"{each}: {_value(message, each)}\n" for each in components]
    return f'{"".join(lines)}"@signature-params": ({" ".join(components)}){parameters}'.encode()


def _value(message: Message, component: str) -> str:
    name, _, origin = component.partition(";")
    source = message.request if origin == "req" else message
    value = None if source is None else _component(source, name.strip('"'))
    if value is None or not _PRINTABLE.fullmatch(value):
        raise Refused("signature-wrong", why=f"the component {component} is absent or malformed")
    return value


def _component(message: Message, name: str) -> str | None:
    if not name.startswith("@"):
        return message.headers.get(name)
    if name == "@status":
        return None if message.status is None else str(message.status)
    if name == "@method":
        return message.method
    path, mark, query = message.path.partition("?")
    if not _TARGET.fullmatch(message.path):
        return None
    return {"@path": path, "@query": mark + query}.get(name)


def _tagged(message: Message, tag: Tag) -> tuple[str, str]:
    """Label and value of the one signature that carries the tag."""
    members = _members(message.headers.get("signature-input", ""))
    hits = [(label, value) for label, value in members if f';tag="{tag.value}"' in value]
    if not hits:
        raise Refused("signature-missing", tag=tag.value)
    if len(hits) > 1:
        raise Refused("signature-wrong", why="two signatures of one kind")
    return hits[0]


def _members(header: str) -> list[tuple[str, str]]:
    """The members of a dictionary header (RFC 8941), as written; a label that stands twice is refused."""
    members: list[tuple[str, str]] = []
    rest = header.strip()
    while rest:
        match = _MEMBER.match(rest)
        if match is None:
            raise Refused("signature-wrong", why="a signature header is malformed")
        members.append((match[1], match[2].strip()))
        rest = rest[match.end() :]
        if rest and (not rest.startswith(",") or not rest[1:].strip()):
            raise Refused("signature-wrong", why="a signature header is malformed")
        rest = rest[1:].strip()
    if len({label for label, _ in members}) != len(members):
        raise Refused("signature-wrong", why="two signatures of one label")
    return members


def _parameters(given: str, covered: Sequence[str]) -> _Parameters:
    components = f"({' '.join(covered)})"
    text = given.removeprefix(components)
    if text == given:
        raise Refused("signature-wrong", why=f"it must cover {components}")
    before, *pairs = text.split(";")
    found = dict(each.partition("=")[::2] for each in pairs)
    if before or len(pairs) != len(_NAMES) or found.keys() != set(_NAMES):
        raise Refused("signature-wrong", why=f"its parameters are {', '.join(_NAMES)}, each once")
    values = _VALUES.fullmatch(";".join(found[name] for name in _NAMES))
    if values is None:
        raise Refused("signature-wrong", why="one of its parameters is malformed")
    return _Parameters(text, int(values[1]), int(values[2]), values[3], values[4])


def _is_fresh(parameters: _Parameters, now: datetime | None, window_seconds: int) -> bool:
    if not 0 < parameters.expires - parameters.created <= WINDOW_SECONDS:
        return False
    if now is None:
        return True
    at = now.timestamp()
    is_past = parameters.created - CLOCK_SKEW_SECONDS <= at
    return is_past and at <= min(parameters.expires, parameters.created + window_seconds)


def _signature_bytes(message: Message, label: str) -> bytes:
    """The signature of a label, re-coded from r and s to what the library checks."""
    value = dict(_members(message.headers.get("signature", ""))).get(label, "")
    try:
        raw = base64.b64decode(value.removeprefix(":").removesuffix(":"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("signature-wrong", why="it is not base64") from error
    if not value.startswith(":") or not value.endswith(":") or len(raw) != 2 * COORDINATE_BYTES:
        raise Refused("signature-wrong", why="it is not 64 bytes between colons")
    r, s = raw[:COORDINATE_BYTES], raw[COORDINATE_BYTES:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
