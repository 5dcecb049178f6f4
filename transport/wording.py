"""A request as bytes (RFC 9112): nothing in it can end a line or begin another request."""

import re
from typing import Final

from contracts.errors import InvalidInput
from contracts.signature_base import Message

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""Those whose answers are framed alike: HEAD and CONNECT are not."""

FRAMING: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"})
"""The fields that are the line's own, with those that would change how the two sides read on."""

_TARGET: Final = re.compile(r"/[!-~]*")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")


def written(call: Message, host: str) -> bytes:
    """A request, ready to be sent.

    Args:
        call: Its method, path, headers by lower-case name, and body.
        host: The value of ``Host``.

    Raises:
        InvalidInput: ``unknown-address``, for a path that no request can have.
        ValueError: For a method or a header that no program of ours sends; the value is not told.
    """
    if not _TARGET.fullmatch(call.path):
        raise InvalidInput("unknown-address")
    if call.method not in METHODS:
        raise ValueError("a method that this client does not send")
    lines = [f"{call.method} {call.path} HTTP/1.1", f"host: {host}", "accept-encoding: identity"]
    for name, value in call.headers.items():
        is_one_line = value.isascii() and value.isprintable()
        if not is_one_line or name in FRAMING or not _NAME.fullmatch(name):
            raise ValueError("a header that this client does not send")
        lines.append(f"{name}: {value}")
    if call.body or call.method != "GET":
        lines.append(f"content-length: {len(call.body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("ascii") + call.body
