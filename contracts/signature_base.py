"""What an HTTP message signature signs (RFC 9421, section 2), and the digest of a body (RFC 9530). No key is used here.

``signature_base`` makes the bytes for any covered components: fields, one member of a dictionary field (``;key``), the
derived components of a request or a response, and those of the request that a response answers (``;req``). The
parameters ``sf``, ``bs`` and ``tr``, which no signature of ours needs, are refused. Which components a signature must
cover is for ``contracts.message_signatures`` to say.
"""

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final, Literal, NamedTuple
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

    def with_headers(self, headers: Mapping[str, str]) -> "Message":
        """The same message with other headers."""
        return Message(self.method, self.path, headers, self.body, self.status, self.request, self.scheme)


class _Line(NamedTuple):
    """A component's line in the base: its identifier, and the header that is its value, or what else gives it."""

    identifier: str
    header: str
    derive: Callable[[Message], str | None] | None
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
    return f"sha-256=:{b2a_base64(hashlib.sha256(body).digest(), newline=False).decode()}:"


def signature_base(message: Message, components: Sequence[str], parameters: str) -> bytes:
    """The bytes that are signed (RFC 9421, section 2.5).

    Args:
        message: The message.
        components: Component identifiers as they stand in ``Signature-Input``: ``"@path"``, ``"signature";req``.
        parameters: The signature's parameters as they stand there, from the first ``;`` on.

    Raises:
        Refused: ``signature-wrong``, when a component is absent or is not one printable line, or stands twice.
    """
    text = ""
    for identifier, header, derive, of_request in _lines(tuple(components)):
        source = message.request if of_request else message
        value = None
        if source is not None:
            value = source.headers.get(header) if derive is None else derive(source)
        if value is None or not (value.isascii() and value.isprintable()):
            raise Refused("signature-wrong", why=f"the component {identifier} is absent or malformed")
        text += f"{identifier}: {value}\n"
    return f'{text}"@signature-params": {inner_list(components)}{parameters}'.encode()


def inner_list(components: Sequence[str]) -> str:
    """The components as they stand in ``Signature-Input``."""
    return f"({' '.join(components)})"


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


def member_of(header: str, label: str) -> str:
    """The member of a dictionary field that has this label, as written; nothing without one.

    Raises:
        Refused: As ``members_of``.
    """
    for each, value in members_of(header):
        if each == label:
            return value
    return ""


@lru_cache(maxsize=256)
def _lines(components: tuple[str, ...]) -> tuple[_Line, ...]:
    """The lines of a base: one signature covers the same components as the next."""
    if len(set(components)) != len(components):
        raise Refused("signature-wrong", why="it covers a component twice")
    return tuple(map(_line, components))


def _line(identifier: str) -> _Line:
    found = _COMPONENT.fullmatch(identifier)
    if found is None or (found[2] and found[5]):
        return _Line(identifier, "", _nothing, of_request=False)
    is_field = found[3] is None and not found[1].startswith("@")
    derive = None if is_field else _deriving(found[1], found[3], found[4])
    return _Line(identifier, found[1], derive, of_request=bool(found[2] or found[5]))


def _deriving(name: str, parameter: str | None, of: str) -> Callable[[Message], str | None]:
    """What gives a component: a member of a field (``;key``), a query parameter (``;name``), or what is derived."""
    if parameter == "key":
        return _nothing if name.startswith("@") else partial(_member, name, of)
    if parameter == "name":
        return partial(_query_parameter, of) if name == "@query-param" else _nothing
    return _DERIVED.get(name) or partial(_of_target, name)


def _nothing(_: Message) -> None:
    """What is no component that we know is absent."""


def _member(name: str, label: str, message: Message) -> str | None:
    value = member_of(message.headers.get(name, ""), label)
    return value if _CANONICAL.fullmatch(value) else None


def _status(message: Message) -> str | None:
    return None if message.status is None else str(message.status)


def _method(message: Message) -> str | None:
    return message.method if message.status is None else None


def _path(message: Message) -> str | None:
    return message.path.partition("?")[0] if _goes_somewhere(message) else None


def _query(message: Message) -> str | None:
    return f"?{message.path.partition('?')[2]}" if _goes_somewhere(message) else None


_DERIVED: Final = {"@status": _status, "@method": _method, "@path": _path, "@query": _query}


def _goes_somewhere(message: Message) -> bool:
    """Whether this is a request, by a path that one can have."""
    return message.status is None and _TARGET.fullmatch(message.path) is not None


def _of_target(name: str, message: Message) -> str | None:
    """What else is derived from where a request goes (RFC 9421, sections 2.2.2 to 2.2.5)."""
    return _of_address(message).get(name) if _goes_somewhere(message) else None


def _of_address(message: Message) -> dict[str, str | None]:
    authority = message.headers.get("host", "").lower().removesuffix(_DEFAULT_PORTS[message.scheme])
    known = _AUTHORITY.fullmatch(authority) is not None
    return {
        "@scheme": message.scheme,
        "@authority": authority if known else None,
        "@request-target": message.path,
        "@target-uri": f"{message.scheme}://{authority}{message.path}" if known else None,
    }


def _query_parameter(name: str, message: Message) -> str | None:
    """A parameter that the query of a request has exactly once, encoded anew (RFC 9421, section 2.2.8)."""
    if message.status is not None:
        return None
    pairs = parse_qsl(message.path.partition("?")[2], keep_blank_values=True)
    values = [_encoded(value) for each, value in pairs if _encoded(each) == name]
    return values[0] if len(values) == 1 else None


def _encoded(text: str) -> str:
    return quote(text, safe=_NOT_ENCODED).replace("~", "%7E")
