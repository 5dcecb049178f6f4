"""By which names the gateway may be addressed: a foreign name that resolves to it (DNS rebinding) is refused."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""Always allowed: no name that a stranger owns is among them, and whoever runs the gateway looks at it so."""


def allowed_hosts(issuer: str, listen_host: str, others: Iterable[str]) -> frozenset[bytes]:
    """The names, in lower case, an IPv6 address without its brackets.

    Args:
        issuer: The address under which the federation knows the gateway.
        listen_host: Where it listens; a wildcard is no name.
        others: What the operator allows besides.
    """
    names = (urlsplit(issuer).hostname or "", listen_host, *LOOPBACK, *others)
    return frozenset(each.strip("[]").lower().encode() for each in names if each not in {"", "0.0.0.0", "::"})  # noqa: S104  # the names of wildcards, left out


def name_in(host: bytes) -> bytes:
    """The name in a Host field, in lower case and without its port; nothing where it has another form."""
    if host.startswith(b"["):
        name, end, port = host[1:].partition(b"]")
        return b"" if not end or (port and not _is_port(port)) else name.lower()
    name, colon, port = host.partition(b":")
    return b"" if colon and not port.isdigit() else name.lower()


def _is_port(text: bytes) -> bool:
    return text.startswith(b":") and text[1:].isdigit()
