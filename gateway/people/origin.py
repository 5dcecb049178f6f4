"""Where calls come from: the gateway's own origin, and the check that keeps other sites from acting in one's name.

``Origin`` and ``Sec-Fetch-Site`` are set by the browser and no page can forge them. A call that changes something and
bears neither comes from no browser that we know: it is refused.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from contracts.errors import Refused

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def origin_of(issuer: str) -> str:
    """The origin (scheme, host and port) of the gateway's issuer identifier."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}"


def relying_party(issuer: str) -> str:
    """The host for which passkeys are made (WebAuthn's RP ID)."""
    return urlsplit(issuer).hostname or ""


def check_origin(method: str, headers: Mapping[str, str], origin: str) -> None:
    """Refuse a call that changes something unless it came from a page of this very origin.

    Args:
        method: The HTTP method.
        headers: Lower-case names.
        origin: The gateway's own origin.

    Raises:
        Refused: ``cross-site-call``.
    """
    if method in SAFE:
        return
    said, site = headers.get("origin"), headers.get("sec-fetch-site")
    if said is None and site is None:
        raise Refused("cross-site-call")
    if said not in (None, origin) or site not in (None, "same-origin"):
        raise Refused("cross-site-call")
