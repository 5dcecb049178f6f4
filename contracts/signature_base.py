"""What an HTTP message signature signs (RFC 9421, section 2), and the digest of a body (RFC 9530). No key is used here.

``signature_base`` makes the bytes for any covered components: fields, one member of a dictionary field (``;key``), the
derived components of a request or a response, and those of the request that a response answers (``;req``). The
parameters ``sf``, ``bs`` and ``tr``, which no signature of ours needs, are refused. Which components a signature must
cover is for ``contracts.message_signatures`` to say.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import parse_qsl, quote

from contracts.errors import Refused

_TEXT: Final = r'"[ !#-\[\]-~]*"'
_MEMBER: Final = re.compile(rf"([a-z*][a-z0-9_.*-]*)=([^\",]*(?:{_TEXT}[^\",]*)*)")
_ITEM: Final = rf"(?:{_TEXT}|:[A-Za-z0-9+/]*={{0,2}}:|[A-Za-z0-9*?-][A-Za-z0-9:/._*+-]*)"
_PARAMETERS: Final = rf"(?:;[a-z*][a-z0-9_.*-]*(?:={_ITEM})?)*"
_INNER_LIST: Final = rf"\((?:{_ITEM}{_PARAMETERS}(?: {_ITEM}{_PARAMETERS})*)?\)"
_CANONICAL: Final = re.compile(rf"(?:{_ITEM}|{_INNER_LIST}){_PARAMETERS}")
"""The one serialisation of a dictionary's member (RFC 8941, section 4.1): what is written otherwise is not covered."""

_COMPONENT: Final = re.compile(r'"(@?[a-z0-9-]+)"(;req)?(?:;(key|name)="([^"\\;]*)")?(;req)?')
_PRINTABLE: Final = re.compile(r"[ -~]*")
_TARGET: Final = re.compile(r"/[!-~]*")
_AUTHORITY: Final = re.compile(r"[a-z0-9._:\[\]-]+")
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}
_NOT_ENCODED: Final = "*-._"
"""What the encoding of form data leaves as it is, beside letters and digits (WHATWG URL)."""

Members = tuple[tuple[str, str], ...]
"""The members of a dictionary field, by key, as written."""


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
        scheme: Over which the request was sent; no signature of ours covers it, for a proxy may change it.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    status: int | None = None
    request: "Message | None" = None
    scheme: Literal["https", "http"] = "https"


@dataclass(frozen=True, slots=True)
class _Component:
    """A component identifier, taken apart; ``kind`` and ``of`` are its parameter ``key`` or ``name``, if it has one."""

    name: str
    kind: str
    of: str
    of_request: bool


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


def signature_base(message: Message, components: Sequence[str], parameters: str) -> bytes:
    """The bytes that are signed (RFC 9421, section 2.5).

    Args:
        message: The message.
        components: Component identifiers as they stand in ``Signature-Input``: ``"@path"``, ``"signature";req``.
        parameters: The signature's parameters as they stand there, from the first ``;`` on.

    Raises:
        Refused: ``signature-wrong``, when a component is absent or is not one printable line, or stands twice.
    """
    if len(set(components)) != len(components):
        raise Refused("signature-wrong", why="it covers a component twice")
    lines = [f"{each}: {_value(message, each)}\n" for each in components]
    return f'{"".join(lines)}"@signature-params": ({" ".join(components)}){parameters}'.encode()


@lru_cache(maxsize=64)
def members_of(header: str) -> Members:
    """The members of a dictionary field (RFC 8941), as written; a label that stands twice is refused.

    Raises:
        Refused: ``signature-wrong``, when it is no dictionary of members with values.
    """
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
    return tuple(members)


def _value(message: Message, identifier: str) -> str:
    component = _parsed(identifier)
    source = message.request if component is not None and component.of_request else message
    value = None if component is None or source is None else _component(source, component)
    if value is None or not _PRINTABLE.fullmatch(value):
        raise Refused("signature-wrong", why=f"the component {identifier} is absent or malformed")
    return value


@lru_cache(maxsize=256)
def _parsed(identifier: str) -> _Component | None:
    found = _COMPONENT.fullmatch(identifier)
    if found is None or (found[2] and found[5]):
        return None
    return _Component(found[1], found[3] or "", found[4] or "", bool(found[2] or found[5]))


def _component(message: Message, component: _Component) -> str | None:
    name, kind = component.name, component.kind
    if kind:
        return _parametrised(message, component)
    if not name.startswith("@"):
        return message.headers.get(name)
    if message.status is not None:
        return str(message.status) if name == "@status" else None
    if name == "@method":
        return message.method
    return _of_target(message, name)


def _parametrised(message: Message, component: _Component) -> str | None:
    if component.kind == "key" and not component.name.startswith("@"):
        value = dict(members_of(message.headers.get(component.name, ""))).get(component.of, "")
        return value if _CANONICAL.fullmatch(value) else None
    if (component.kind, component.name) == ("name", "@query-param") and message.status is None:
        return _query_parameter(message, component.of)
    return None


def _of_target(message: Message, name: str) -> str | None:
    """What is derived from where a request goes (RFC 9421, sections 2.2.2 to 2.2.7)."""
    path, _, query = message.path.partition("?")
    if not _TARGET.fullmatch(message.path):
        return None
    if name == "@path":
        return path
    if name == "@query":
        return f"?{query}"
    return _of_address(message).get(name)


def _of_address(message: Message) -> dict[str, str | None]:
    authority = message.headers.get("host", "").lower().removesuffix(_DEFAULT_PORTS[message.scheme])
    known = _AUTHORITY.fullmatch(authority) is not None
    return {
        "@scheme": message.scheme,
        "@authority": authority if known else None,
        "@request-target": message.path,
        "@target-uri": f"{message.scheme}://{authority}{message.path}" if known else None,
    }


def _query_parameter(message: Message, name: str) -> str | None:
    """A parameter that the query has exactly once, encoded anew (RFC 9421, section 2.2.8)."""
    pairs = parse_qsl(message.path.partition("?")[2], keep_blank_values=True)
    values = [_encoded(value) for each, value in pairs if _encoded(each) == name]
    return values[0] if len(values) == 1 else None


def _encoded(text: str) -> str:
    return quote(text, safe=_NOT_ENCODED).replace("~", "%7E")
